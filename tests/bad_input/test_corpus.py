"""Broken input: one clear message, exit code 2, nothing half-written; odd input: read and told.

A *fault* makes a table unusable and stops the import: a file that can't be read, a missing column,
an id that stands twice, an unknown stage, a text where a number or a date must be, a date that can
be read in two ways. An *oddity* is what companies' data really do: it is kept, counted and told.
"""

import hashlib
import io
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import open_book
from salesops.cli.main import main
from tests.fixtures import TINY

HEAD = "Id,Account,Owner,Stage,Amount,Created,Closed"
ROWS = (
    "d1,a1,u1,needs,100,2026-01-05,",
    "d2,a1,u1,contract,200,2026-01-06,2026-02-01",
    "d3,a2,u1,lost,50,2026-01-07,2026-02-03",
)
GOOD = "\n".join([HEAD, *ROWS]) + "\n"
MAPPING = """name = "own"
title = "Own export"

[[tables.opportunities]]
file = "deals.csv"
[tables.opportunities.columns]
id = "Id"
account_id = "Account"
owner_id = "Owner"
stage = "Stage"
amount = "Amount"
created_at = "Created"
closed_at = "Closed"

[[tables.accounts]]
file = "accounts.csv"
optional = true
[tables.accounts.columns]
id = "Id"
name = "Name"
"""
ACCOUNTS = "Id,Name\na1,One\na2,Two\n"


def with_row(row: str) -> bytes:
    return (GOOD + row + "\n").encode()


FAULTS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty file": (b"", ("deals.csv", "it is empty")),
    "only blanks": (b"\n \n", ("deals.csv", "it is empty")),
    "mandatory column missing": (GOOD.replace("Id,", "Number,").encode(), ("Id", "deals.csv")),
    "text in a number column": (
        with_row("d4,a1,u1,needs,a lot,2026-01-09,"),
        ("deals.csv row 5", "Amount", "a lot", "is no number"),
    ),
    "an endless number": (
        with_row("d4,a1,u1,needs,inf,2026-01-09,"),
        ("deals.csv row 5", "Amount", "inf", "is no number"),
    ),
    "a number beyond all money": (
        with_row("d4,a1,u1,needs,1e30,2026-01-09,"),
        ("deals.csv row 5", "Amount", "1e30", "is no number"),
    ),
    "duplicate ids": (
        with_row("d1,a1,u1,needs,10,2026-01-09,"),
        ("deals.csv row 5", "d1", "stands there twice"),
    ),
    "empty id": (with_row(",a1,u1,needs,10,2026-01-09,"), ("deals.csv row 5", "is empty")),
    "unknown stage": (
        with_row("d4,a1,u1,negotation,10,2026-01-09,"),
        ("deals.csv row 5", "negotation", "is no stage", "negotiation"),
    ),
    "ambiguous date": (
        with_row("d4,a1,u1,needs,10,03/04/2026,"),
        ("deals.csv row 5", "03/04/2026", "day or month first"),
    ),
    "no date": (
        with_row("d4,a1,u1,needs,10,soon,"),
        ("deals.csv row 5", "soon", "is no date"),
    ),
    "a day that there is not": (
        with_row("d4,a1,u1,needs,10,2026-02-30,"),
        ("deals.csv row 5", "2026-02-30", "is no date"),
    ),
    "a row with too many values": (
        with_row("d4,a1,u1,needs,10,2026-01-09,,extra"),
        ("deals.csv", "row 5", "another number of values"),
    ),
    "the same column twice": (
        GOOD.replace("Owner", "Stage", 1).encode(),
        ("deals.csv", "'Stage'", "twice"),
    ),
    "binary": (b"\x00\x01\x02\xff\xfe" * 40, ("deals.csv", "can't be read")),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", ("deals.csv", ".xlsx")),
    "says UTF-16 and is not": (b"\xff\xfeabc", ("deals.csv", "utf-16")),
}

