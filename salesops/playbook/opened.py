"""A lesson as it is open in a notebook: the learner's company, its frames, how far one got."""

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from salesops.playbook.exercise import Lesson
from salesops.playbook.feedback import Feedback
from salesops.playbook.learner import Learner, find_learner
from salesops.playbook.lessons import LESSONS, exercises, find_lesson
from salesops.playbook.owncompany import OwnCompany
from salesops.wording import say, set_language

if TYPE_CHECKING:
    from salesops.book.book import Book

_SIGNS = {"passed": "✔", "tried": "…", "new": "○"}


@dataclass(frozen=True, eq=False)
class Opened:
    """A lesson that somebody works on.

    Attributes
    ----------
    lesson
        Which one.
    learner
        Whose.
    """

    lesson: Lesson
    learner: Learner

    @property
    def company(self) -> OwnCompany:
        """The learner's company as plain frames; in the capstone the unknown one."""
        return self.learner.unknown if self.lesson.unknown else self.learner.company

    @property
    def book(self) -> "Book":
        """The learner's company as a book, as the reports read it."""
        return self.company.book

    @property
    def today(self) -> pd.Timestamp:
        """The last day that the company's books know."""
        return self.company.today

    def table(self, name: str) -> pd.DataFrame:
        """Give a table of the company as a frame."""
        return self.company.table(name)

    def data(self, name: str) -> pd.DataFrame:
        """Give a frame that was prepared for this lesson."""
        set_language(self.learner.lang)
        return self.lesson.data[name](self.company).copy()

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        return "<p>" + "<br>".join(html.escape(line) for line in self._lines()) + "</p>"

    def _lines(self) -> list[str]:
        set_language(self.learner.lang)
        steps = self.learner.progress().steps
        done = [
            f"{one.id} {_SIGNS[steps[one.id].state if one.id in steps else 'new']}"
            for one in self.lesson.exercises
        ]
        opened = say(
            "lesson.told.opened", name=self.learner.name, minutes=self.lesson.minutes,
            today=self.today.date(), exercises="   ".join(done),
        )  # fmt: skip
        return opened.split("\n")


def open_lesson(number: str) -> Opened:
    """Open a lesson on the learner's own company.

    Parameters
    ----------
    number
        Such as `02`.

    Raises
    ------
    SetUpMissing
        The notebook does not lie in a folder of `salesops learn start`.
    UnknownExercise
        The playbook has no such lesson.
    """
    lesson = find_lesson(number)
    learner = find_learner()
    set_language(learner.lang)
    return Opened(lesson, learner)


def progress() -> Feedback:
    """Say how far the learner got, lesson by lesson."""
    learner = find_learner()
    set_language(learner.lang)
    steps = learner.progress().steps
    passed = {name for name, step in steps.items() if step.state == "passed"}
    lines = []
    for lesson in LESSONS:
        ids = [one.id for one in lesson.exercises]
        if any(name in steps for name in ids):
            signs = " ".join(_SIGNS[steps[n].state if n in steps else "new"] for n in ids)
            lines.append(f"{lesson.number}  {signs}")
    heading = say("lesson.told.progress", n=len(passed), most=len(exercises()))
    return Feedback(status="note", heading=heading, lines=tuple(lines))
