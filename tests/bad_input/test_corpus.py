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

pytestmark = pytest.mark.usefixtures("laid_nowhere")
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

CANONICAL = {
    "opportunities.csv": "id,owner_id,stage,amount,created_at\n"
    "d1,u1,needs,100.00,2026-01-05 02:00:00\n"
}


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


# The same book once it is read: one of them is enough for every analysis.
SAME_ROWS = {"UTF-16", "semicolons"}


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
    if case in SAME_ROWS:
        return
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
