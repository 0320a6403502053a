"""The time left, by hand: what jobs took before, how fast this run is, how many work at a time."""

import datetime as dt

from salesops.reports.events import JobBegun, JobEnded, RunBegun
from salesops.reports.pastruns import PastRun, read_runs
from salesops.reports.timeleft import TimeLeft, past_seconds
from tests.reports.runs import FAILURE, job, write_run

T0 = dt.datetime(2026, 6, 21, 6, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    return T0 + dt.timedelta(seconds=seconds)


def begun(*reports: str, workers: int = 1) -> RunBegun:
    return RunBegun(book="b", jobs=tuple((f"{r}.zh", r, "company", "zh") for r in reports),
                    workers=workers, at=T0)  # fmt: skip


def starts(report: str, when: float) -> JobBegun:
    return JobBegun(job=f"{report}.zh", report=report, scope="company", lang="zh", at=at(when))


def ends(report: str, seconds: float, state: str = "made") -> JobEnded:
    return JobEnded(job=f"{report}.zh", report=report, scope="company", lang="zh", state=state,
                    seconds=seconds)  # fmt: skip


def left(past: dict[str, float], when: float, *events: object) -> float | None:
    found = TimeLeft({(report, "company", "zh"): seconds for report, seconds in past.items()})
    for event in events:
        found.tell(event)
    return found.seconds(at(when))


def test_before_anything_ended_it_is_what_the_jobs_took_before():
    past = {"funnel": 10.0, "stall": 30.0, "churn": 20.0}
    assert left(past, 0, begun(*past)) == 10 + 30 + 20
    assert left(past, 0, begun(*past, workers=2)) == (10 + 30 + 20) / 2


def test_it_is_never_less_than_what_the_longest_job_needs():
    assert left({"funnel": 2.0, "stall": 30.0}, 0, begun("funnel", "stall", workers=4)) == 30


def test_a_job_at_work_counts_with_what_is_left_of_it():
    past = {"funnel": 10.0, "stall": 30.0}
    told = begun("funnel", "stall"), starts("funnel", 0)
    assert left(past, 4, *told) == (10 - 4) + 30
    assert left(past, 25, *told) == 0 + 30


def test_a_run_that_is_slower_than_the_last_one_stays_so():
    past = {"funnel": 10.0, "stall": 30.0}
    assert left(past, 20, begun("funnel", "stall"), starts("funnel", 0), ends("funnel", 20)) == 60


def test_kept_results_let_the_rest_be_expected_as_quick():
    past = {"funnel": 10.0, "stall": 30.0}
    assert left(past, 0, begun("funnel", "stall"), ends("funnel", 0, "kept")) == 0


def test_a_report_of_which_nothing_is_known_takes_as_long_as_the_others():
    assert left({"funnel": 10.0, "churn": 20.0}, 0, begun("funnel", "new")) == 10 + (10 + 20) / 2
    assert left({}, 0, begun("funnel", "stall")) is None
    assert left({}, 9, begun("funnel", "stall"), starts("funnel", 0), ends("funnel", 9)) == 9


def test_past_seconds_are_those_of_the_last_time_that_it_was_made(tmp_path):
    for day, seconds, state in ((1, 5.0, "made"), (2, 7.0, "made"), (3, 0.1, "kept")):
        write_run(tmp_path, f"2026-06-0{day}T22:00:00+00:00", [
            job(seconds=seconds, state=state), job("stall", failure=FAILURE)])  # fmt: skip
    runs, _unread = read_runs(tmp_path)
    assert all(isinstance(run, PastRun) for run in runs)
    assert past_seconds(runs) == {("funnel", "company", "en"): 7.0}
