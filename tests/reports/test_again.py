"""A run takes what an earlier one made of the same, and makes the rest: whatever ended it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import salesops.reports.jobs as jobs
from salesops.model.settings import default_text
from salesops.reports.kept import Kept
from salesops.reports.kernels import Limits
from salesops.reports.keys import Stand, parts
from salesops.reports.reasons import Reasons
from salesops.reports.run import run_reports
from tests.fixtures import TINY

# Notebooks that write down that they ran, and make no analysis: a kernel is all that they take.
CELLS = """
book: str = "x"
as_of: str = "latest"
scope: str = "company"
lang: str = "zh"
period: str = "latest"
mark: str = ""
"""


def notebook(folder: Path, name: str, *cells: str) -> None:
    import nbformat

    made = [nbformat.v4.new_code_cell(CELLS, id="parameters", metadata={"tags": ["parameters"]})]
    made += [nbformat.v4.new_code_cell(c, id=f"cell-{n}") for n, c in enumerate(cells)]
    nb = nbformat.v4.new_notebook(cells=made)
    nb.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    (folder / f"{name}.ipynb").write_text(nbformat.writes(nb), encoding="utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch, forked_kernels):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    ran = tmp_path / "ran"
    ran.mkdir()
    for name in ("one", "two"):
        notebook(
            folder,
            name,
            f"import os, time\nopen(r'{ran}/{name}-' + lang + str(time.time_ns()), 'w').close()",
        )
    monkeypatch.setattr(jobs, "notebooks_folder", lambda: folder)
    shutil.copytree(TINY, tmp_path / "book")
    return tmp_path


def run(place, *names: str, **options):
    return run_reports(names or ["one", "two"], book=str(place / "book"), out=place / "out",
                       **({"langs": ["en"]} | options))  # fmt: skip


def ran(place) -> list[str]:
    found = sorted(p.name.split("-")[0] for p in (place / "ran").iterdir())
    for path in (place / "ran").iterdir():
        path.unlink()
    return found


def test_nothing_changed_nothing_is_made_anew(place):
    first = run(place)
    assert ran(place) == ["one", "two"]
    second = run(place)
    assert ran(place) == []
    assert [d.state for d in first.done] == ["made", "made"]
    assert [d.state for d in second.done] == ["kept", "kept"]
    for name in ("one.en.html", "two.en.ipynb"):
        assert (second.folder / name).read_bytes() == (first.folder / name).read_bytes()
    run(place, force=True)
    assert ran(place) == ["one", "two"]


def test_a_second_run_leaves_the_first_and_moves_latest(place):
    first, second = run(place), run(place)
    assert first.folder.exists()
    assert second.index == place / "out" / "latest" / "index.html"
    latest = second.index.parent
    for name in ("index.html", "run.json"):
        assert (latest / name).read_bytes() == (second.folder / name).read_bytes()
    assert (latest / "run.json").read_bytes() != (first.folder / "run.json").read_bytes()


def test_a_killed_run_leaves_no_page_behind(place, monkeypatch):
    import salesops.reports.run as running

    def stop(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "_record", stop)
    with pytest.raises(KeyboardInterrupt):
        run(place)
    # What it finished is kept for the next run, out of sight.
    assert [path.name for path in (place / "out").iterdir()] == [".kept"]


def test_what_changed_is_made_anew_and_only_that(place):
    run(place)
    ran(place)
    run(place, parameters={"mark": "other"})
    assert ran(place) == ["one", "two"]
    notebook(place / "notebooks", "two", "open(r'%s/two-x', 'w').close()" % (place / "ran"))
    run(place)
    assert ran(place) == ["two"]
    settings = place / "book" / "salesops.toml"
    text = default_text()
    settings.write_text(text.replace('name = "', 'name = "Another ', 1), encoding="utf-8")
    run(place)
    assert ran(place) == ["one", "two"]


def reasons(place, *, scope: str = "company", formats=("html",), **dates) -> list[str]:
    given = {"as_of": "latest", "period": "latest", **dates, "book": str(place / "book")}
    planned = jobs.plan_jobs(["one", "two"], scopes=[scope], langs=["en"], given=given)
    return list(Reasons(place / "out")(planned, formats))


def test_why_a_job_would_be_made_is_what_a_run_looks_for(place):
    assert reasons(place) == ["new", "new"]
    run(place)
    assert reasons(place) == ["kept", "kept"]
    assert reasons(place, scope="team:North") == ["new", "new"]
    assert reasons(place, formats=("html", "pdf")) == ["formats"] * 2
    assert reasons(place, period="2026-02") == ["period"] * 2
    assert reasons(place, as_of="2028-01-01") == ["the book does not reach that date yet"] * 2
    notebook(place / "notebooks", "two", "2")
    assert reasons(place) == ["kept", "notebook"]
    deals = place / "book" / "opportunities.csv"
    rows = deals.read_text(encoding="utf-8").splitlines()
    deals.write_text("\n".join(rows[:-1]) + "\n", encoding="utf-8")
    assert reasons(place) == ["data", "notebook, data"]


def test_what_is_made_while_the_book_changes_is_shown_and_not_kept(place):
    writes = f"open(r'{place}/book/contacts.csv', 'a').write(chr(10))"
    notebook(place / "notebooks", "one", writes)
    assert [d.state for d in run(place, "one").done] == ["made"]
    assert (place / "out" / "latest" / "one.en.html").exists()
    notebook(place / "notebooks", "one", "1")
    shutil.rmtree(place / "book")
    shutil.copytree(TINY, place / "book")
    assert [d.state for d in run(place, "one").done] == ["made"]
    assert [d.state for d in run(place, "one").done] == ["kept"]


def test_no_password_of_a_database_is_kept(place):
    told = parts(
        jobs.plan_jobs(["one"], scopes=["company"], langs=["en"],
                       given={"book": "postgresql://ann:s3cret@host/sales"})[0],
        Stand(as_of="2026-03-31", period="2026-03", data="x", settings="y"), links=(), formats=(),
    )  # fmt: skip
    assert "s3cret" not in json.dumps(told)
    assert told["parameters"]["book"] == "postgresql://…@host/sales"


def test_a_token_that_was_given_as_a_parameter_is_in_no_file(place, monkeypatch):
    token = "tok-5521-93af-77"
    monkeypatch.setenv("CRM_TOKEN", token)
    for _time in range(2):  # made, then kept
        done = run(place, "one", parameters={"mark": token})
        assert done.done[0].failure is None
    files = [path for path in (place / "out").rglob("*") if path.is_file()]
    assert any(path.name == "run.json" for path in files)
    assert [path for path in files if token.encode() in path.read_bytes()] == []
    assert reasons(place, mark=token) == ["kept", "new"]


def test_rows_that_came_later_leave_the_reports_of_an_earlier_date_as_they_were(place):
    run(place, as_of="2026-02-28")
    ran(place)
    deals = place / "book" / "opportunities.csv"
    text = deals.read_text(encoding="utf-8")
    head, row = text.splitlines()[0].split(","), text.splitlines()[1].split(",")
    late = dict(zip(head, row, strict=True)) | {"id": "late", "created_at": "2026-04-02 02:00:00",
                                                "closed_at": ""}  # fmt: skip
    late["stage"] = "needs"
    deals.write_text(text + ",".join(late[c] for c in head) + "\n", encoding="utf-8")
    run(place, as_of="2026-02-28")
    assert ran(place) == []
    run(place)
    assert ran(place) == ["one", "two"]


def test_a_kept_report_that_was_damaged_is_made_anew(place):
    done = run(place).done
    ran(place)
    (page,) = (place / "out" / ".kept" / done[0].key).glob("*.html")
    page.unlink()
    page.write_text("half", encoding="utf-8")
    second = run(place)
    assert ran(place) == ["one"]
    assert (second.folder / "one.en.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_a_report_that_failed_is_shown_and_made_anew(place):
    notebook(place / "notebooks", "two", "1 / 0")
    first = run(place)
    assert [d.state for d in first.done] == ["made", "failed"]
    assert "division by zero" in (first.folder / "two.en.html").read_text(encoding="utf-8")
    assert [d.state for d in run(place).done] == ["kept", "failed"]


@pytest.mark.parametrize(
    ("cell", "name", "seconds"),
    [("while True: pass", "TimeLimit", 10), ("import os; os._exit(7)", "DeadKernel", 120),
     ("b = [bytearray(2**28) for _ in range(40)]", "MemoryError", 120),
     ("print('x' * 100_000_000)", None, 120)],
)  # fmt: skip
def test_whatever_a_cell_does_the_others_finish(place, cell, name, seconds, monkeypatch):
    import salesops.reports.making as making

    monkeypatch.setattr(making, "PAUSES", ())
    notebook(place / "notebooks", "two", cell)
    done = run(place, limits=Limits(seconds=seconds, megabytes=4000)).done
    assert done[0].state == "made"
    if name is None:
        assert done[1].state == "made"
        assert (place / "out" / "latest" / "two.en.ipynb").stat().st_size < 1_000_000
        return
    assert (done[1].state, done[1].failure["name"]) == ("failed", name)
    assert done[1].failure["cell"] == "cell-0"
    assert done[1].failure["cause"]


KILLED = """
import sys
import salesops.reports.jobs as jobs
from pathlib import Path
from salesops.reports.keys import Stand, parts
from salesops.reports.reasons import Reasons
from salesops.reports.run import run_reports
place = Path(sys.argv[1])
jobs.notebooks_folder = lambda: place / "notebooks"
run_reports(["one", "two"], book=str(place / "book"), out=place / "out", langs=["en"], workers=1)
"""


def test_a_run_that_is_killed_goes_on_where_it_stopped(place):
    notebook(place / "notebooks", "two", f"open(r'{place}/begun', 'w').close()",
             "import time; time.sleep(600)")  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(place)])
    until = time.monotonic() + 120
    while not (place / "begun").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not [p for p in (place / "out").iterdir() if p.name[0] != "."]
    ran(place)
    notebook(place / "notebooks", "two", "2")
    assert [d.state for d in run(place).done] == ["kept", "made"]
    assert ran(place) == []


def test_two_runs_at_once_on_one_folder_do_no_harm(place):
    outcomes: list = []
    threads = [threading.Thread(target=lambda: outcomes.append(run(place))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({o.folder for o in outcomes}) == 2
    for outcome in outcomes:
        assert {d.state for d in outcome.done} <= {"made", "kept"}
        for done in outcome.done:
            assert (
                (outcome.folder / done.page)
                .read_text(encoding="utf-8")
                .rstrip()
                .endswith("</html>")
            )
    kept = Kept(place / "out")
    assert all(kept.find(d.key) is not None for o in outcomes for d in o.done)
    assert json.loads((place / "out" / "latest" / "run.json").read_text(encoding="utf-8"))["jobs"]
    assert os.listdir(place / "out" / "latest")


def browser_that(place, what: str, monkeypatch) -> None:
    """Let Chromium be a script that does something else."""
    own = place / "bin"
    own.mkdir()
    (own / "chromium").write_text(f"#!/bin/sh\n{what}\n", encoding="utf-8")
    (own / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", f"{own}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(os.name != "posix", reason="a script of a shell")
def test_a_page_that_can_not_be_printed_fails_alone_and_is_made_anew(place, monkeypatch):
    browser_that(place, "echo No room for me >&2; exit 1", monkeypatch)
    done = run(place, "one", formats=["html", "pdf"]).done[0]
    assert (done.state, done.failure["name"]) == ("failed", "BrowserFailed")
    assert "one.en.html could not be printed: Chromium ended" in done.failure["cause"]
    page = place / "out" / "latest" / "one.en.html"
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [d.state for d in run(place, "one").done] == ["made"]


@pytest.mark.browser
def test_a_browser_that_was_killed_is_started_once_more(place, monkeypatch):
    real = shutil.which("chromium") or shutil.which("google-chrome")
    once = f'mkdir {place}/once 2>/dev/null && kill -9 $$; exec {real} "$@"'
    browser_that(place, once, monkeypatch)
    done = run(place, "one", formats=["html", "pdf"]).done[0]
    assert (done.state, done.failure) == ("made", None)
    assert (place / "once").is_dir()
    assert b"%%EOF" in (place / "out" / "latest" / "one.en.pdf").read_bytes()[-64:]
