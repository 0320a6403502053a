"""What a run of reports shows while it goes on: a bar with the time left, or a line per event."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from salesops.reports.events import Event, Events, JobEnded, RunBegun, RunEnded, now, to_line

# Older runs say little about how fast reports are made today.
_LOOK_BACK = 5
_MOST_NAMES = 3


@contextmanager
def watched(out: Console, err: Console, *, as_json: bool, folder: str) -> Iterator[Events]:
    """Give a listener for a run: lines of JSON where asked for, in a terminal a bar, else nothing.

    Parameters
    ----------
    out, err
        Lines go to the one, the bar to the other.
    as_json
        One JSON object per event.
    folder
        Of the reports; its last runs tell how long each takes.
    """
    if as_json:
        yield _lines(out)
        return
    if not err.is_terminal:
        yield lambda _event: None
        return
    with _bar(err, Path(folder)) as tell:
        yield tell


def tell_line(out: Console, event: Event) -> None:
    """Write one event as a line of JSON."""
    out.file.write(to_line(event) + "\n")
    out.file.flush()


def _lines(out: Console) -> Events:
    closed = False

    def tell(event: Event) -> None:
        nonlocal closed
        if closed:
            return
        try:
            tell_line(out, event)
        except (OSError, ValueError):
            # Who reads the log went away; the reports are made all the same.
            closed = True

    return tell


class _LeftColumn(ProgressColumn):
    """The time left; asked for once a second."""

    max_refresh = 1.0

    def __init__(self, left: object) -> None:
        super().__init__()
        self._left = left

    def render(self, task: Task) -> Text:
        from salesops.reports.timeleft import TimeLeft, in_words

        assert isinstance(self._left, TimeLeft)
        if task.finished or task.total is None:
            return Text("")
        return Text(in_words(self._left.seconds(now())), style="progress.remaining")


@contextmanager
def _bar(err: Console, folder: Path) -> Iterator[Events]:
    # Read here, so that who runs without a terminal does not wait for it.
    from salesops.reports.pastruns import read_runs
    from salesops.reports.timeleft import TimeLeft, past_seconds

    left = TimeLeft(past_seconds(read_runs(folder)[0][-_LOOK_BACK:]))
    columns = (
        BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), _LeftColumn(left),
        TextColumn("{task.description}", markup=False),
    )  # fmt: skip
    with Progress(*columns, console=err) as bar:
        task = bar.add_task("Starting", total=None)
        ended = 0

        def tell(event: Event) -> None:
            nonlocal ended
            left.tell(event)
            if isinstance(event, RunBegun):
                bar.update(task, total=len(event.jobs))
            elif isinstance(event, JobEnded):
                ended += 1
                if event.state == "failed":
                    bar.console.print(f"Failed: {event.job}: {first_line(event.cause)}",
                                      markup=False)  # fmt: skip
            done = isinstance(event, RunEnded)
            words = "Done" if done else at_work(left.running)
            bar.update(task, completed=ended, description=words)

        yield tell


def at_work(names: Sequence[str]) -> str:
    """Name the jobs that are at work, the first few of them.

    Examples
    --------
    >>> at_work(["funnel.zh", "stall.zh"]), at_work(["a", "b", "c", "d", "e"]), at_work([])
    ('funnel.zh, stall.zh', 'a, b, c and 2 more', 'Starting')
    """
    if not names:
        return "Starting"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def first_line(text: str | None) -> str:
    """Give the first line of a text, shortened to what fits on a screen."""
    line = next(iter((text or "").strip().splitlines()), "")
    return line if len(line) <= 160 else line[:159] + "…"
