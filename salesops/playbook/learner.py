"""The learner's folder: who learns, in which language, and the company that was made for them."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from salesops.model.errors import SalesopsError
from salesops.playbook.owncompany import OwnCompany
from salesops.playbook.progress import Progress

RECORD = "learner.json"
# Where the folder is, for who works outside of it.
PLACE = "SALESOPS_LEARNER"


@dataclass(eq=False, kw_only=True)
class SetUpMissing(SalesopsError, LookupError):
    """There is no learner's folder where the lesson runs."""

    where: str

    def __str__(self) -> str:
        return (
            f"The playbook is not set up here ({self.where} has no {RECORD}, nor any folder above "
            "it).\n"
            "Expected: a lesson that is opened from the folder that `salesops learn start` made.\n"
            "Write in a terminal: salesops learn start my-month; then open my-month/lessons."
        )

    def _render_traceback_(self) -> list[str]:
        # Jupyter shows this in place of a traceback, which would tell a beginner nothing.
        return str(self).splitlines()


@dataclass(frozen=True, eq=False)
class Learner:
    """Who learns, and where.

    Attributes
    ----------
    folder
        The learner's folder: `company`, `lessons`, `progress.json`.
    name
        As it is shown to who grades.
    seed
        Of the learner's company and exercises.
    lang
        `zh` or `en`.
    """

    folder: Path
    name: str
    seed: int
    lang: str

    @cached_property
    def company(self) -> OwnCompany:
        """The company that was made for this learner."""
        return OwnCompany(self.folder / "company", self.seed)

    @cached_property
    def unknown(self) -> OwnCompany:
        """The company of the capstone, whose problems nobody names."""
        return OwnCompany(self.folder / "capstone", self.seed)

    def progress(self) -> Progress:
        """Read what was done so far."""
        return Progress.read(self.folder)

    def write(self) -> None:
        """Write who learns."""
        record = {"name": self.name, "seed": self.seed, "lang": self.lang}
        text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
        (self.folder / RECORD).write_text(text, encoding="utf-8")


_READ: dict[Path, Learner] = {}


def find_learner(start: str | Path | None = None) -> Learner:
    """Find the learner's folder: the one named, that of the environment, or one above.

    Raises
    ------
    SetUpMissing
        There is none.
    """
    begin = Path(start or os.environ.get(PLACE) or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        if (folder / RECORD).exists():
            return _read(folder)
    raise SetUpMissing(where=str(begin))


def _read(folder: Path) -> Learner:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        learner = Learner(folder, str(record["name"]), int(record["seed"]), str(record["lang"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SetUpMissing(where=str(folder / RECORD)) from error
    kept = _READ.get(folder)
    if kept is None or (kept.name, kept.seed, kept.lang) != (
        learner.name, learner.seed, learner.lang,
    ):  # fmt: skip
        _READ[folder] = learner
    return _READ[folder]


def seed_of(name: str) -> int:
    """Turn a name into a seed: the same person gets the same company anywhere.

    Examples
    --------
    >>> seed_of("Li Na") == seed_of("li na "), seed_of("Li Na") == seed_of("Wang Wei")
    (True, False)
    """
    text = " ".join(name.lower().split())
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 2**31
