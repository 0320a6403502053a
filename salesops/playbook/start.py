"""Begin a month: a folder with a company of one's own, the lessons and an empty record."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from salesops.model.errors import SalesopsError
from salesops.playbook.capstone import capstone_options, capstone_seed
from salesops.playbook.learner import RECORD, Learner, seed_of
from salesops.playbook.lessons import LESSONS
from salesops.playbook.notebooks import write_lessons
from salesops.sample.generate import SampleCompany, generate
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_company

MONTHS, DEALS_PER_MONTH = 36, 36
AGREED = 3.0
# Pairs of the lesson on customers entered twice, and how many of them only look alike.
PAIRS, LOOK_ALIKES = 20, 3
# Pairs bear the numbers of a longer list, so that no two learners name the same three.
NUMBERS = range(101, 1000)


@dataclass(eq=False, kw_only=True)
class AlreadyStarted(SalesopsError, ValueError):
    """Somebody learns in that folder already."""

    folder: str
    name: str

    def __str__(self) -> str:
        return (
            f"{self.folder} is the playbook of {self.name} already.\n"
            "Expected: a folder that is not there yet, or a playbook of the same person.\n"
            "Go on with it: salesops learn next; or begin another one: "
            "salesops learn start other-folder."
        )


def learner_options(seed: int) -> SampleOptions:
    """Say which company a learner works on: three years of a company with every problem.

    What two teams agreed on works well enough to be seen among so few deals.
    """
    return SampleOptions(seed=seed, months=MONTHS, deals_per_month=DEALS_PER_MONTH,
                         problems={"P17": AGREED})  # fmt: skip


def start(
    folder: Path, *, name: str, lang: str, seed: int | None = None, capstone: bool = True
) -> Learner:
    """Make a learner's folder; what is there already of the same learner is kept.

    Parameters
    ----------
    folder
        Made if it is not there.
    name
        Of the learner: the same name gives the same company.
    lang
        `zh` or `en`.
    seed
        In place of the one that the name gives.
    capstone
        False leaves the company of the capstone to be made later.

    Raises
    ------
    AlreadyStarted
        The folder is somebody else's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    learner = Learner(folder.resolve(), name, seed_of(name) if seed is None else seed, lang)
    _claim(folder, learner)
    if not (folder / "company").exists():
        made = generate(learner_options(learner.seed))
        _write(folder / "company", made)
        _lay_out_pairs(folder / "company", made, learner.seed)
    if capstone and not (folder / "capstone").exists():
        _write(folder / "capstone", generate(capstone_options(capstone_seed(learner.seed))))
    write_lessons(folder / "lessons", LESSONS, lang)
    learner.write()
    return learner


def _claim(folder: Path, learner: Learner) -> None:
    if not (folder / RECORD).exists():
        return
    before = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    if before.get("seed") != learner.seed:
        raise AlreadyStarted(folder=str(folder), name=str(before.get("name")))


def _write(folder: Path, made: SampleCompany) -> None:
    """Write a company without its truth, which no learner is to find."""
    write_company(folder, made, truth=False)


def _lay_out_pairs(folder: Path, made: SampleCompany, seed: int) -> None:
    """Lay out pairs of customers, of which some only look alike; which, their records tell."""
    draws = random.Random(f"{seed}/pairs")
    pairs = made.truth.pairs
    is_same = pairs["duplicate"].astype(bool)
    chosen = [
        pair
        for some, n in ((pairs[is_same], PAIRS - LOOK_ALIKES), (pairs[~is_same], LOOK_ALIKES))
        for pair in draws.sample(
            list(zip(some["account"], some["other"], strict=True)), min(n, len(some))
        )
    ]
    draws.shuffle(chosen)
    numbers = sorted(draws.sample(NUMBERS, len(chosen)))
    rows = [f"{n},{a},{b}" for n, (a, b) in zip(numbers, chosen, strict=True)]
    text = "\n".join(["pair,account,other", *rows]) + "\n"
    (folder / "pairs.csv").write_text(text, encoding="utf-8")
