"""A mapping as TOML: what was used is kept, edited by people, and reads back as the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesops.sources.mapping import (
    BadMapping,
    Condition,
    Correction,
    History,
    Instead,
    Mapping,
    Rows,
    Source,
    Stages,
    known_mappings,
    mapping_text,
    read_mapping,
)
from salesops.sources.mappingtext import mapping_toml

OWN = tuple(str(p) for p in sorted(Path("tests/sources/exports").glob("*/mapping.toml")))


@pytest.mark.parametrize("source", known_mappings() + OWN)
def test_a_mapping_that_is_written_reads_back_equal(source):
    mapping = read_mapping(mapping_text(source), source)
    assert read_mapping(mapping_toml(mapping), source) == mapping


# Whatever people type into the head of a column; lone surrogates are in no file.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = TEXTS.filter(bool)
SOURCES = st.one_of(
    NAMES,
    st.builds(
        Source, column=NAMES, unit=st.sampled_from(["one", "wan", "k"]),
        values=st.dictionaries(TEXTS, TEXTS, max_size=3),
        null=st.lists(TEXTS, max_size=2).map(tuple),
        only_where=st.none() | st.builds(Condition, column=NAMES),
        instead=st.lists(st.builds(Instead, where=st.builds(Condition, column=NAMES), value=TEXTS),
                         max_size=2).map(tuple),
    ),
    st.builds(Source, template=NAMES), st.builds(Source, constant=TEXTS),
)  # fmt: skip
MAPPINGS = st.builds(
    Mapping, name=NAMES, title=TEXTS, verified=st.sampled_from(["", "assumed", "real file"]),
    recognised_by=st.dictionaries(NAMES, st.lists(NAMES, max_size=2).map(tuple), max_size=2),
    tables=st.fixed_dictionaries({"opportunities": st.builds(
        Rows, file=NAMES, sheet=st.none() | NAMES,
        columns=st.fixed_dictionaries({"id": SOURCES, "stage": SOURCES}),
    ).map(lambda rows: (rows,))}),
    stages=st.none() | st.builds(
        Stages, kinds=st.dictionaries(NAMES, st.sampled_from(["open", "won", "lost"]), max_size=3),
        ends=st.booleans()),
    history=st.just(()) | st.builds(
        History, file=NAMES, form=st.just("states"), entity_id=SOURCES, changed_at=SOURCES,
        fields=st.fixed_dictionaries({"stage": SOURCES}), makes_rows=st.booleans(),
    ).map(lambda part: (part,)),
    corrections=st.just(()) | st.builds(
        Correction, file=NAMES, column=NAMES, values=st.dictionaries(TEXTS, TEXTS, max_size=2),
    ).map(lambda part: (part,)),
)  # fmt: skip


@given(mapping=MAPPINGS, why=TEXTS)
def test_any_name_and_any_text_survives_being_written(mapping, why):
    text = mapping_toml(mapping, {("opportunities", "stage"): why})
    assert read_mapping(text, "own") == mapping


def test_the_reason_for_a_column_stands_beside_it():
    mapping = Mapping(
        name="own", title="Own",
        tables={"opportunities": (Rows(file="a.csv", columns={"id": "Nr", "stage": "S"}),)},
    )  # fmt: skip
    text = mapping_toml(mapping, {("opportunities", "stage"): "its values"})
    assert 'stage = "S" # its values' in text


@pytest.mark.parametrize(
    ("line", "told"),
    [('field = "Field"\nfields = { bad = "Closed" }', "opportunities has no column 'bad'"),
     ("", "the form changes needs the column with the field"),
     ('entity = "dels"', "'dels' is no canonical table")],
)  # fmt: skip
def test_a_history_that_can_say_nothing_is_refused(line, told):
    text = f"""name = "crm"
title = "A system"
[[tables.opportunities]]
file = "a.csv"
columns = {{ id = "Id" }}
[[history]]
file = "log.csv"
form = "changes"
entity_id = "Id"
changed_at = "At"
{line}
"""
    with pytest.raises(BadMapping) as error:
        read_mapping(text, "crm.toml")
    assert told in str(error.value)
