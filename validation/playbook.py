"""Exercises and the capstone: does a right answer pass, and no other, whoever learns?"""

import contextlib
import datetime as dt
import io
import itertools
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from salesops.playbook.capstone import TROUBLES, Answer, capstone_seed
from salesops.playbook.capstonescore import Truth, find_truth, score
from salesops.playbook.exercise import agree, untold
from salesops.playbook.learner import PLACE, Learner
from salesops.playbook.lessons import LESSONS, exercises
from salesops.playbook.notebooks import read_lesson, with_solutions
from salesops.playbook.start import start
from salesops.wording import set_language
from validation.table import Claim

CAPSTONES, BATCH = 20, 6


@dataclass(frozen=True)
class Answers:
    """What the exercises of one learner come to.

    Attributes
    ----------
    right
        Exercise -> the answer that passes.
    alike
        Usual mistakes, or `nothing`, whose outcome can't be told from the right answer.
    failed
        Exercises whose solution does not pass.
    """

    right: dict[str, Any]
    alike: tuple[str, ...]
    failed: tuple[str, ...]


def answers_of(name: str) -> Answers:
    """Make a learner's company, and answer every exercise on it right and wrong."""
    with tempfile.TemporaryDirectory() as folder:
        learner = start(Path(folder), name=name, lang="en", capstone=False)
        company, right, alike = learner.company, {}, []
        for exercise in exercises().values():
            right[exercise.id] = exercise.answer(company)
            alike += [f"{exercise.id} {wrong}" for wrong in untold(exercise, company)]
        return Answers(right, tuple(alike), tuple(_failed(learner)))


def _failed(learner: Learner) -> Iterator[str]:
    """Run the lessons with their solutions, and tell which exercises do not pass."""
    os.environ[PLACE] = str(learner.folder)
    for lesson in LESSONS:
        names: dict[str, Any] = {}
        if lesson.unknown:
            continue
        notebook = with_solutions(read_lesson(lesson, "en"), lesson.exercises)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(cell.source, names)
    steps = learner.progress().steps
    yield from (name for name in exercises() if steps[name].state != "passed")


def batched(names: list[str]) -> Iterator[list[str]]:
    """Give a batch of the names after the other."""
    for start_at in range(0, len(names), BATCH):
        yield names[start_at : start_at + BATCH]


def measure(seeds: int) -> list[Claim]:
    """Measure exercises over so many learners, and the capstone over twenty."""
    found: list[Answers] = []
    # Companies stay in memory as long as their process does: a few to each.
    for names in batched([f"learner {n}" for n in range(seeds)]):
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            found += pool.map(answers_of, names)
        print(f"{len(found)} of {seeds}: {[(one.alike, one.failed) for one in found[-BATCH:]]}",
              flush=True)  # fmt: skip
    return [*_of_exercises(found), *_of_capstones(CAPSTONES)]


def _of_exercises(found: list[Answers]) -> Iterator[Claim]:
    known, pairs = exercises(), list(itertools.permutations(found, 2))
    n, n_wrong = len(found) * len(known), len(found) * sum(len(e.wrong) + 1 for e in known.values())
    yield _none("solutions that do not pass", sum(len(one.failed) for one in found), n)
    yield _none("usual mistakes, or nothing, that can't be told from the right answer",
                sum(len(one.alike) for one in found), n_wrong)  # fmt: skip
    shared = {name: sum(agree(theirs.right[name], own.right[name], exercise)
                        for theirs, own in pairs) for name, exercise in known.items()}  # fmt: skip
    print({name: times for name, times in shared.items() if times})
    yield _none("answers of another learner that pass", sum(shared.values()),
                len(pairs) * len(known))  # fmt: skip


def _none(what: str, times: int, n: int) -> Claim:
    value = times / n
    return Claim(part="playbook", what=what, value=value, low=value, high=value, n=n, aim="none",
                 holds=times == 0)  # fmt: skip


def perfect(truth: Truth) -> Answer:
    """Find all that is there, split fairly, and act on three."""
    due = (truth.today + dt.timedelta(days=14)).isoformat()
    return Answer(
        findings={name: sorted(ids)[:5] for name, ids in truth.records.items()},
        targets=dict(truth.fair),
        actions=[{"finding": name, "owner": TROUBLES[name].owners[0], "do": TROUBLES[name].do,
                  "due": due} for name in list(truth.records)[:3]],
    )  # fmt: skip


def everything(truth: Truth) -> Answer:
    """Name all ten with the best evidence, fair targets, and actions on what is true."""
    named = perfect(truth)
    return replace(named, findings={name: named.findings.get(name, ["X1"]) for name in TROUBLES})


def _of_capstones(seeds: int) -> Iterator[Claim]:
    set_language("en")
    truths = [find_truth(capstone_seed(seed)) for seed in range(seeds)]
    empty = Answer(findings={}, targets={}, actions=[])
    for what, answer, aim, least, most in (
        ("capstone: points of a perfect answer, least to most", perfect, "100", 100, 100),
        ("capstone: points of an empty answer, least to most", lambda _truth: empty, "0", 0, 0),
        ("capstone: points where everything is said to be wrong, least to most", everything,
         "at most 40", 0, 40),
    ):  # fmt: skip
        points = [score(answer(truth), truth).points for truth in truths]
        yield Claim(part="playbook", what=what, value=sum(points) / seeds, low=min(points),
                    high=max(points), n=seeds, aim=aim,
                    holds=min(points) >= least and max(points) <= most)  # fmt: skip
