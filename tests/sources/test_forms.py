"""Every form in which CRMs keep their data, on files small enough to read in the test."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.sources.importing import import_path
from salesops.sources.mapping import BadMapping, UnknownSource
from salesops.sources.questions import Unanswered
from salesops.sources.readers import UnreadableFile
from salesops.sources.successive import OlderExport

DEALS = """[[tables.opportunities]]
file = "deals.csv"

[tables.opportunities.columns]
id = "Id"
stage = "Stage"
created_at = "Created"
amount = "Amount"
owner_id = "Owner"
"""
HEAD = "name = 'own'\ntitle = 'Own'\n"


def imported(folder: Path, files: dict[str, str], mapping: str, **options) -> Book:
    export = folder / "export"
    export.mkdir(exist_ok=True)
    for name, text in files.items():
        (export / name).write_text(text, encoding="utf-8")
    (folder / "own.toml").write_text(HEAD + mapping, encoding="utf-8")
    import_path(export, source=str(folder / "own.toml"), into=folder / "book", **options)
    return open_book(folder / "book")


def deal(book: Book, name: str = "d1") -> pd.Series:
    return book.opportunities.to_pandas().set_index("id").loc[name]


CSV = "Id,Stage,Created,Amount,Owner\nd1,needs,2026-01-05 10:00,100,u1\n"


def test_local_times_become_utc(tmp_path):
    assert deal(imported(tmp_path, {"deals.csv": CSV}, DEALS))["created_at"] == pd.Timestamp(
        "2026-01-05 02:00"
    )


@pytest.mark.parametrize(
    ("unit", "text", "amount"),
    [("wan", "12.5", 125_000), ("k", "3", 3_000), ("cents", "12345", 123.45),
     ("micros", "2500000", 2.5), ("one", "1,234.50", 1_234.5), ("one", "￥１２．５", 12.5),
     ("one", "(20)", -20)],
)  # fmt: skip
def test_amounts_in_their_units(tmp_path, unit, text, amount):
    mapping = DEALS.replace('"Amount"', f'{{ column = "Amount", unit = "{unit}" }}')
    files = {"deals.csv": CSV.replace(",100,", f',"{text}",')}
    assert float(deal(imported(tmp_path, files, mapping))["amount"]) == pytest.approx(amount)


@pytest.mark.parametrize(
    "text", ["2026-3-5", "2026/03/05", "2026.3.5", "2026年3月5日", "2026-03-05T00:00:00"]
)
def test_dates_as_people_write_them(tmp_path, text):
    files = {"deals.csv": CSV.replace("2026-01-05 10:00", text)}
    created = deal(imported(tmp_path, files, DEALS))["created_at"]
    assert created == pd.Timestamp("2026-03-04 16:00")


@pytest.mark.parametrize(
    "text", ["2026-01-05T02:00:00Z", "2026-01-05T10:00:00+08:00", "2026-01-04 21:00:00-0500"]
)
def test_a_time_that_names_its_zone_is_that_instant(tmp_path, text):
    files = {"deals.csv": CSV.replace("2026-01-05 10:00", text)}
    created = deal(imported(tmp_path, files, DEALS))["created_at"]
    assert created == pd.Timestamp("2026-01-05 02:00")


@pytest.mark.parametrize(("text", "won"), [("Yes", "won"), ("否", "lost"), ("", "open")])
def test_yes_and_no_in_their_words(tmp_path, text, won):
    mapping = DEALS.replace('stage = "Stage"\n', 'is_won = "Stage"\nclosed_at = "Created"\n')
    found = deal(imported(tmp_path, {"deals.csv": CSV.replace("needs", text)}, mapping))
    assert found["outcome"] == won


def test_large_amounts_are_exact_to_the_cent(tmp_path):
    files = {"deals.csv": CSV.replace(",100,", ",9007199254740993.01,")}
    assert str(deal(imported(tmp_path, files, DEALS))["amount"]) == "9007199254740993.01"


def test_a_column_that_the_mapping_names_and_the_file_lacks_is_told(tmp_path):
    export = tmp_path / "export"
    export.mkdir()
    (export / "deals.csv").write_text(CSV.replace("Stage", "Phase"), encoding="utf-8")
    (tmp_path / "own.toml").write_text(HEAD + DEALS, encoding="utf-8")
    report = import_path(export, source=str(tmp_path / "own.toml"), into=tmp_path / "book")
    assert report.absent == (("deals.csv", "Stage", "opportunities.stage"),)
    assert any("no column Stage" in line for line in report.lines())


def test_a_declared_encoding_is_kept_to(tmp_path):
    export = tmp_path / "export"
    export.mkdir()
    (export / "deals.csv").write_bytes(CSV.replace("u1", "Zoë").encode("latin-1"))
    (tmp_path / "own.toml").write_text(HEAD + "encoding = 'utf-8'\n" + DEALS, encoding="utf-8")
    with pytest.raises(UnreadableFile, match="says that it is utf-8"):
        import_path(export, source=str(tmp_path / "own.toml"), into=tmp_path / "book")
    assert not (tmp_path / "book").exists()


def test_milliseconds_since_1970(tmp_path):
    mapping = DEALS.replace('"Created"', '{ column = "Created", epoch = "ms" }')
    at = pd.Timestamp("2026-01-05 02:00")
    files = {"deals.csv": CSV.replace("2026-01-05 10:00", str(int(at.timestamp() * 1000)))}
    assert deal(imported(tmp_path, files, mapping))["created_at"] == at


def test_a_part_of_a_nested_value(tmp_path):
    mapping = DEALS.replace('"Owner"', '{ column = "Owner", path = "0.id" }')
    nested = '"[{""id"": ""u7"", ""name"": ""Ann""}]"'
    files = {"deals.csv": CSV.replace(",u1\n", f",{nested}\n")}
    assert deal(imported(tmp_path, files, mapping))["owner_id"] == "u7"


def test_several_names_of_one_column_and_a_joined_one(tmp_path):
    mapping = DEALS.replace('"Owner"', '{ column = ["Rep", "Owner"] }')
    mapping += 'name = { template = "{Id}/{Stage} in row {row}" }\n'
    found = deal(imported(tmp_path, {"deals.csv": CSV}, mapping))
    assert (found["owner_id"], found["name"]) == ("u1", "d1/needs in row 2")


LOG = "Deal,Field,Old,New,At\nd1,stage,acquisition,needs,2026-01-10 10:00\n"
CHANGES = """
[[history]]
file = "log.csv"
form = "changes"
entity_id = "Deal"
changed_at = "At"
field = "Field"
old_value = "Old"
new_value = "New"
"""


def test_a_log_of_changes(tmp_path):
    book = imported(tmp_path, {"deals.csv": CSV, "log.csv": LOG}, DEALS + CHANGES)
    assert deal(book.as_of("2026-01-10"))["stage"] == "needs"
    assert book.is_tracked("opportunities", "stage")
    assert book.tracked["opportunities"]["stage"].how == "log"


STATES = "Deal,Stage,At\nd1,acquisition,2026-01-05 10:00\nd1,needs,2026-01-12 10:00\n"


def test_states_from_their_time_on(tmp_path):
    history = """
