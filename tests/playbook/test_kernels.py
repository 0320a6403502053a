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


def lay_out(folder: Path, learner: Learner, lang: str) -> Learner:
    """Give a learner of that language, on the same companies, lessons with solutions."""
    folder.mkdir()
    for name in ("company", "capstone"):
        (folder / name).symlink_to(learner.folder / name)
    own = Learner(folder, learner.name, learner.seed, lang)
    own.write()
    for lesson in LESSONS:
        notebook = with_solutions(read_lesson(lesson, lang), lesson.exercises)
        nbformat.write(notebook, folder / f"{lesson.stem}.{lang}.ipynb")
    return own


def nbval(folder: Path, kernels: dict[str, str]) -> str:
    """Run all notebooks below a folder, each in its place; any error in a cell fails."""
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env",
               "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]  # fmt: skip
    env = {**os.environ, **kernels, "PYTHONPATH": str(Path.cwd())}
    del env[PLACE]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_lessons_with_solutions_run_in_kernels_and_all_pass(learner, kernels, tmp_path):
    learners = [lay_out(tmp_path / lang, learner, lang) for lang in ("zh", "en")]
    nbval(tmp_path, kernels)
    for one in learners:
        states = {name: step.state for name, step in one.progress().steps.items()}
        assert states == dict.fromkeys(exercises(), "passed"), one.lang
