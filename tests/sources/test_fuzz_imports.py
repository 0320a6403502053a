"""Whatever a mapping says and a file holds, an import ends with a report or one clear error."""

import csv
import io
import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salesops.model.errors import SalesopsError
from salesops.sources.importing import import_path
from salesops.sources.mapping import (
    Condition,
    History,
    Instead,
    Mapping,
    Months,
    Rows,
    Source,
    Stages,
    StageTable,
    known_mappings,
    mapping_text,
    read_mapping,
)
from salesops.sources.mappingtext import mapping_toml
from salesops.sources.readers import UnreadableFile, read_sheet

SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEMPLATES = ("{row}", "{Id}-{row}", "{Nothing}", "{", "}{", "")
KINDS = ("open", "won", "lost", "void")
HEADS = ("Id", "Stage", "Amount", "Created", "Closed", "Owner", "Share %", "Parts", "2026-01",
         "2026-02", "2026-03", "Year")  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(["", "d1", "d2", "needs", "won", "2026-03-05", "05/03/2026", "3.5", "1,5",
                     "12万", "1767225600000", "1767225600", "是", "0.5", "[]", "{}", "5", "null",
                     '[{"x": 1, "Id": "p"}]', "[1]", "合计", "Total", "=1+1", "1e400", "NaN",
                     "-inf", "9" * 30, "0001-01-01", "9999-12-31 23:59:59"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.dates().map(str), st.integers(-10**6, 10**6).map(str),
)  # fmt: skip
NAMES = st.sampled_from([*HEADS, "Nothing", "@month", "@value", "Parts.x", "Parts.Id"])
TEXTS = st.sampled_from(["", "d1", "needs", "won", "1", "是", "x"])
CONDITIONS = st.builds(
    Condition, column=NAMES, is_in=st.lists(TEXTS, max_size=2).map(tuple),
    not_in=st.lists(TEXTS, max_size=2).map(tuple), begins=st.lists(TEXTS, max_size=1).map(tuple),
)  # fmt: skip
INSTEADS = st.lists(st.builds(Instead, where=CONDITIONS, value=TEXTS), max_size=2).map(tuple)
SOURCES = st.one_of(
    NAMES, NAMES,
    st.builds(
        Source, column=NAMES, path=st.none() | st.sampled_from(["0", "0.x", "x=1.Id", "..", ""]),
        dates=st.lists(st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "excel", "%Q", "%", "x%Y"]),
                       max_size=2).map(tuple),
        epoch=st.sampled_from(["", "", "s", "ms"]),
        unit=st.sampled_from([None, "one", "wan", "percent", "minus"]),
        decimal=st.sampled_from(["", ".", ","]), year=st.none() | st.just(2026),
        values=st.dictionaries(TEXTS, TEXTS, max_size=2), rest=TEXTS,
        null=st.lists(TEXTS, max_size=1).map(tuple), only_where=st.none() | CONDITIONS,
        otherwise=st.lists(NAMES, max_size=2).map(tuple), instead=INSTEADS,
        zone=st.sampled_from(["", "", "company", "Asia/Shanghai", "Mars/Base", "../etc", "\x00"]),
        prefix=TEXTS,
    ),
    st.builds(Source, template=st.sampled_from(TEMPLATES)),
    st.builds(Source, constant=CELLS),
)  # fmt: skip
ROWS = st.builds(
    Rows, file=st.sampled_from(["a.csv", "*.csv", "b.csv", "[", "a.json"]),
    sheet=st.none() | st.sampled_from(["S"]),
    title_rows=st.none() | st.integers(0, 3), head_rows=st.none() | st.integers(1, 2),
    keep=st.sampled_from([(), (2,)]), drop=st.sampled_from([(), (2,)]),
    alone=st.sampled_from(["", "keep", "drop"]),
    month_columns=st.sampled_from(["", "turn", "keep"]), year=st.none() | st.just(2026),
    fill_down=st.sampled_from([(), ("Owner",)]), optional=st.booleans(), distinct=st.booleans(),
    as_found=st.booleans(), where=st.none() | CONDITIONS,
    entries=st.sampled_from(["", "", "Parts", "Amount"]),
    months=st.none() | st.builds(Months, year=NAMES, columns=st.just({"2026-01": 1, "2026-02": 2})),
    deleted=st.none() | CONDITIONS, deleted_at=st.none() | SOURCES,
    columns=st.fixed_dictionaries(
        {"id": SOURCES},
        optional=dict.fromkeys(("stage", "amount", "created_at", "closed_at", "is_won", "owner_id",
                                "expected_close_on"), SOURCES),
    ),
)  # fmt: skip
HISTORIES = st.builds(
    History, file=st.sampled_from(["a.csv", "b.csv"]), optional=st.booleans(),
    entries=st.sampled_from(["", "Parts"]), where=st.lists(CONDITIONS, max_size=1).map(tuple),
    form=st.sampled_from(["changes", "values", "states", "leaving", "states or leaving"]),
    entity_id=SOURCES, changed_at=SOURCES, changed_by=st.none() | SOURCES,
    field=st.none() | SOURCES, old_value=st.none() | SOURCES, new_value=st.none() | SOURCES,
    days=NAMES, fields=st.dictionaries(st.sampled_from(["stage", "amount", "bad"]), SOURCES,
                                       max_size=2),
    makes_rows=st.booleans(),
)  # fmt: skip
STAGES = st.builds(
    Stages, kinds=st.dictionaries(TEXTS, st.sampled_from(KINDS), max_size=3),
    ends=st.booleans(),
    tables=st.lists(st.builds(
        StageTable, file=st.sampled_from(["a.csv", "b.csv"]), key=NAMES, name=NAMES, order=NAMES,
        group=NAMES, instead=INSTEADS, path=st.sampled_from(["", "0"]),
        entries=st.sampled_from(["", "Parts"]), won=st.lists(CONDITIONS, max_size=1).map(tuple),
        open=st.lists(CONDITIONS, max_size=1).map(tuple),
    ), max_size=1).map(tuple),
)  # fmt: skip
MAPPINGS = st.builds(
    Mapping, name=st.just("own"), title=TEXTS, verified=st.sampled_from(["", "assumed"]),
    zone=st.sampled_from(["", "Asia/Shanghai", "Mars/Base"]),
    encoding=st.sampled_from(["", "", "", "utf-8", "klingon", "utf-16", "base64"]),
    currency=st.sampled_from(["", "CNY", "xx"]), settings=st.sampled_from(["", "", "", "no.toml"]),
    stages=st.none() | STAGES, history=st.lists(HISTORIES, max_size=1).map(tuple),
    tables=st.dictionaries(st.sampled_from(["opportunities", "opportunities"]),
                           st.lists(ROWS, min_size=1, max_size=2).map(tuple), max_size=1),
)  # fmt: skip
TABLES = st.lists(st.lists(CELLS, min_size=len(HEADS), max_size=len(HEADS)), max_size=8)


