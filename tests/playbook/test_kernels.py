"""Every lesson with its solutions in a kernel of its own under nbval, in both languages."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from salesops.playbook.learner import PLACE, Learner
from salesops.playbook.lessons import LESSONS, exercises
from salesops.playbook.notebooks import read_lesson, with_solutions


@pytest.fixture
def kernels(kernel_server):
    """Fork kernels from one that has imported all, where that is possible."""
    return kernel_server.environment() if kernel_server else {}


def lay_out(folder: Path, lang: str) -> None:
    for lesson in LESSONS:
        notebook = with_solutions(read_lesson(lesson, lang), lesson.exercises)
        nbformat.write(notebook, folder / f"{lesson.stem}.ipynb")


def nbval(folder: Path, learner: Learner, kernels: dict[str, str]) -> str:
    """Run all notebooks of a folder; any error in a cell fails."""
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env",
               "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]  # fmt: skip
    env = {**os.environ, **kernels, PLACE: str(learner.folder), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_lessons_with_solutions_run_in_kernels_and_all_pass(lang, learner, kernels, tmp_path):
    lay_out(tmp_path, lang)
    nbval(tmp_path, learner, kernels)
    states = {name: step.state for name, step in learner.progress().steps.items()}
    assert states == dict.fromkeys(exercises(), "passed")
