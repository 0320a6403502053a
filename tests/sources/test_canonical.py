"""Tables that are canonical already, month after month: what is known is what a log would tell."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import Book, open_book
from salesops.model.tables import TABLES, facts
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from salesops.sources.canonical import canonical_text
from salesops.sources.importing import import_path
from salesops.sources.mapping import read_mapping
from tests.cli.called import salesops
from tests.fixtures import TINY

OPTIONS = {"months": 6, "deals_per_month": 40, "seed": 4}
DATES = ("2026-03-31", "2026-04-30", "2026-05-31", "2026-06-20")


def monthly(folder: Path, **options) -> Path:
    """Write the exports of a generated company; the last four are imported."""
    write_sample(folder / "company", SampleOptions(**OPTIONS, **options, exports="monthly"))
    return folder / "company" / "exports"


def imported(exports: Path, into: Path, days: Sequence[str] = DATES) -> Book:
    """Import some months in their order."""
    for day in days:
        import_path(exports / day, source="canonical", into=into, yes=True)
    return open_book(into)


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Book:
    folder = tmp_path_factory.mktemp("log") / "company"
    return open_book(write_sample(folder, SampleOptions(**OPTIONS)))


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> Book:
    folder = tmp_path_factory.mktemp("months")
    return imported(monthly(folder), folder / "book")


def known(book: Book, date: str) -> pd.DataFrame:
    deals = book.as_of(date).opportunities.to_pandas()
    return deals.set_index("id").sort_index()


def test_the_mapping_has_every_table_and_column_that_there_is():
    mapping = read_mapping(canonical_text(), "canonical")
    assert set(mapping.tables) == set(TABLES)
    for name, (rows,) in mapping.tables.items():
        assert set(rows.columns) == set(facts(name)), name


@pytest.mark.parametrize("date", DATES)
def test_at_the_date_of_each_export_the_book_knows_what_a_log_tells(date, log, snapshots):
    told, seen = known(log, date), known(snapshots, date)
    assert len(seen) > 100
    assert list(seen.index) == list(told.index)
    for column in ("stage", "outcome", "owner_id"):
        assert seen[column].fillna("").tolist() == told[column].fillna("").tolist(), column
    assert seen["amount"].astype(float).tolist() == told["amount"].astype(float).tolist()
    assert seen["expected_close_on"].tolist() == told["expected_close_on"].tolist()


def test_between_two_exports_a_log_knows_more(log, snapshots):
    """What may differ: until the next export the state of the last one is all that is known."""
    told, seen = known(log, "2026-04-15"), known(snapshots, "2026-04-15")
    before = known(snapshots, "2026-03-31")
    assert set(seen.index) == set(before.index) < set(told.index)
    assert seen["stage"].tolist() == before.loc[seen.index, "stage"].tolist()
    assert (told.loc[seen.index, "stage"] != seen["stage"]).any()
    # Since when a deal is in its stage lies between two dates, so it is no known time.
    assert not seen.loc[seen["outcome"] == "open", "since_known"].any()
    assert told.loc[told["outcome"] == "open", "since_known"].any()


def test_the_stages_that_the_company_has_come_with_its_export(snapshots, log):
    assert snapshots.settings == log.settings
    assert snapshots.tracked["opportunities"]["stage"].how == "snapshot"


def test_monthly_exports_of_a_clean_company_raise_no_finding(tmp_path):
    book = imported(monthly(tmp_path, clean=True), tmp_path / "book", DATES[1:])
    for date in ("2026-06-20", "2026-04-30"):
        assert funnel(book.as_of(date)).findings == ()


@pytest.mark.parametrize("form", ["csv", "parquet", "parts"])
def test_the_folder_of_a_book_can_be_imported_with_its_history(form, tmp_path):
    export = Path(shutil.copytree(TINY, tmp_path / "export"))
    whole = open_book(TINY)
    if form != "csv":
        for path in export.glob("*.csv"):
            place = export / path.stem / "part-0.parquet"
            place = place if form == "parts" else export / f"{path.stem}.parquet"
            place.parent.mkdir(exist_ok=True)
            table = whole.store.tables[path.stem]
            table.select(*sorted(whole.store.present[path.stem])).to_parquet(str(place))
            path.unlink()
    report = import_path(export, source="canonical", into=tmp_path / "book")
    book = open_book(tmp_path / "book")
    assert report.absent == ()
    assert book.tracked["opportunities"]["stage"] == whole.tracked["opportunities"]["stage"]
    for date in ("2026-01-31", "2026-02-28", "2026-03-31"):
        shown = ["stage", "outcome", "owner_id", "amount", "stage_entered_at", "closed_at"]
        pd.testing.assert_frame_equal(known(book, date)[shown], known(whole, date)[shown])


def test_canonical_tables_are_recognised_by_their_names(tmp_path):
    export = shutil.copytree(TINY, tmp_path / "export")
    assert import_path(export, into=tmp_path / "book").source == "canonical"


def test_a_deal_of_a_later_log_is_known_since_it_was_created(tmp_path):
    """A log tells what became of it before the export that first shows it."""
    for number, (deals, changes) in enumerate(
        (("d1,needs,2026-01-05 02:00:00", "d1,stage,acquisition,needs,2026-01-10 02:00:00"),
         ("d1,needs,2026-01-05 02:00:00\nd2,needs,2026-02-03 02:00:00",
          "d1,stage,acquisition,needs,2026-01-10 02:00:00\n"
          "d2,stage,acquisition,needs,2026-02-20 02:00:00"))
    ):  # fmt: skip
        export = tmp_path / f"export{number}"
        export.mkdir()
        (export / "opportunities.csv").write_text(f"id,stage,created_at\n{deals}\n")
        head = "entity_id,field,old_value,new_value,changed_at,entity"
        rows = "".join(f"{line},opportunities\n" for line in changes.splitlines())
        (export / "changes.csv").write_text(f"{head}\n{rows}")
        (export / "tracked.csv").write_text(
            "entity,field,since,how\nopportunities,stage,2026-01-01 00:00:00,log\n"
        )
        import_path(export, source="canonical", into=tmp_path / "book",
                    exported_at=f"2026-0{number + 2}-28")  # fmt: skip
    stages = known(open_book(tmp_path / "book"), "2026-02-10")["stage"]
    assert stages.to_dict() == {"d1": "needs", "d2": "acquisition"}


def test_the_sample_command_says_how_its_exports_become_a_book(tmp_path):
    made = salesops("sample", "co", "--exports", "monthly", "--months", "3",
                    "--deals-per-month", "20", cwd=tmp_path)  # fmt: skip
    assert made.returncode == 0, made.stderr
    told = [line for line in made.stdout.splitlines() if "salesops import" in line]
    assert len(told) == 2
    for line in told:
        words = line.split()
        command = words[words.index("salesops") + 1 :]
        done = salesops(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert open_book(tmp_path / "co-book").tracked["opportunities"]["stage"].how == "snapshot"