ODD: dict[str, tuple[bytes, str]] = {
    "header only": ((HEAD + "\n").encode(), ""),
    "one row": ("\n".join([HEAD, ROWS[0]]).encode(), ""),
    "one stage": ("\n".join([HEAD, *[r.replace("d1", f"d{i}") for i, r in
                  enumerate([ROWS[0]] * 5)]]).encode(), ""),
    "all open": ("\n".join([HEAD, ROWS[0], ROWS[0].replace("d1", "d9")]).encode(), ""),
    "all lost": ("\n".join([HEAD, ROWS[2], ROWS[2].replace("d3", "d9")]).encode(), ""),
    "GB18030": (with_row("d4,客户甲,张伟,needs,10,2026-01-09,").decode().encode("gb18030"),
                "something that is not in the export"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), ""),
    "UTF-16": (GOOD.encode("utf-16"), ""),
    "semicolons": (GOOD.replace(",", ";").encode(), ""),
    "latin-1": (GOOD.replace("u1", "Müller Zoë").encode("latin-1"), ""),
    "no stage": (with_row("d4,a1,u1,,10,2026-01-09,"), "has no stage"),
    "closed before created": (
        with_row("d4,a1,u1,lost,10,2026-03-01,2026-02-01"), "was closed before it was created"),
    "negative amount": (with_row("d4,a1,u1,needs,-10,2026-01-09,"), "negative amount"),
    "orphans": (with_row("d4,nobody,u1,needs,10,2026-01-09,"),
                "something that is not in the export"),
    "no date of creation": (with_row("d4,a1,u1,needs,10,,"), "no date of creation"),
}  # fmt: skip


