"""The dictionary and the rows behind a number, as the command line shows them."""

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from salesops.cli.metrics import explain_number, glossary, list_metrics
from salesops.cli.running import BadOption
from salesops.metrics.catalogue import CATALOGUE, FAMILIES
from salesops.metrics.metric import UnknownMetric
from salesops.wording import label, language
from tests.fixtures import TINY


def said(work, *arguments, **options) -> str:
    text = io.StringIO()
    work(*arguments, out=Console(file=text, highlight=False, soft_wrap=True), **options)
    return text.getvalue()


def listed(*names: str, lang: str = "en", **options) -> str:
    return said(list_metrics, names, lang, **options)


def explained(name: str, **options) -> str:
    chosen = {"book": str(TINY), "as_of": "latest", "scope": "company", "period": "2026Q1",
              "where": (), "lang": "en"}  # fmt: skip
    return said(explain_number, name, **(chosen | options))


def test_every_metric_is_listed_once_under_its_family_with_both_names():
    text = listed()
    lines = text.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == [
        family for family, metrics in FAMILIES.items() if metrics
    ]
    for name in CATALOGUE:
        names = []
        for lang in ("zh", "en"):
            with language(lang):
                names.append(label(f"metric.{name}"))
        assert lines.count(f"  {name}  {names[0]} · {names[1]}") == 1


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        ("en", ("Unit: share, more is better", "by closed_at", "From opportunities")),
        ("zh", ("单位：比例，越高越好", "归期看closed_at", "来源：opportunities")),
    ],
)
def test_an_entry_says_unit_direction_grain_date_tables_and_both_definitions(lang, parts):
    text = listed("win_rate", lang=lang)
    for part in (
        *parts,
        "zh: 本期赢单数",
        "en: Deals won in the period",
        "opportunities.closed_at",
    ):
        assert part in text


def test_of_a_book_it_says_what_can_be_computed_and_why_not_the_rest():
    text = listed(book=str(TINY))
    able, unable = text.split("Can't be computed:")
    assert "  win_rate  " in able
    assert "  nrr  Net revenue retention: contracts.account_id is missing." in unable
    assert sum(f"  {name}  " in text for name in CATALOGUE) == len(CATALOGUE)


def test_an_entry_in_a_book_says_by_what_its_rows_can_be_grouped():
    assert "Can be computed here." in listed("win_rate", book=str(TINY))
    assert "owner_id, team, region" in listed("win_rate", book=str(TINY))
    assert "Can't be computed here: contracts" in listed("nrr", book=str(TINY))


def test_an_unknown_metric_is_refused_before_anything_is_said():
    with pytest.raises(UnknownMetric, match="Nearest: win_rate"):
        listed("win_rate", "win_rat")


def test_an_unknown_form_is_refused():
    with pytest.raises(BadOption, match="text or md"):
        listed(form="docx")


def test_the_page_of_the_dictionary_has_every_metric_in_both_languages():
    page = glossary()
    for name in CATALOGUE:
        assert page.count(f"\n### `{name}` ") == 1
        for lang in ("zh", "en"):
            with language(lang):
                assert label(f"metric.{name}.definition") in page


def test_a_number_shows_as_many_rows_as_are_asked_for():
    few, none = explained("win_rate", rows="2"), explained("win_rate", rows="0")
    every = explained("win_rate", rows="all")
    assert ("d02" in few, "d03" in few) == (True, False)
    assert "d01" not in none
    assert all(deal in every for deal in ("d01", "d02", "d03", "d05"))


def test_the_rows_are_filtered_by_dates_and_numbers_as_they_are_shown():
    text = explained("win_rate", where=("closed_at=2026-03-05", "amount=40"))
    assert "d03" in text
    assert "d01" not in text
    assert "100%" in text


def test_a_column_with_the_name_of_an_option_can_be_filtered_too():
    assert "d02" in explained("win_rate", where=("id=d02",))


def test_the_rows_are_written_to_a_file_with_the_names_that_a_filter_takes(tmp_path):
    path = tmp_path / "rows.csv"
    text = explained("win_rate", csv=str(path), rows="0")
    assert f"4 rows: {path}" in text.replace("\n", "")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["d01", "d02", "d03", "d05"]
    assert [row["amount"] for row in rows] == ["100.0", "60.0", "40.0", "50.0"]


@pytest.mark.parametrize(
    ("options", "said_"),
    [
        ({"rows": "few"}, "all, or a number"),
        ({"where": ("team",)}, "COLUMN=VALUE"),
        ({"csv": "/no/such/folder/rows.csv"}, "folder that is there"),
    ],
)
def test_what_can_not_be_read_is_refused_with_what_can(options, said_):
    with pytest.raises(BadOption, match=said_):
        explained("win_rate", **options)


def test_the_page_in_the_documentation_is_the_dictionary_as_it_is_now():
    page = Path("docs/metrics.md").read_text(encoding="utf-8")
    assert page == glossary(), "write it anew: make glossary"
