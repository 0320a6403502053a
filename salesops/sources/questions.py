"""What an import can't decide by itself: asked on a terminal, answered by an option, or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from salesops.model.errors import SalesopsError, nearest
from salesops.model.shell import pasted


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing that data leave open.

    Attributes
    ----------
    key
        By which an answer names it: `--answer KEY=VALUE`.
    text
        What is asked.
    candidates
        Answers that may be given; none where any text may be.
    default
        The answer that is most likely; empty where there is none.
    safe
        True where the default can be taken without a look at it.
    evidence
        What speaks for and against, a line each.
    """

    key: str
    text: str
    candidates: tuple[str, ...] = ()
    default: str = ""
    safe: bool = False
    evidence: tuple[str, ...] = ()

    def allows(self, answer: str) -> bool:
        """Say whether an answer is one of the candidates."""
        return not self.candidates or answer in self.candidates

    def option(self) -> str:
        """Write the option that answers it, with the most likely value."""
        value = self.default or (self.candidates[0] if self.candidates else "VALUE")
        return f"--answer {pasted(f'{self.key}={value}')}"


class Talk(Protocol):
    """Who is asked, and who is told what goes on."""

    def ask(self, question: Question) -> str | None:
        """Give an answer; None where nobody can be asked."""

    def show(self, lines: Sequence[str]) -> None:
        """Show what a person should see before they answer."""

    def progress(self, text: str) -> None:
        """Say what is being done."""


class Nobody:
    """Nobody is there: nothing is shown, nothing is answered."""

    def ask(self, question: Question) -> str | None:
        """Give no answer."""
        return None

    def show(self, lines: Sequence[str]) -> None:
        """Show nothing."""

    def progress(self, text: str) -> None:
        """Say nothing."""


@dataclass(eq=False, kw_only=True)
class Unanswered(SalesopsError, LookupError):
    """An import can't go on without an answer."""

    where: str
    questions: tuple[Question, ...]

    def __str__(self) -> str:
        lines = []
        for question in self.questions:
            lines.append(f"  {question.text}")
            lines += [f"    {line}" for line in question.evidence]
            if question.candidates:
                lines.append(f"    Expected: {', '.join(question.candidates[:12])}.")
        options = " ".join(question.option() for question in self.questions)
        safe = all(question.safe for question in self.questions)
        how = f"--yes, or {options}" if safe else options
        n = "1 question" if len(self.questions) == 1 else f"{len(self.questions)} questions"
        return "\n".join([
            f"{self.where} leaves {n} open, and nothing was written:", *lines,
            "Expected: an answer to each, on a terminal or by an option.",
            f"Write: {how}",
        ])  # fmt: skip


@dataclass(eq=False, kw_only=True)
class BadAnswer(SalesopsError, ValueError):
    """An answer is none that may be given, or answers nothing that is asked."""

    key: str
    value: str
    reason: str
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        near = f"\nNearest: {nearest(self.value, self.known)}." if self.known else ""
        expected = ", ".join(self.known[:12]) or "KEY=VALUE, such as stage=阶段"
        first = self.known[0] if self.known else "VALUE"
        return (
            f"The answer {self.key}={self.value!r} can't be used: {self.reason}.\n"
            f"Expected: {expected}.{near}\n"
            f"Write for example: --answer {pasted(f'{self.key}={first}')}"
        )


@dataclass(frozen=True)
class Answered:
    """A question with its answer, and who gave it: `option`, `terminal` or `default`."""

    question: Question
    answer: str
    by: str


@dataclass
class Desk:
    """Where questions are put: answers given beforehand, then a person, then safe defaults."""

    where: str
    given: Mapping[str, str]
    talk: Talk = field(default_factory=Nobody)
    yes: bool = False
    always_show: bool = False
    answered: list[Answered] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)

    def decide(self, *questions: Question) -> tuple[str, ...]:
        """Get an answer to each of these questions.

        Raises
        ------
        Unanswered
            Nobody answers some of them; all of these are named.
        BadAnswer
            An answer is not one of the candidates.
        """
        found = [self._answer(question) for question in questions]
        open_ = tuple(q for q, a in zip(questions, found, strict=True) if a is None)
        if open_:
            raise Unanswered(where=self.where, questions=open_)
        taken = [a for a in found if a is not None]
        self.answered += taken
        return tuple(a.answer for a in taken)

    def _answer(self, question: Question) -> Answered | None:
        self.looked_at.add(question.key)
        if question.key in self.given:
            value = self.given[question.key]
            if not question.allows(value):
                raise BadAnswer(key=question.key, value=value, known=question.candidates,
                                reason="it is none of the candidates")  # fmt: skip
            return Answered(question, value, "option")
        if self.yes:
            return Answered(question, question.default, "default") if question.safe else None
        said = self.talk.ask(question)
        return None if said is None else Answered(question, said, "terminal")

    def given_for(self, key: str) -> str | None:
        """Give an answer that was given beforehand, asked or not."""
        self.looked_at.add(key)
        return self.given.get(key)

    def refuse_unused(self) -> None:
        """Refuse answers to what was never asked: they are misspelt, or meant for another export.

        Raises
        ------
        BadAnswer
            There is one.
        """
        for key, value in self.given.items():
            if key not in self.looked_at:
                raise BadAnswer(key=key, value=value, reason="nothing of that name is asked here",
                                known=tuple(sorted(self.looked_at)))  # fmt: skip
