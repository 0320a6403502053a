"""Forked kernels: the same outputs as cold ones, bounded, and none left after any end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from salesops.reports import provisioner
from salesops.reports.provisioner import MEMORY
from salesops.reports.warm import can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux alone")
# Whatever a library decides when it is imported outside of IPython shows in one of these.
TELLING = (
    "import matplotlib, matplotlib.pyplot as plt, pandas as pd, numpy as np, random, os, sys",
    "plt.plot([1, 3, 2]);",
    "pd.DataFrame({f'c{i}': [i] for i in range(30)})",
    "matplotlib.get_backend()",
    "pd.get_option('display.max_columns'), pd.get_option('display.width')",
    "{n: os.environ.get(n) for n in ('OMP_NUM_THREADS', 'MPLBACKEND')}",
    "sys.argv[0][-18:], __name__",
    "'debugpy' in sys.modules, 'pydevd' in sys.modules",
    "sys.path, os.getcwd(), sys.flags, sys.getrecursionlimit()",
    "import warnings; warnings.warn('told')",
    "print('out')",
    "print('err', file=sys.stderr); 1/0",
)


@pytest.fixture(scope="module")
def server(kernel_server):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            patch.setenv(name, "1")
        yield kernel_server


def run(cells, env: dict[str, str], **options) -> list:
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    for number, cell in enumerate(nb.cells):
        cell.id = f"c{number}"
    os.environ.update(env)
    # It reads the environment once in the life of a process.
    KernelProvisionerFactory.clear_instance()
    try:
        NotebookClient(nb, kernel_name="python3", timeout=60, allow_errors=True, **options,
                       shutdown_kernel="immediate").execute()  # fmt: skip
    finally:
        for name in env:
            os.environ.pop(name)
        KernelProvisionerFactory.clear_instance()
    return [cell.outputs for cell in nb.cells]


def warm(server, *cells, **env) -> list:
    return run(cells, server.environment() | env)


def told(outputs) -> str:
    return "".join(str(o.get("text", "")) + str(o.get("data", {}).get("text/plain", ""))
                   for o in outputs)  # fmt: skip


def test_outputs_are_those_of_a_cold_kernel_pictures_and_wide_tables_too(server):
    forked, cold = warm(server, *TELLING), run(TELLING, {})
    assert [[o.output_type for o in outs] for outs in cold] == [
        [o.output_type for o in outs] for outs in forked
    ]
    assert "image/png" in cold[1][0].data
    for one, other in zip(cold, forked, strict=True):
        for a, b in zip(one, other, strict=True):
            if a.output_type == "error":
                assert (a.ename, a.evalue) == (b.ename, b.evalue)
            elif a.output_type == "stream" and "told" in a.text:
                assert a.text.split(":", 2)[2] == b.text.split(":", 2)[2]
            else:
                assert dict(a) == dict(b)


def test_two_kernels_draw_other_random_numbers(server):
    draw = "import random, numpy; print(random.random(), numpy.random.random())"
    assert told(warm(server, draw)[0]) != told(warm(server, draw)[0])


def test_the_server_has_no_thread_of_python_or_numerics_that_a_fork_would_lose(server):
    server.environment()
    names = {Path(f"/proc/{server.pid}/task/{t.id}/comm").read_text().strip()
             for t in psutil.Process(server.pid).threads()}  # fmt: skip
    assert names <= {"python", "python3", Path(sys.executable).name, "jemalloc_bg_thd"}


def test_a_kernel_leads_a_group_of_its_own_and_what_it_started_ends_with_it(server):
    cell = ("import subprocess, os; p = subprocess.Popen(['sleep', '600']);"
            "print(p.pid, os.getpid(), os.getpgid(0), os.getppid())")  # fmt: skip
    child, kernel, group, parent = map(int, told(warm(server, cell)[0]).split())
    assert (kernel, parent) == (group, server.pid)
    gone(child, kernel)
    assert psutil.pid_exists(server.pid)


def gone(*pids: int, within: float = 5.0) -> None:
    until = time.monotonic() + within
    while time.monotonic() < until:
        left = [p for p in pids if psutil.pid_exists(p)
                and psutil.Process(p).status() != psutil.STATUS_ZOMBIE]  # fmt: skip
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"still running: {left}")


@pytest.mark.parametrize("cell", ["import os; os._exit(3)", "import os; os.kill(os.getpid(), 9)"])
def test_a_kernel_that_ends_by_itself_is_told_and_the_server_goes_on(server, cell):
    with pytest.raises(DeadKernelError):
        warm(server, cell)
    assert told(warm(server, "print(1 + 1)")[0]) == "2\n"


def test_memory_beyond_the_limit_is_an_error_in_the_cell_warm_and_cold(server):
    most = {MEMORY: str(2 * 2**30)}
    cells = ("b = bytearray(3 * 2**30)", "print('goes on')")
    for outputs in (warm(server, *cells, **most), run(cells, most | named(server))):
        assert outputs[0][0].ename == "MemoryError"
        assert told(outputs[1]) == "goes on\n"


def named(server) -> dict[str, str]:
    told = server.environment()
    return {name: value for name, value in told.items() if name.startswith("JUPYTER")}


def test_a_server_that_is_killed_takes_its_kernels_along_and_another_begins(server):
    first = server.environment()
    pid = server.pid
    held = f"import os, time; os.kill({pid}, {int(signal.SIGKILL)}); time.sleep(600)"
    with pytest.raises(DeadKernelError):
        run([held], first)
    assert told(warm(server, "print('again')")[0]) == "again\n"
    assert server.pid != pid


def test_a_server_that_hangs_is_waited_for_no_longer_than_its_time(server, monkeypatch):
    monkeypatch.setattr(provisioner, "ANSWER_SECONDS", 1.0)
    told_of = server.environment()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert told(run(["print('cold')"], told_of)[0]) == "cold\n"
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert told(warm(server, "print('warm')")[0]) == "warm\n"


ABANDONED = """
import sys, time, os
from salesops.reports.warm import WarmServer
from nbclient import NotebookClient
import nbformat
server = WarmServer()
os.environ.update(server.environment())
cell = "import os, time; open('pids', 'w').write(f'{os.getpid()} {os.getppid()}'); time.sleep(600)"
nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
NotebookClient(nb, kernel_name="python3").execute()
"""


def test_who_started_it_may_be_killed_and_nothing_stays(tmp_path):
    owner = subprocess.Popen([sys.executable, "-c", ABANDONED], cwd=tmp_path)
    pids, until = tmp_path / "pids", time.monotonic() + 60
    while not (pids.exists() and len(pids.read_text().split()) == 2):
        assert time.monotonic() < until
        time.sleep(0.1)
    owner.kill()
    owner.wait()
    gone(*map(int, pids.read_text().split()))


def test_without_a_server_kernels_start_as_usual():
    away = {"JUPYTER_DEFAULT_PROVISIONER_NAME": "salesops-warm", "SALESOPS_WARM": "/no/such/place"}
    assert told(run(["print(2)"], away)[0]) == "2\n"
