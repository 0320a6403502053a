"""Broken books, mappings, scopes and options: each is refused with its fault and its remedy."""

import pytest

from tests.bad_input.test_corpus import (
    CANONICAL,
    GOOD,
    MAPPING,
    everything,
    export,
    refused,
    salesops,
)
from tests.fixtures import TINY


def register(text: str, encoding: str = "utf-8") -> dict[str, str | bytes]:
    people = "id,name,team,left_on\nu1,张伟,North/1,\nu2,李娜,North/1,2026-01-31\n"
    return CANONICAL | {"users.csv": people, "actions.csv": text.encode(encoding)}


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
    "a register with an unknown kind": (
        register("id,kind\nM1,wish\n"),
        (
            "actions.csv has 1 fault",
            "line 2",
            "wish",
            "write action, snag, decision",
            "salesops actions BOOK check",
        ),
    ),
    "a register with an unknown status": (
        register("编号,状态\nM1,完成\nM2,快了\n", "gb18030"),
        ("line 3", "快了", "is no status"),
    ),
    "a register with an unknown owner": (
        register("id,owner\nM1,张玮\n", "utf-8-sig"),
        ("line 2", "张玮", "nearest: 张伟"),
    ),
    "a register with an owner who had left": (
        register("id,owner,created_at\nM1,李娜,2026-02-01\n"),
        ("u2", "left on 2026-01-31"),
    ),
    "a register with an unknown team": (
        register("id,scope\nM1,team:Nroth\n"),
        ("line 2", "no team Nroth", "North"),
    ),
    "a register with dates that could be two": (
        register("id;due\nM1;3/5/2026\n"),
        ("3/5/2026", "day or month first"),
    ),
    "a register due before it was made": (
        register("id,created,due\nM1,2026-03-05,2026-03-04\n"),
        ("2026-03-04", "before created_at"),
    ),
    "a register done in the future": (
        register("id,done_on\nM1,2199-01-01\n"),
        ("2199-01-01", "lies in the future"),
    ),
    "a register with an id twice": (
        register("id,note\nM1,a\nM1,b\n"),
        ("line 3", "M1", "stands in line 2 too"),
    ),
    "a register with an open quote": (
        register('id,note\nM1,"a\nM2,b\n'),
        ("actions.csv, line 2", "quotes do not fit"),
    ),
    "a register in another encoding": (
        register("id,note\nM1,Zoë Müller\n", "latin-1"),
        ("neither UTF-8 nor GB18030",),
    ),
    "a register that is a workbook": (
        CANONICAL | {"actions.csv": b"PK\x03\x04"},
        ("it is a workbook, not a CSV",),
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


def test_a_register_that_speaks_of_unknown_findings_and_metrics_is_refused_with_all_of_them(
    tmp_path,
):
    rows = "".join(f"M{n},service.sloow,winrate\n" for n in range(6))
    for name, content in register(f"编号,发现代码,指标\n{rows}").items():
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
    before = everything(tmp_path)
    # A book without a catalogue of findings still opens; who keeps the register is told.
    done = salesops("actions", str(tmp_path), "check")
    refused(done, "12 faults", "is no finding; nearest: service.slow", "is no metric", "win_rate",
            "and 2 more", "nothing was changed")  # fmt: skip
    assert everything(tmp_path) == before
