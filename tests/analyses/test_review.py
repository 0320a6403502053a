"""The review: states, verdicts, forecasts, what comes back, and no false praise."""

import datetime as dt
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from salesops.analyses.review import review
from salesops.book.book import open_book
from salesops.book.runlog import said_findings
from salesops.metrics.catalogue import metric
from salesops.metrics.comeback import returned
from salesops.metrics.judgedactions import judged, listed
from salesops.metrics.saidforecasts import said_and_came
from salesops.model.finding import Finding
from salesops.wording import language
from tests.companies import book_of
from tests.fixtures import SAMPLE
from tests.signings import deals, table, won

T = pd.Timestamp


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Give the sample without the records that runs over it may have left."""
    folder = tmp_path_factory.mktemp("fresh") / "company"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("runs"))
    return open_book(folder)


@pytest.fixture(scope="module")
def result(fresh):
    return review(fresh)


def test_page_one_has_its_exhibits(result):
    assert list(result.exhibits) == ["effects", "states", "forecasts", "agenda"]
    assert [gap.what for gap in result.gaps] == ["what.returning"]


def test_with_five_teams_neither_the_real_change_nor_the_rebound_is_judged(result):
    at = result.effects.set_index("metric")
    assert at.loc["lead_opportunity_rate", "verdict"] == "not_enough"
    assert at.loc["win_rate", "verdict"] == "not_enough"
    assert "too_few_teams" in at.loc["lead_opportunity_rate", "reasons"]
    # The worst team rose by itself: the plain look praises what did nothing.
    assert at.loc["win_rate", "before_after"] > 0
    assert bool(at.loc["win_rate", "chosen_worst"])


def test_one_thing_done_in_two_teams_is_judged_once(sample_book):
    tried = judged(sample_book)
    assert [one.ids for one in tried] == [("M000001", "M000002"), ("M000003",)]
    assert tried[0].found.n_treated_teams == 2
    assert tried[0].since == dt.date(2025, 7, 11)


def test_before_it_was_done_nothing_is_judged(sample_book):
    then = sample_book.as_of("2025-07-05")
    assert set(listed(then)["state"]) == {"open"}
    assert judged(then) == ()
    # Due on the 15th and done on the 11th, so never late.
    assert set(listed(sample_book.as_of("2025-07-31"))["state"]) == {"done"}


def register(**columns):
    n = len(columns["id"])
    whole = {"kind": ["action"] * n, "created_at": [T("2026-01-05")] * n,
             "owner_id": ["u1"] * n} | columns  # fmt: skip
    return book_of({
        **deals(won(id="d1", amount=1.0, closed_at=T("2026-01-02")),
                won(id="d2", amount=1.0, closed_at=T("2026-06-30"))),
        **table("users", id=["u1"], name=["Li"], team=["North"]), **table("actions", **whole),
    })  # fmt: skip


def test_states_by_hand():
    book = register(
        id=["a", "b", "c", "d", "e"],
        due_on=[dt.date(2026, 2, 1), dt.date(2026, 2, 1), dt.date(2026, 2, 1),
                dt.date(2026, 12, 1), None],
        done_on=[dt.date(2026, 1, 20), None, None, None, None],
        status=["done", "open", "dropped", "open", "open"],
    )  # fmt: skip
    states = listed(book).set_index("id")["state"].to_dict()
    assert states == {"a": "done", "b": "late", "c": "dropped", "d": "open", "e": "open"}
    told = review(book)
    assert [finding.code for finding in told.findings] == ["review.late"]
    assert told.metrics["n_late"] == 1.0
    assert told.agenda["minutes"].sum() <= 30


def test_what_can_not_be_judged_says_why():
    book = register(
        id=["a", "b", "c"], due_on=[None] * 3, done_on=[dt.date(2026, 2, 1)] * 3,
        status=["done"] * 3, note=["one", "two", "three"], scope=["team:North", "team:North", None],
        metric=[None, "win_rate", "open_backlog"], expected_effect=[0.1, None, 3.0],
    )  # fmt: skip
    reasons = {one.note: one.reason for one in judged(book)}
    assert reasons == {"one": "no_metric", "two": "no_expectation", "three": "missing"}
    told = review(book)
    for lang in ("zh", "en"):
        with language(lang):
            assert told.exhibit("effects").html()


def test_forecasts_are_the_first_commits_by_plain_pandas(sample_book):
    rows = pd.read_csv(SAMPLE / "forecasts.csv", parse_dates=["entered_at"])
    rows = rows[(rows["category"] == "commit") & (rows["period"] == "2026-03")]
    first = rows.sort_values("entered_at").drop_duplicates("key")
    found = said_and_came(sample_book).set_index("month")
    assert found.loc["2026-03", "said"] == pytest.approx(first["amount"].sum())
    came = metric(sample_book, "bookings", period="2026-03")["bookings"].iloc[0]
    assert found.loc["2026-03", "came"] == came
    assert list(found.index) == [f"{m}" for m in pd.period_range("2025-12", "2026-05", freq="M")]


def test_forecast_errors_are_of_what_came(result):
    f = result.forecasts
    assert result.metrics["error"] == pytest.approx(
        np.abs(f["said"] - f["came"]).sum() / f["came"].sum()
    )
    assert result.metrics["bias"] == pytest.approx(f["said"].sum() / f["came"].sum() - 1)


def run_of(as_of: str, *findings: Finding, fingerprint: str = "x", lead: float = 0.5) -> dict:
    told = [{"id": f.id, "code": f.code, "subject": f.subject, "evidence": dict(f.evidence)}
            for f in findings]  # fmt: skip
    facts = {"report": "review", "scope": "company", "as_of": as_of, "findings": told,
             "fingerprint": fingerprint, "metrics": {"csat": 0.1},
             "lead": {"name": "lead.actions_done", "kind": "ratio", "value": lead}}  # fmt: skip
    return {"started": f"{as_of}T09:00:00", "jobs": [{"lang": "en", "result": facts}]}


LATE = Finding(code="review.late", severity="watch", owner_role="ops",
               evidence={"n": 1, "n_all": 4, "oldest": "2026-06-01"})  # fmt: skip
OTHER = Finding(code="review.late", severity="watch", owner_role="ops", subject="other",
                evidence={"n": 2, "n_all": 4, "oldest": "2026-05-01"})  # fmt: skip


@pytest.fixture
def company(fresh, result):
    """Give the same company, whose rows stay as they are, for records of its own."""
    runs = Path(fresh.store.where) / "runs"
    runs.mkdir()
    yield fresh
    shutil.rmtree(runs)


def write(book, *runs: dict) -> None:
    for number, run in enumerate(runs):
        text = json.dumps(run, ensure_ascii=False)
        place = Path(book.store.where) / "runs" / f"2026010{number}-000000.json"
        place.write_text(text, encoding="utf-8")


def test_a_finding_that_was_gone_and_is_back_is_told(company):
    write(company, run_of("2026-04-30", LATE), run_of("2026-05-31", OTHER),
          run_of("2026-06-15", LATE, OTHER))  # fmt: skip
    where = Path(company.store.where)
    (where / "runs" / "broken.json").write_text("{", encoding="utf-8")
    said = said_findings(str(where), dt.date(2026, 6, 20))
    found = returned(said)
    assert found["finding"].tolist() == [LATE.id]
    assert found["gone_on"].iloc[0] == T("2026-05-31")
    told = review(company)
    assert len(told.returning) == 1
    with language("en"):
        assert "1 of 4 actions" in told.exhibit("returning").html()


def test_runs_over_later_data_are_not_seen_in_the_past(company):
    write(company, run_of("2026-06-15", LATE))
    assert review(company.as_of("2026-05-31")).changed is None


def test_a_report_says_what_changed_since_the_run_before(company):
    write(company, run_of("2026-05-31", OTHER), run_of("2026-06-18", LATE, lead=0.25))
    told = review(company)
    line = told.changed
    assert line.as_of == dt.date(2026, 6, 18)
    assert [one["id"] for one in line.gone] == [LATE.id]
    assert line.lead[3] == 0.25
    assert len(line.moved) > 10
    for lang, words in (("en", "25% → 100%"), ("zh", "25%→100%")):
        with language(lang):
            page = told.headline().html()
            assert words in page
            assert "changed" in page


def test_a_second_run_over_the_same_data_compares_with_other_data(company):
    now = review(company).setting.fingerprint
    write(company, run_of("2026-06-20", LATE, fingerprint=now))
    assert review(company).changed is None


def test_books_in_one_folder_and_books_of_a_database_have_their_own_runs(tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    runs.mkdir()
    one = run_of("2026-04-30", LATE) | {"book": "elsewhere/one.duckdb"}
    other = run_of("2026-04-30", OTHER) | {"book": "elsewhere/other.duckdb"}
    url = run_of("2026-04-30", OTHER) | {"book": "postgres://…@db/sales"}
    for name, record in (("1", one), ("2", other), ("3", url)):
        (runs / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    (tmp_path / "one.duckdb").touch()
    until = dt.date(2026, 6, 20)
    assert said_findings(str(tmp_path / "one.duckdb"), until)["finding"].tolist() == [LATE.id]
    assert said_findings("postgres://me:pw@db/sales", until).empty
    monkeypatch.setenv("SALESOPS_RUNS", str(runs))
    assert said_findings("postgres://me:pw@db/sales", until)["run"].tolist() == ["3"]
