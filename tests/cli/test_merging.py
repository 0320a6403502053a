"""Duplicates on the command line: listed, filled in, applied, undone; and what can't be applied."""

import shutil

import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.book.merges import BadMerge, merge_file, read_merges, resolved
from salesops.cli.main import main
from salesops.metrics.catalogue import metric
from salesops.metrics.duplicates import duplicate_accounts, merge_list
from tests.fixtures import SAMPLE


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    book = shutil.copytree(SAMPLE, tmp_path_factory.mktemp("merge") / "book")
    file = book.parent / "merges.csv"
    with pytest.raises(SystemExit) as ended:
        main(["duplicates", str(book), "--out", str(file)])
    assert ended.value.code == 0
    return book, pd.read_csv(file, dtype=str, encoding="utf-8-sig")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return int(ended.value.code or 0)


def filled(listed, tmp_path, marks, **changes) -> tuple:
    rows = listed[1].head(len(marks)).assign(merge=marks, **changes)
    rows.to_csv(tmp_path / "list.csv", index=False)
    return listed[0], tmp_path / "list.csv"


def test_the_list_names_the_planted_duplicates(listed, sample_book):
    pairs = pd.read_csv(SAMPLE / "truth" / "pairs.csv")
    real = set(pairs.loc[pairs["duplicate"], "other"])
    named = set(listed[1]["account_id"])
    assert len(named & real) / len(named) > 0.98
    assert len(named & real) / len(real) > 0.95
    assert listed[1]["merge"].isna().all()
    assert set(duplicate_accounts(sample_book)["other"]) == named
    # The record that was entered first stands for the other.
    born = pd.read_parquet(SAMPLE / "accounts.parquet").set_index("id")["created_at"]
    rows = merge_list(sample_book)
    assert (born[rows["into_id"]].to_numpy() <= born[rows["account_id"]].to_numpy()).all()


def everything(book: Book) -> dict[str, pd.DataFrame]:
    return {name: book.table(name).to_pandas() for name in ("accounts", "opportunities", "leads",
                                                            "activities", "changes")}  # fmt: skip


def test_what_is_marked_is_merged_and_undone_without_a_trace(listed, tmp_path, capsys):
    book, file = filled(listed, tmp_path, ["yes", "no", "是", None])
    before = {path.name: path.read_bytes() for path in book.iterdir() if path.is_file()}
    whole = open_book(book)
    assert run("merge", book, file, "--dry-run") == 0
    assert open_book(book).n("accounts") == whole.n("accounts")
    assert run("merge", book, file) == 0
    merged = open_book(book)
    rows = listed[1].iloc[[0, 2]]
    assert merged.n("accounts") == whole.n("accounts") - 2
    for name, frame in everything(merged).items():
        text = frame.to_csv()
        for gone in rows["account_id"]:
            assert gone not in text, (name, gone)
    old, new = everything(whole), everything(merged)
    mapping = dict(zip(rows["account_id"], rows["into_id"], strict=True))
    wanted = old["opportunities"].set_index("id")["account_id"].replace(mapping)
    assert new["opportunities"].set_index("id")["account_id"].to_dict() == wanted.to_dict()
    assert merged.fingerprint() != whole.fingerprint()
    for name in ("bookings", "win_rate", "open_backlog"):
        one, other = (metric(b, name, period="2026Q1")[name].iloc[0] for b in (whole, merged))
        assert one == other or name == "open_backlog"
    assert run("merge", book, "--undo") == 0
    assert {p.name: p.read_bytes() for p in book.iterdir() if p.is_file()} == before
    assert open_book(book).fingerprint() == whole.fingerprint()
    capsys.readouterr()


def test_past_and_teams_show_merged_accounts_too(listed, tmp_path, capsys):
    book, file = filled(listed, tmp_path, ["yes"] * 20)
    assert run("merge", book, file) == 0
    try:
        gone = set(listed[1]["account_id"].head(20))
        past = open_book(book).as_of("2025-06-30").scope(team="华东")
        for name, frame in everything(past).items():
            text = frame.to_csv()
            assert not [one for one in gone if one in text], name
    finally:
        run("merge", book, "--undo")
    capsys.readouterr()


@pytest.mark.parametrize(
    ("marks", "changes", "said"),
    [
        (["maybe"], {}, "row 2 has 'maybe'"),
        (["yes"], {"into_id": "A999999"}, "no customer A999999"),
        (["yes"], {"into_id": None}, "row 2 does not name two customers"),
        ([None, "no"], {}, "no row is marked"),
        (["yes", "yes"], {"account_id": ["A000001", "A000001"]}, "given up for two"),
        (["yes", "yes"], {"account_id": ["A000001", "A000002"],
                          "into_id": ["A000002", "A000001"]}, "back to itself"),
    ],
)  # fmt: skip
def test_a_list_that_can_not_be_applied_is_refused_whole(
    listed, tmp_path, capsys, marks, changes, said
):
    book, file = filled(listed, tmp_path, marks, **changes)
    assert run("merge", book, file) == 2
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert not merge_file(book).exists()


@pytest.mark.parametrize("name", ["none.csv", "broken.xlsx", "empty.csv", "other.csv"])
def test_what_is_no_list_is_refused_with_what_to_do(listed, tmp_path, capsys, name):
    (tmp_path / "broken.xlsx").write_bytes(b"no workbook")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert run("merge", listed[0], tmp_path / name) == 2
    assert "salesops duplicates" in capsys.readouterr().err
    assert run("merge", "postgresql://ann:x@nowhere/sales", tmp_path / name) == 2


def test_chains_end_at_the_account_that_stays_and_circles_are_refused(tmp_path):
    assert resolved({"c": "b", "b": "a"}, "x") == {"c": "a", "b": "a"}
    with pytest.raises(BadMerge, match="c → b → c"):
        resolved({"c": "b", "b": "c"}, "x")
    (tmp_path / "merges.csv").write_text("one,two\na,b\n")
    with pytest.raises(BadMerge, match="account_id"):
        read_merges(tmp_path / "merges.csv")
