"""Reports made by the workers of a Dask cluster: the same pages, and nothing left behind."""

import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import salesops.reports.cluster as joining
import salesops.reports.jobs as jobs
from salesops.book.runlog import ELSEWHERE, elsewhere
from salesops.reports.cluster import DaskMissing, NoCluster, UnfitWorkers
from salesops.reports.clusterwork import Fitness, _laid, fitness
from salesops.reports.events import JobBegun, JobEnded, RunBegun
from salesops.reports.run import run_reports
from tests.fixtures import TINY
from tests.reports.test_again import notebook

THEIRS, OURS = "of-the-workers-1", "of-who-runs-it-2"
# It says on the page what must not be there, and beside it who it is.
TELLING = """
import os
print("token", os.environ["CRM_TOKEN"], mark)
parent = open(f"/proc/{{os.getppid()}}/cmdline").read()
told = [os.getpid(), os.getppid(), os.environ["CRM_TOKEN"], "warmserver" in parent]
open(r"{ran}/{name}", "w").write(repr(told))
"""
SLEEPING = "open(r'{ran}/{name}', 'w').write(repr([__import__('os').getpid()]))"


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes with a secret of their own, as on another machine."""
    import dask
    from distributed import LocalCluster

    # Other tests of this process may have a server of kernels.
    others = {p.pid for p in below()}
    before = os.environ.get("CRM_TOKEN")
    os.environ["CRM_TOKEN"] = THEIRS
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = LocalCluster(n_workers=2, threads_per_worker=1, processes=True,
                               dashboard_address=None)  # fmt: skip
        os.environ.pop("CRM_TOKEN") if before is None else os.environ.update(CRM_TOKEN=before)
        yield started
        # Python's own tracker of what processes share lives as long as this one.
        begun = [p for p in below() if p.pid not in others]
        left = [p for p in begun if "resource_tracker" not in " ".join(p.cmdline())]
        assert any("warmserver" in p.cmdline()[2] for p in left)
        started.close()
    gone(left)


@pytest.fixture
def place(tmp_path, monkeypatch):
    for name in ("notebooks", "ran"):
        (tmp_path / name).mkdir()
    for name in ("one", "two"):
        write(tmp_path, name, TELLING)
    monkeypatch.setattr(jobs, "notebooks_folder", lambda: tmp_path / "notebooks")
    monkeypatch.setenv("CRM_TOKEN", OURS)
    shutil.copytree(TINY, tmp_path / "book")
    return tmp_path


def write(place: Path, name: str, *cells: str) -> None:
    cells = tuple(c.format(ran=place / "ran", name=name) if "{ran}" in c else c for c in cells)
    notebook(place / "notebooks", name, *cells)


def run(place, *names: str, **options):
    return run_reports(names or ["one", "two"], book=str(place / "book"),
                       **({"langs": ["en"], "out": place / "out"} | options))  # fmt: skip


def below() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def kernels() -> list[int]:
    """List the kernels below this process: of a server they are its children."""
    found = []
    for one in below():
        try:
            parents = [" ".join(p.cmdline()) for p in (one, one.parent()) if p is not None]
        except psutil.NoSuchProcess:
            continue
        if "ipykernel" in parents[0] or "warmserver" in parents[-1]:
            found.append(one.pid)
    return found


def until(met: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def gone(processes: list[psutil.Process]) -> None:
    assert not psutil.wait_procs(processes, 20)[1]


def told(place: Path, name: str) -> list:
    return eval((place / "ran" / name).read_text())


def plain(path: Path) -> str:
    """Give a page without the moment at which it was made, and how long that took."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d · [\d.]+ s", "", path.read_text(encoding="utf-8"))


def test_pages_are_those_of_a_run_without_a_cluster_and_the_next_run_keeps_them(
    place, cluster, monkeypatch
):
    events: list = []
    first = run(place, cluster=cluster.scheduler_address, events=events.append,
                parameters={"mark": OURS})  # fmt: skip
    assert [d.state for d in first.done] == ["made", "made"]
    for name in ("one", "two"):
        pid, parent, token, forked = told(place, name)
        # Each worker forks kernels from a server of its own; nothing of our environment is there.
        assert (token, forked) == (THEIRS, True)
        assert psutil.Process(parent).parent().ppid() == os.getpid()
        assert not psutil.pid_exists(pid)
    assert [e.workers for e in events if isinstance(e, RunBegun)] == [2]
    assert sorted(e.report for e in events if isinstance(e, JobBegun)) == ["one", "two"]

    monkeypatch.setenv("SALESOPS_COLD", "1")
    here = run(place, out=place / "here", parameters={"mark": OURS})
    for name in ("one.en.html", "two.en.html"):
        assert plain(first.folder / name) == plain(here.folder / name)
    text = (first.folder / "one.en.ipynb").read_text(encoding="utf-8")
    assert "token *** ***" in text
    assert THEIRS not in text
    assert OURS not in text

    write(place, "two", "1 / 0")
    second = run(place, cluster=cluster.scheduler_address, parameters={"mark": OURS}, workers=1)
    assert [d.state for d in second.done] == ["kept", "failed"]
    assert second.done[1].failure["cell"] == "cell-0"
    assert "division by zero" in (second.folder / "two.en.html").read_text(encoding="utf-8")
    assert not kernels()


