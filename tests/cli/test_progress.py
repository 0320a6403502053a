"""What is seen of a run while it goes on: a bar in a terminal, lines where they are asked for."""

import io
import json
import re

from rich.console import Console

from salesops.cli.progress import watched
from salesops.reports.events import Event, JobBegun, JobEnded, RunBegun
from tests.reports.runs import job, write_run


def events() -> tuple[Event, ...]:
    return (
        RunBegun(book="b", jobs=tuple((f"{r}.en", r, "company", "en") for r in ("funnel", "stall")),
                 workers=1),
        JobBegun(job="funnel.en", report="funnel", scope="company", lang="en"),
        JobEnded(job="funnel.en", report="funnel", scope="company", lang="en", state="failed",
                 seconds=1.0, cause="[bold]No stage[/] is known.\nTraceback"),
        JobBegun(job="stall.en", report="stall", scope="company", lang="en"),
    )  # fmt: skip


def shown(folder, *, terminal: bool, as_json: bool = False) -> tuple[str, str]:
    out, err = (Console(file=io.StringIO(), force_terminal=terminal, width=120, soft_wrap=True)
                for _each in range(2))  # fmt: skip
    with watched(out, err, as_json=as_json, folder=str(folder)) as tell:
        for event in events():
            tell(event)
    return out.file.getvalue(), err.file.getvalue()


def test_a_terminal_sees_how_far_it_is_what_is_at_work_and_how_long_it_may_take(tmp_path):
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job(seconds=1.0), job("stall", seconds=600)])
    out, err = shown(tmp_path, terminal=True)
    assert out == ""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err)
    last = [line for line in re.split(r"[\r\n]+", plain) if line.strip()][-1]
    assert "1/2" in last
    assert "stall.en" in last
    assert "10 min left" in last
    # What failed is told at once, in one line, its words as they are.
    assert "Failed: funnel.en: [bold]No stage[/] is known." in plain
    assert "Traceback" not in plain


def test_without_a_terminal_there_is_no_bar(tmp_path):
    assert shown(tmp_path, terminal=False) == ("", "")


def test_lines_hold_one_object_each_whatever_the_terminal(tmp_path):
    out, err = shown(tmp_path, terminal=True, as_json=True)
    assert err == ""
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["event"] for one in told] == ["run_begun", "job_begun", "job_ended", "job_begun"]
    assert told[2]["cause"] == "[bold]No stage[/] is known.\nTraceback"


def test_a_reader_of_the_log_who_goes_away_stops_no_run(tmp_path):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    out = Console(file=Gone())
    with watched(out, Console(file=io.StringIO()), as_json=True, folder=str(tmp_path)) as tell:
        for event in events():
            tell(event)