[[history]]
file = "states.csv"
form = "states"
entity_id = "Deal"
changed_at = "At"
fields = { stage = "Stage" }
"""
    book = imported(tmp_path, {"deals.csv": CSV, "states.csv": STATES}, DEALS + history)
    log = book.changes.to_pandas()
    assert log[["old_value", "new_value"]].values.tolist() == [["acquisition", "needs"]]
    assert deal(book.as_of("2026-01-12"))["stage"] == "needs"


def test_states_that_are_written_when_they_end(tmp_path):
    history = """
[[history]]
file = "left.csv"
form = "leaving"
entity_id = "Deal"
changed_at = "At"
fields = { stage = "Stage" }
"""
    left = "Deal,Stage,At\nd1,acquisition,2026-01-08 10:00\nd1,needs,2026-01-20 10:00\n"
    files = {"deals.csv": CSV.replace("needs", "needs"), "left.csv": left}
    book = imported(tmp_path, files, DEALS + history)
    log = book.changes.to_pandas()
    assert log["old_value"].tolist() == ["acquisition"]
    assert log["new_value"].tolist() == ["needs"]
    assert log["changed_at"].tolist() == [pd.Timestamp("2026-01-08 02:00")]


NEXT = CSV.replace("needs", "negotiation").replace(",100,", ",120,")


def test_a_later_export_becomes_history(tmp_path):
    imported(tmp_path, {"deals.csv": CSV}, DEALS, exported_at="2026-02-01")
    book = imported(tmp_path, {"deals.csv": NEXT}, DEALS, exported_at="2026-03-01")
    before, after = deal(book.as_of("2026-02-15")), deal(book)
    assert (before["stage"], float(before["amount"])) == ("needs", 100)
    assert (after["stage"], float(after["amount"])) == ("negotiation", 120)
    log = book.changes.to_pandas().set_index("field")
    assert log.loc["stage", "changed_after"] == pd.Timestamp("2026-02-01 15:59:59.999999")
    assert log.loc["stage", "changed_at"] == pd.Timestamp("2026-03-01 15:59:59.999999")
    assert book.tracked["opportunities"]["stage"].how == "snapshot"


def test_the_same_export_again_changes_nothing(tmp_path):
    first = imported(tmp_path, {"deals.csv": CSV}, DEALS, exported_at="2026-02-01")
    again = imported(tmp_path, {"deals.csv": CSV}, DEALS, exported_at="2026-02-01")
    assert first.fingerprint() == again.fingerprint()
    assert again.n("changes") == 0


def test_a_row_that_is_gone_is_void_and_one_that_comes_back_is_open(tmp_path):
    two = CSV + "d2,needs,2026-01-06 10:00,50,u1\n"
    imported(tmp_path, {"deals.csv": two}, DEALS, exported_at="2026-02-01")
    gone = imported(tmp_path, {"deals.csv": CSV}, DEALS, exported_at="2026-03-01")
    assert deal(gone, "d2")["outcome"] == "void"
    assert deal(gone.as_of("2026-02-15"), "d2")["outcome"] == "open"
    back = imported(tmp_path, {"deals.csv": two}, DEALS, exported_at="2026-04-01")
    assert deal(back, "d2")["outcome"] == "open"
    assert deal(back.as_of("2026-03-15"), "d2")["outcome"] == "void"


def test_an_older_export_is_refused_and_the_book_stays(tmp_path):
    imported(tmp_path, {"deals.csv": NEXT}, DEALS, exported_at="2026-03-01")
    before = open_book(tmp_path / "book").fingerprint()
    with pytest.raises(OlderExport) as error:
        imported(tmp_path, {"deals.csv": CSV}, DEALS, exported_at="2026-02-01")
    assert "--exported-at" in str(error.value)
    assert open_book(tmp_path / "book").fingerprint() == before


def test_settings_that_somebody_edited_stay(tmp_path):
    imported(tmp_path, {"deals.csv": CSV}, DEALS, exported_at="2026-02-01")
    own = tmp_path / "book" / "salesops.toml"
    edited = own.read_text(encoding="utf-8").replace("My company", "Edited")
    own.write_text(edited, encoding="utf-8")
    book = imported(tmp_path, {"deals.csv": NEXT}, DEALS, exported_at="2026-03-01")
    assert book.settings.company.name == "Edited"
    assert own.read_text(encoding="utf-8") == edited


def test_the_mapping_that_was_used_lies_in_the_book(tmp_path):
    imported(tmp_path, {"deals.csv": CSV}, DEALS)
    kept = (tmp_path / "book" / "mapping.toml").read_text(encoding="utf-8")
    assert kept == HEAD + DEALS


def test_monthly_exports_of_a_clean_company_raise_no_finding(tmp_path):
    from salesops.analyses.funnel import funnel
    from salesops.sample.options import SampleOptions
    from salesops.sample.write import write_sample

    options = SampleOptions(months=6, deals_per_month=60, clean=True, exports="monthly")
    write_sample(tmp_path / "company", options)
    mapping = _plain_mapping()
    for export in sorted((tmp_path / "company" / "exports").iterdir())[-3:]:
        import_path(export, source=_written(tmp_path, mapping), into=tmp_path / "book",
                    exported_at=export.name)  # fmt: skip
    book = open_book(tmp_path / "book")
    assert book.date == dt.date(2026, 6, 20)
    assert book.tracked["opportunities"]["stage"].how == "snapshot"
    assert funnel(book).findings == ()
    assert funnel(book.as_of("2026-04-30")).findings == ()


def _written(folder: Path, text: str) -> str:
    (folder / "plain.toml").write_text(text, encoding="utf-8")
    (folder / "plain.settings.toml").write_text(
        Path("data/sample/salesops.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    return str(folder / "plain.toml")


def _plain_mapping() -> str:
    columns = {
        "opportunities": ("id", "account_id", "owner_id", "name", "type", "stage", "amount",
                          "created_at", "expected_close_on", "closed_at", "is_won", "source"),
        "users": ("id", "name", "team", "region", "role", "hired_on", "left_on"),
    }  # fmt: skip
    text = "name = 'plain'\ntitle = 'Plain'\nzone = 'UTC'\nsettings = 'plain.settings.toml'\n"
    for table, names in columns.items():
        text += f'\n[[tables.{table}]]\nfile = "{table}.csv"\n[tables.{table}.columns]\n'
        text += "".join(f'{name} = "{name}"\n' for name in names)
    return text


def test_an_unknown_source_is_refused_with_those_there_are(tmp_path):
    (tmp_path / "deals.csv").write_text(CSV)
    with pytest.raises(UnknownSource) as error:
        import_path(tmp_path, source="mavn", into=tmp_path / "book")
    assert "maven" in str(error.value)


def test_an_export_of_no_known_system_is_asked_about(tmp_path):
    (tmp_path / "deals.csv").write_text(CSV)
    with pytest.raises(Unanswered, match="In which currency"):
        import_path(tmp_path / "deals.csv", into=tmp_path / "book")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [('unit = "acres"', "unit"), ('colour = "red"', "colour"), ("epoch = 3", "epoch")],
)
def test_a_mapping_with_a_fault_names_it(tmp_path, wrong, told):
    mapping = DEALS.replace('"Amount"', f'{{ column = "Amount", {wrong} }}')
    with pytest.raises(BadMapping) as error:
        imported(tmp_path, {"deals.csv": CSV}, mapping)
    assert told in str(error.value)
