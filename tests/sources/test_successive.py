"""One export after another: the same changes nothing, a newer one becomes history, none is lost."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from salesops.book.book import Book, open_book
from salesops.book.store import open_store
from salesops.book.write import read_tables, typed, write_store
from salesops.sources.importing import import_path
from salesops.sources.questions import Unanswered
from salesops.sources.successive import OlderExport
from salesops.sources.surprises import OtherRecords, UndatedExport
from tests.sources.companies import deals_rows, write_csv
from tests.sources.test_setaside import MAPPING

WON = ["d3", "a3", "u1", "contract", 3_300, "2026-01-04", "2026-02-20"]
MOVED = ["d4", "a4", "u2", "negotiation", 4_000, "2026-01-05", ""]


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.toml").write_text(MAPPING, encoding="utf-8")
    return {"source": str(tmp_path / "own.toml"), "into": tmp_path / "book"}


def export(tmp_path: Path, name: str, n: int = 40, **changed) -> Path:
    return write_csv(tmp_path / name / "deals.csv", deals_rows(n, **changed))


def everything(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}  # fmt: skip


def known(book: Book, day: str) -> dict[str, tuple[object, ...]]:
    """Give stage, amount, owner and outcome of each deal as it was known on a day."""
    found = book.as_of(day).opportunities.to_pandas().set_index("id").sort_index()
    columns = ["stage", "amount", "owner_id", "outcome"]
    return {key: tuple(None if pd.isna(v) else str(v) for v in row)
            for key, row in zip(found.index, found[columns].values, strict=True)}  # fmt: skip


def test_the_same_files_again_leave_the_book_as_it_is_to_the_byte(own, tmp_path):
    path = export(tmp_path, "jan", d3=WON)
    import_path(path, **own)
    before = everything(tmp_path / "book")
    report = import_path(path, **own)
    assert report.unchanged
    assert everything(tmp_path / "book") == before
    assert "was imported before" in report.lines()[-1]


def test_two_books_of_one_export_are_equal_to_the_byte(own, tmp_path):
    path = export(tmp_path, "jan", d3=WON)
    import_path(path, **own)
    import_path(path, source=own["source"], into=tmp_path / "other")
    assert everything(tmp_path / "book") == everything(tmp_path / "other")


def test_what_was_gone_before_stays_void_in_every_later_export(own, tmp_path):
    for name, day, n in (("a", "2026-02-28", 40), ("b", "2026-03-31", 38), ("c", "2026-04-30", 38)):
        import_path(export(tmp_path, name, n), **own, exported_at=day)
    book = open_book(tmp_path / "book")
    assert known(book, "latest")["d40"][3] == "void"
    assert known(book, "2026-03-15")["d40"][3] == "open"
    assert book.n("opportunities") == 40


def test_an_older_export_is_refused_and_told_where_it_would_belong(own, tmp_path):
    import_path(export(tmp_path, "mar", d3=WON), **own, exported_at="2026-03-31")
    before = everything(tmp_path / "book")
    with pytest.raises(OlderExport, match="--older"):
        import_path(export(tmp_path, "feb"), **own, exported_at="2026-02-28")
    assert everything(tmp_path / "book") == before


def three(folder: Path) -> dict[str, tuple[Path, str]]:
    """Write three exports, and give each with its day."""
    new = ["d41", "a1", "u1", "acquisition", 10, "2026-02-10", ""]
    return {
        "a": (export(folder, "a"), "2026-01-31"),
        "b": (write_csv(folder / "b" / "deals.csv", [*deals_rows(39, d4=MOVED), new]),
              "2026-02-28"),
        "c": (write_csv(folder / "c" / "deals.csv", [*deals_rows(38, d3=WON, d4=MOVED), new]),
              "2026-03-31"),
    }  # fmt: skip


BETWEEN = ("2026-01-31", "2026-02-15", "2026-02-28", "2026-03-15", "2026-03-31")


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    """Tell what is known of three exports that came in their order, by day, and what is tracked."""
    folder = tmp_path_factory.mktemp("in-order")
    (folder / "own.toml").write_text(MAPPING, encoding="utf-8")
    for path, day in three(folder).values():
        import_path(path, source=str(folder / "own.toml"), into=folder / "book", exported_at=day)
    book = open_book(folder / "book")
    return {day: known(book, day) for day in BETWEEN}, book.tracked


# Before one, between two, and before two; the last of all is where it belongs in order.
@pytest.mark.parametrize("order", [("c", "a", "b"), ("c", "b", "a")])
def test_exports_out_of_order_tell_the_history_that_they_tell_in_order(
    own, tmp_path, order, in_order
):
    exports = three(tmp_path)
    for name in order:
        import_path(exports[name][0], **own, exported_at=exports[name][1], older=True)
    found = open_book(tmp_path / "book")
    assert ({day: known(found, day) for day in BETWEEN}, found.tracked) == in_order


def test_an_export_that_differs_and_has_no_later_date_is_refused_until_it_gets_one(own, tmp_path):
    import_path(export(tmp_path, "a"), **own)
    later = export(tmp_path, "b", d4=MOVED)
    before = everything(tmp_path / "book")
    with pytest.raises(UndatedExport) as error:
        import_path(later, **own)
    assert "2 values" in str(error.value)
    assert "--exported-at 2026-02-" in str(error.value)
    assert everything(tmp_path / "book") == before
    import_path(later, **own, exported_at="2026-03-01")
    assert known(open_book(tmp_path / "book"), "2026-02-15")["d4"][0] == "needs"


def test_the_same_files_read_by_another_mapping_take_their_own_place(own, tmp_path):
    path = export(tmp_path, "a")
    import_path(path, **own)
    edited = MAPPING.replace('amount = "Amount"', 'amount = { column = "Amount", unit = "wan" }')
    (tmp_path / "own.toml").write_text(edited, encoding="utf-8")
    report = import_path(path, **own)
    assert not report.unchanged
    book = open_book(tmp_path / "book")
    assert known(book, "latest")["d1"][1] == "10000000.00"
    assert not book.has("changes") or book.n("changes") == 0


def test_an_export_of_which_most_deals_are_missing_is_asked_about(own, tmp_path):
    import_path(export(tmp_path, "a"), **own, exported_at="2026-02-28")
    open_ones = export(tmp_path, "b", 20)
    with pytest.raises(Unanswered) as error:
        import_path(open_ones, **own, exported_at="2026-03-31", yes=True)
    assert "20 of 40 deals are not in this export" in str(error.value)
    import_path(open_ones, **own, exported_at="2026-03-31", answers={"gone": "void"})
    assert known(open_book(tmp_path / "book"), "latest")["d40"][3] == "void"


def test_ids_that_name_other_deals_than_before_are_refused(own, tmp_path):
    import_path(export(tmp_path, "a"), **own, exported_at="2026-02-28")
    rows = deals_rows()
    shifted = [rows[0], *[[rows[i][0], *rows[i % 40 + 1][1:]] for i in range(1, 41)]]
    before = everything(tmp_path / "book")
    with pytest.raises(OtherRecords) as error:
        import_path(write_csv(tmp_path / "b" / "deals.csv", shifted), **own,
                    exported_at="2026-03-31")  # fmt: skip
    assert "40 of 40" in str(error.value)
    assert everything(tmp_path / "book") == before


def test_a_register_that_people_keep_stays_and_the_import_says_so(own, tmp_path):
    import_path(export(tmp_path, "a"), **own, exported_at="2026-02-28")
    register = tmp_path / "book" / "actions.csv"
    text = "id,kind,owner_id,created_at,status,note\nA1,snag,u1,2026-02-01,open,by hand\n"
    register.write_text(text, encoding="utf-8")
    report = import_path(export(tmp_path, "b", d4=MOVED), **own, exported_at="2026-03-31")
    assert register.read_text(encoding="utf-8") == text
    assert report.untouched == ("actions.csv",)
    assert any("actions.csv is kept by hand" in line for line in report.lines())


def test_targets_that_were_set_stay_and_the_import_says_so(own, tmp_path):
    import_path(export(tmp_path, "a"), **own, exported_at="2026-02-28")
    targets = pd.DataFrame([("2026-03", "user", "u1", "bookings", 500_00)],
                           columns=["period", "level", "key", "metric", "cents"])  # fmt: skip
    write_store(tmp_path / "book", {
        **read_tables(open_store(tmp_path / "book")),
        "targets": typed("targets", targets.assign(amount=5.0).drop(columns="cents")),
    })  # fmt: skip
    report = import_path(export(tmp_path, "b", d4=MOVED), **own, exported_at="2026-03-31")
    kept = read_tables(open_store(tmp_path / "book"))["targets"].to_pandas()
    assert [(row.key, float(row.amount)) for row in kept.itertuples()] == [("u1", 5.0)]
    assert "targets" in report.untouched
    assert any("targets that the book has stay" in line for line in report.lines())


def test_an_assumed_mapping_is_asked_about_and_the_report_says_so(own, tmp_path):
    text = MAPPING.replace('title = "Own"', 'title = "Own"\nverified = "assumed"')
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    path = export(tmp_path, "a")
    with pytest.raises(Unanswered) as error:
        import_path(path, **own, yes=True)
    assert "--answer assumed=yes" in str(error.value)
    report = import_path(path, **own, answers={"assumed": "yes"})
    assert any("were not checked" in line for line in report.lines())
    # Who agreed once is told again, and not asked.
    later = import_path(export(tmp_path, "b", d4=MOVED), into=tmp_path / "book",
                        exported_at="2026-03-31")  # fmt: skip
    assert any("were not checked" in line for line in later.lines())