def test_a_run_that_is_broken_off_ends_what_its_workers_do(place, cluster):
    write(place, "two", SLEEPING, "import time; time.sleep(600)")
    write(place, "three", SLEEPING)

    def break_off(event):
        if isinstance(event, JobEnded):
            until((place / "ran" / "two").exists)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(place, "two", "one", "three", cluster=cluster.scheduler_address, events=break_off)
    until(lambda: not psutil.pid_exists(told(place, "two")[0]), 20)
    until(lambda: not kernels(), 20)
    assert [p.name for p in (place / "out").iterdir()] == [".kept"]


KILLED = """
import sys
import salesops.reports.jobs as jobs
from pathlib import Path
from salesops.reports.run import run_reports
place = Path(sys.argv[1])
jobs.notebooks_folder = lambda: place / "notebooks"
run_reports(["two"], book=str(place / "book"), out=place / "out", langs=["en"],
            cluster=sys.argv[2])
"""


def test_a_worker_ends_what_it_does_for_a_run_that_was_killed(place, cluster):
    write(place, "two", SLEEPING, "import time; time.sleep(600)")
    owner = subprocess.Popen([sys.executable, "-c", KILLED, str(place), cluster.scheduler_address])
    until(lambda: (place / "ran" / "two").exists() and (place / "ran" / "two").read_text())
    owner.kill()
    owner.wait()
    until(lambda: not psutil.pid_exists(told(place, "two")[0]), 20)


def test_a_report_whose_worker_dies_is_shown_and_the_others_finish(place, cluster):
    killing = "import os, psutil; os.kill(psutil.Process(os.getppid()).ppid(), 9)"
    write(place, "two", killing, "import time; time.sleep(600)")
    done = run(place, cluster=cluster.scheduler_address).done
    assert [d.state for d in done] == ["made", "failed"]
    assert done[1].failure["name"] == "DeadKernel"
    assert done[1].failure["cause"]


def test_workers_with_another_code_or_without_the_book_are_refused(place, cluster):
    from distributed import Client

    with Client(cluster, set_as_default=False) as client:
        # One may be on its way back from a test that killed it.
        client.wait_for_workers(2, timeout=120)
        client.run(exec, "import salesops.reports.clusterwork as w; w.code = lambda: 'other'", {})
        with pytest.raises(UnfitWorkers) as refused:
            run(place, cluster=cluster.scheduler_address)
        client.run(exec, "import salesops.reports.keys as k\n"
                   "import salesops.reports.clusterwork as w; w.code = k.code", {})  # fmt: skip
    assert "has another salesops" in str(refused.value)
    assert "same salesops" in str(refused.value)
    assert len(refused.value.rows) == 2
    assert not (place / "out").exists()
    code = fitness("book", str(place)).code
    assert fitness("book", str(place)) == Fitness(code=code, sees=True)
    assert not fitness("book", str(place / "elsewhere")).sees
    assert fitness("postgres://db/crm", "/nowhere").sees


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x:1", "no port"])
def test_an_address_that_nobody_answers_is_refused_before_anything_is_written(
    place, monkeypatch, address
):
    monkeypatch.setattr(joining, "ANSWER_SECONDS", 1.0)
    with pytest.raises(NoCluster) as refused:
        run(place, cluster=address)
    lines = str(refused.value).splitlines()
    assert lines[0].startswith(f"No Dask cluster answers at {address}: ")
    assert "tcp://scheduler:8786" in lines[1]
    assert "leave --cluster away" in lines[2]
    assert not (place / "out").exists()


def test_without_the_package_the_extra_is_named(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DaskMissing, match=r'pip install "salesops\[cluster\]"'):
        run(place, cluster="tcp://127.0.0.1:1")
    assert not (place / "out").exists()


def test_records_that_do_not_lie_beside_the_book_come_along(tmp_path, monkeypatch):
    told = [{"run": f"r{n}", "book": f"postgres://db/{n}", "jobs": []} for n in (1, 2)]
    monkeypatch.setenv(ELSEWHERE, _laid(told, tmp_path)[ELSEWHERE])
    assert elsewhere("postgres://db/1") == told[:1]