def salesops(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, as its entry point does."""
    told, errors, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(told), redirect_stderr(errors):
        try:
            main(list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(list(arguments), code, told.getvalue(), errors.getvalue())


def export(folder: Path, deals: bytes, accounts: str = ACCOUNTS) -> list[str]:
    place = folder / "export"
    place.mkdir(exist_ok=True)
    (place / "deals.csv").write_bytes(deals)
    (place / "accounts.csv").write_text(accounts, encoding="utf-8")
    (folder / "own.toml").write_text(MAPPING, encoding="utf-8")
    return ["import", str(place), "--source", str(folder / "own.toml"), "--into",
            str(folder / "book")]  # fmt: skip


def everything(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(done: subprocess.CompletedProcess[str], *told: str) -> None:
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Expected:") + done.stderr.count("Known") >= 1, done.stderr
    plain = " ".join(done.stderr.split())
    for part in told:
        assert part in plain, (part, done.stderr)


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_with_its_place_and_nothing_is_written(case, tmp_path):
    deals, told = FAULTS[case]
    arguments = export(tmp_path, deals)
    before = everything(tmp_path)
    refused(salesops(*arguments), *told)
    assert everything(tmp_path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["export", "own.toml"]


def test_a_fault_in_a_later_export_leaves_the_book_as_it_was(tmp_path):
    assert salesops(*export(tmp_path, GOOD.encode())).returncode == 0
    before = everything(tmp_path / "book")
    arguments = export(tmp_path, FAULTS["unknown stage"][0])
    refused(salesops(*arguments), "negotation")
    assert everything(tmp_path / "book") == before


def test_many_faults_are_told_at_once_ten_of_them_and_their_number(tmp_path):
    rows = "\n".join(f"e{i},a1,u1,needs,much,2026-01-09," for i in range(25))
    done = salesops(*export(tmp_path, with_row(rows)))
    refused(done, "25 faults", "and 15 more")
    assert done.stderr.count("is no number") == 10


@pytest.mark.parametrize("case", ODD)
def test_odd_input_is_read_and_told_and_reported_without_an_exception(case, tmp_path):
    deals, told = ODD[case]
    done = salesops(*export(tmp_path, deals))
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    book = open_book(tmp_path / "book")
    result = funnel(book)
    assert result.findings == ()
    assert result.gaps
    if case == "GB18030":
        assert "客户甲" in set(book.opportunities.account_id.to_pandas())
    if case == "latin-1":
        assert "Müller Zoë" in set(book.opportunities.owner_id.to_pandas())
    if case in ("byte order mark", "UTF-16", "semicolons"):
        assert book.n("opportunities") == 3
        assert result.metrics["won_amount"] == 200
    before = everything(tmp_path)
    checked = salesops("check", str(tmp_path / "book"))
    assert checked.returncode == 0, checked.stderr
    assert everything(tmp_path) == before


def test_a_table_without_rows_is_a_table_without_rows(tmp_path):
    done = salesops(*export(tmp_path, GOOD.encode(), accounts="Id,Name\n"))
    assert done.returncode == 0, done.stderr
    assert open_book(tmp_path / "book").n("accounts") == 0


def test_a_canonical_table_with_a_head_alone_is_read(tmp_path):
    files = CANONICAL | {"targets.csv": "period,level,key,metric,amount,set_at\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    book = open_book(tmp_path)
    assert book.n("targets") == 0
    assert book.n("opportunities") == 1


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path):
    arguments = export(tmp_path, GOOD.encode())
    before = everything(tmp_path)
    done = salesops(*arguments, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "opportunities: 3 rows" in done.stdout
    assert everything(tmp_path) == before


CANONICAL = {
    "opportunities.csv": "id,owner_id,stage,amount,created_at\n"
    "d1,u1,needs,100.00,2026-01-05 02:00:00\n"
}
BROKEN_BOOKS: dict[str, tuple[dict[str, str | bytes], tuple[str, ...]]] = {
    "ids that stand twice": (
        {"opportunities.csv": CANONICAL["opportunities.csv"] + "d1,u1,needs,1,2026-01-06\n"},
        ("opportunities", "d1", "2 times", "one row per id"),
    ),
    "ids of people that stand twice": (
        CANONICAL | {"users.csv": "id,name\nu1,One\nu2,Two\nu1,Three\n"},
        ("users", "u1", "2 times"),
    ),
    "a row with too many values": (
        {"opportunities.csv": CANONICAL["opportunities.csv"] + "d2,,u1,needs,1,2026-01-06\n"},
        ("opportunities.csv", "Line: 3", "d2,,u1"),
    ),
    "a row with too few values": (
        CANONICAL | {"users.csv": "id,name,team\nu1,One,North\nu2,Two\n"},
        ("users.csv", "Line: 3", "u2,Two"),
    ),
    "an empty file": ({"opportunities.csv": ""}, ("opportunities.csv", "it is empty")),
    "another encoding": (
        CANONICAL | {"users.csv": "id,name\nu1,张伟\n".encode("gb18030")},
        ("users.csv", "UTF-8", "salesops import"),
    ),
    "another encoding of the head": (
        {"opportunities.csv": "id,备注\nd1,x\n".encode("gb18030")},
        ("opportunities.csv", "not in UTF-8"),
    ),
    "a broken Parquet file": (
        {"opportunities.parquet": b"PAR1 and no more"},
        ("opportunities.parquet", "magic bytes"),
    ),
    "no opportunities": ({"accounts.csv": "id,name\na1,One\n"}, ("opportunities",)),
    "mandatory column missing": (
        {"opportunities.csv": "number,stage\nd1,needs\n"},
        ("opportunities", "'id'"),
    ),
    "text in a number column": (
        {"opportunities.csv": CANONICAL["opportunities.csv"].replace("100.00", "a lot")},
        ("opportunities", "amount", "a lot"),
    ),
    "unknown stage": (
        {"opportunities.csv": CANONICAL["opportunities.csv"].replace("needs", "negotation")},
        ("negotation", "negotiation"),
    ),
    "settings that are no TOML": (
        CANONICAL | {"salesops.toml": "[company\nname = 1"},
        ("salesops.toml",),
    ),
    "settings with a misspelt key": (
        CANONICAL | {"salesops.toml": '[company]\nname = "A"\n[norms]\nwin_rte = 0.3\n'},
        ("salesops.toml", "norms.win_rte", "no such key; nearest: win_rate"),
    ),
    "settings with a misspelt key of a stage": (
        CANONICAL
        | {
            "salesops.toml": '[company]\nname = "A"\n[[stages]]\nid = "n"\nkidn = "open"'
            '\nname = { zh = "需", en = "Needs" }\n'
        },
        ("salesops.toml", "stages.0.kidn", "nearest: kind"),
    ),
    "settings with a misspelt section": (
        CANONICAL | {"salesops.toml": '[compny]\nname = "A"\n'},
        ("salesops.toml", "compny", "nearest: company"),
    ),
    "settings with an unknown kind": (
        CANONICAL | {"salesops.toml": '[[stages]]\nid = "needs"\nkind = "half"\n'},
        ("salesops.toml", "kind"),
    ),
}


@pytest.mark.parametrize("case", BROKEN_BOOKS)
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_broken_book_is_refused_with_its_fault_and_no_report_is_begun(case, command, tmp_path):
    files, told = BROKEN_BOOKS[case]
    book = tmp_path / "book"
    book.mkdir()
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (book / name).write_bytes(data)
    before = everything(tmp_path)
    run = ["run", "funnel", "--book", str(book), "--out", str(tmp_path / "out")]
    refused(salesops(*(run if command == "run" else ["check", str(book)])), *told)
    assert everything(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_a_broken_database_file_is_refused(tmp_path):
    (tmp_path / "book.duckdb").write_bytes(b"this is no database" * 400)
    refused(salesops("check", str(tmp_path / "book.duckdb")), "book.duckdb", "not a valid DuckDB")


@pytest.mark.parametrize(
    ("into", "told"),
    [("export/deals.csv", "it is a file"), ("export", "the export itself lies there")],
)
def test_a_book_takes_no_place_of_anything_else(into, told, tmp_path):
    arguments = export(tmp_path, GOOD.encode())
    arguments[-1] = str(tmp_path / into)
    before = everything(tmp_path)
    refused(salesops(*arguments), told, "--into")
    assert everything(tmp_path) == before


def test_reports_that_can_not_be_written_are_refused(tmp_path):
    for name, text in CANONICAL.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    before = everything(tmp_path)
    arguments = ["run", "funnel", "--book", str(tmp_path), "--out", str(tmp_path / "out")]
    refused(salesops(*arguments), "File exists", str(tmp_path / "out"), "--out")
    assert everything(tmp_path) == before


MAPPING_FAULTS = {
    "rows by a column that is not there": (
        ('file = "deals.csv"\n', 'file = "deals.csv"\nwhere = { column = "Kind" }\n'), "Kind"),
    "values by a column that is not there": (
        ('amount = "Amount"', 'amount = { column = "Amount", only_where = { column = "Kind" } }'),
        "Kind"),
    "a template of a column that is not there": (
        ('owner_id = "Owner"', 'owner_id = { template = "{Team}/{Owner}" }'), "Team"),
}  # fmt: skip


@pytest.mark.parametrize("case", MAPPING_FAULTS)
def test_a_mapping_that_counts_on_a_column_that_is_not_there_is_refused(case, tmp_path):
    change, column = MAPPING_FAULTS[case]
    arguments = export(tmp_path, GOOD.encode())
    (tmp_path / "own.toml").write_text(MAPPING.replace(*change, 1), encoding="utf-8")
    refused(salesops(*arguments), f"'{column}'", "deals.csv", "Amount")
    assert not (tmp_path / "book").exists()


def test_a_mapping_in_another_encoding_is_refused(tmp_path):
    arguments = export(tmp_path, GOOD.encode())
    (tmp_path / "own.toml").write_bytes(MAPPING.replace("Own export", "客户").encode("gb18030"))
    refused(salesops(*arguments), "own.toml", "not in UTF-8")


def test_half_a_workbook_is_refused(tmp_path):
    arguments = export(tmp_path, b"PK\x03\x04 and no more")
    refused(salesops(*arguments), "deals.csv", "no whole .xlsx workbook")


SCOPES = {
    "North": ("not written as side:value", "--scope team:North or --scope user:North"),
    "tema:North": ("no side 'tema'; nearest: team", "--scope team:North"),
    "team:": ("not written as side:value", "--scope team:华东/一组"),
    "team:Nroth": ("the company has no such team", "Nearest: North"),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_that_can_not_be_read_is_refused_with_one_that_can(scope, tmp_path):
    run = ["run", "funnel", "--book", str(TINY), "--out", str(tmp_path / "out")]
    done = salesops(*run, "--scope", scope)
    refused(done, f"Scope {scope!r}", *SCOPES[scope])
    assert "Nearest: ." not in done.stderr
    assert list(tmp_path.iterdir()) == []


SAMPLES = {
    ("--exports", "weekly"): ("none, monthly",),
    ("--preset", "huge"): ("small, default, large",),
    ("--months", "0"): ("a whole number from 3",),
    ("--months", "99999"): ("from 3 to 240",),
    ("--teams", "99999"): ("from 1 to 200",),
    ("--teams", "-1"): ("a whole number from 1",),
    ("--deals-per-month", "-5"): ("a whole number from 1",),
    ("--deals-per-month", "99999999"): ("to 100,000",),
    ("--seed", "-1"): ("a whole number from 0",),
    ("--problem", "P99=1"): ("P18",),
    ("--problem", "P4=x"): ("P4=2.0",),
    ("--problem", "P4=nan"): ("0 to 20",),
    ("--problem", "P4=-1"): ("0 to 20",),
    ("--problem", "=2"): ("P18",),
    ("--without", "P0"): ("P18",),
}


@pytest.mark.parametrize("option", SAMPLES, ids=" ".join)
def test_a_company_that_can_not_be_made_is_refused_before_it_is_begun(option, tmp_path):
    name, value = option
    done = salesops("sample", str(tmp_path / "company"), name, value)
    refused(
        done, name, value.partition("=")[0], "Expected:", "Write for example:", *SAMPLES[option]
    )
    assert list(tmp_path.iterdir()) == []