def tried(mapping: str, files: dict[str, bytes], **options: object) -> None:
    """Import files; whatever is wrong is told by an error of one's own, and nothing is written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "export").mkdir()
        for file, data in files.items():
            (folder / "export" / file).write_bytes(data)
        (folder / "own.toml").write_text(mapping, encoding="utf-8")
        told = {"source": str(folder / "own.toml"), **options}
        try:
            report = import_path(folder / "export", into=folder / "book", yes=True,
                                 answers={}, **told)  # fmt: skip
        except SalesopsError as error:
            # What is wrong, what was expected, how to mend it.
            if len(str(error).splitlines()) < 2 or (folder / "book").exists():
                raise
            return
        for counts in report.counts.values():
            assert counts.read == (counts.kept + counts.set_aside + counts.left_out
                                   + counts.no_records)  # fmt: skip


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADS, *rows])
    return text.getvalue().encode("utf-8")


@SOME
@given(MAPPINGS, TABLES, TABLES)
def test_any_mapping_over_any_table(mapping, rows, others):
    tried(mapping_toml(mapping), {"a.csv": as_csv(rows), "b.csv": as_csv(others)})


@SOME
@given(TABLES)
def test_any_table_of_no_known_system(rows):
    tried("", {"a.csv": as_csv(rows)}, source=None)


@SOME
@given(st.sampled_from(sorted(set(known_mappings()) - {"canonical"})), st.integers(0, 10**9))
def test_a_mapping_with_letters_changed_is_read_or_refused(name, seed):
    text = list(mapping_text(name))
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 6)):
        text[dice.randrange(len(text))] = dice.choice('[]{}="#\n1a,.商\x00')
    try:
        read_mapping("".join(text), "own.toml")
    except SalesopsError as error:
        if "own.toml" not in str(error):
            raise


@SOME
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=4),
    max_leaves=25,
))  # fmt: skip
def test_any_json_is_a_table_or_told(value):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deals.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        try:
            read_sheet(path)
        except UnreadableFile as error:
            if "deals.json" not in str(error):
                raise


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 10_000 + "]" * 10_000])
def test_json_that_is_nested_without_end_is_told(tmp_path, text):
    path = tmp_path / "deals.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile):
        read_sheet(path)


def test_records_that_share_no_field_are_refused_before_they_fill_the_memory(tmp_path):
    path = tmp_path / "deals.json"
    path.write_text(json.dumps([{f"f{i * 100 + k}": 1 for k in range(100)} for i in range(1_000)]),
                    encoding="utf-8")  # fmt: skip
    with pytest.raises(UnreadableFile, match="100,000 fields"):
        read_sheet(path)


def test_a_parquet_file_that_grows_beyond_reason_is_refused_before_it_is_read(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "deals.parquet"
    column = pa.array([0] * 1_000_000, type=pa.int8())
    pq.write_table(pa.table({f"c{i}": column for i in range(200)}), path)
    assert path.stat().st_size < 2_000_000
    with pytest.raises(UnreadableFile, match="200,000,000 values"):
        read_sheet(path)
