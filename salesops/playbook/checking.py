"""Check an answer: pass, not yet, not attempted, error, or set-up missing; never the answer."""

import math
from functools import cache
from typing import Any

import pandas as pd

from salesops.playbook.blank import Blank, has_blank
from salesops.playbook.exercise import Exercise, agree, kind_of, matches
from salesops.playbook.feedback import Feedback, told
from salesops.playbook.learner import Learner, SetUpMissing, find_learner
from salesops.playbook.lessons import find_exercise
from salesops.wording import say, set_language

# Tries after which the solution may be read.
SOLUTION_AFTER = 3
# Within this share it may be a rounded number, or another company's.
NEAR = 0.01


def check(exercise: str, answer: Any = ...) -> Feedback:
    """Check an answer to an exercise against the learner's own company.

    Parameters
    ----------
    exercise
        Its id, such as `L02.1`.
    answer
        What the learner found.

    Returns
    -------
    Feedback
        Passed, not yet (with what a usual mistake means), not attempted, an error, or the set-up
        that is missing. The expected answer is never shown; after three tries the code is.

    Raises
    ------
    UnknownExercise
        No lesson has it.

    Examples
    --------
    >>> from salesops.playbook import ____, check
    >>> check("L02.1", ____).status in ("not_attempted", "set_up_missing")
    True
    """
    asked = find_exercise(exercise)
    try:
        learner = find_learner()
    except SetUpMissing as missing:
        return told("set_up_missing", exercise, *str(missing).splitlines())
    set_language(learner.lang)
    if has_blank(answer):
        return told("not_attempted", exercise, say("lesson.told.fill"))
    return _judged(asked, learner, _plain(answer))


def _plain(answer: Any) -> Any:
    """Take a number out of the frame, column or array of one that it came in."""
    if isinstance(answer, pd.DataFrame) and answer.shape == (1, 1):
        return answer.iloc[0, 0]
    if isinstance(answer, pd.Series) and len(answer) == 1 and kind_of(answer) == "list":
        return answer.iloc[0]
    return answer.item() if hasattr(answer, "item") and getattr(answer, "size", 0) == 1 else answer


@cache
def _expected(exercise: Exercise, learner: Learner) -> Any:
    return exercise.answer(learner.company)


def _judged(exercise: Exercise, learner: Learner, answer: Any) -> Feedback:
    expected = _expected(exercise, learner)
    if _is_of_one(answer, expected):
        expected = next(iter(expected))
    progress = learner.progress()
    if agree(answer, expected, exercise):
        step = progress.passed(exercise.id)
        return told("passed", exercise.id, say("lesson.told.passed", n=step.tries),
                    say(f"lesson.{exercise.id}.because"))  # fmt: skip
    wanted, given = kind_of(expected), kind_of(answer)
    if wanted != given:
        progress.tried(exercise.id)
        return told("error", exercise.id, say(f"lesson.told.wants_{wanted}"),
                    say("lesson.told.given", what=type(answer).__name__))  # fmt: skip
    step = progress.tried(exercise.id)
    meaning, lines = _meaning(exercise, learner, answer, expected)
    solution = ""
    if step.tries >= SOLUTION_AFTER:
        lines.append(say("lesson.told.solution"))
        solution = exercise.solution
    else:
        lines.append(say("lesson.told.ask_hint", exercise=exercise.id))
    return told("not_yet", exercise.id, *lines, code=solution, meaning=meaning)


def _is_of_one(answer: Any, expected: Any) -> bool:
    """Tell whether a list of one is expected, and its only member was given."""
    return kind_of(expected) == "list" and len(expected) == 1 and kind_of(answer) in (
        "text", "number",
    )  # fmt: skip


def _meaning(
    exercise: Exercise, learner: Learner, answer: Any, expected: Any
) -> tuple[str, list[str]]:
    """Say which usual mistake it is, else what can be said of any answer of its kind."""
    for name, compute in exercise.wrong.items():
        if agree(answer, compute(learner.company), exercise):
            return name, [say(f"lesson.{exercise.id}.wrong.{name}")]
    if kind_of(expected) == "number":
        return _number_meaning(answer, expected, exercise)
    counted = matches(answer, expected, exercise)
    if counted is not None:
        right, n = counted
        return "parts", [say("lesson.told.parts", right=right, most=n)]
    return "", [say("lesson.told.not_yet")]


def _number_meaning(answer: Any, expected: Any, exercise: Exercise) -> tuple[str, list[str]]:
    if agree(answer / 100, expected, exercise) and abs(expected) <= 1.5:
        return "percent", [say("lesson.told.percent")]
    if agree(-answer, expected, exercise):
        return "sign", [say("lesson.told.sign")]
    if math.isclose(float(answer), float(expected), rel_tol=NEAR) and expected % 1:
        return "rounded", [say("lesson.told.rounded")]
    for scale in (1e3, 1e4, 1e6, 1e8):
        if agree(answer * scale, expected, exercise):
            return "unit", [say("lesson.told.unit")]
    if agree(1 - answer, expected, exercise) and 0 < expected < 1:
        return "complement", [say("lesson.told.complement")]
    return "", [say("lesson.told.not_yet")]


def hint(exercise: str) -> Feedback:
    """Give the next hint on an exercise; the last one is given again when all were read.

    Parameters
    ----------
    exercise
        Its id, such as `L02.1`.

    Raises
    ------
    UnknownExercise
        No lesson has it.
    """
    find_exercise(exercise)
    try:
        learner = find_learner()
    except SetUpMissing as missing:
        return told("set_up_missing", exercise, *str(missing).splitlines())
    return hint_for(exercise, learner)


def hint_for(exercise: str, learner: Learner) -> Feedback:
    """Give the next hint to a learner."""
    asked = find_exercise(exercise)
    set_language(learner.lang)
    number = learner.progress().hinted(exercise, asked.hints)
    heading = say("lesson.told.hint", exercise=exercise, number=number, most=asked.hints)
    said = say(f"lesson.{exercise}.hint{number}")
    return Feedback(status="note", heading=heading, lines=(said,))


def predict(guess: Any, found: Any = ...) -> Feedback:
    """Set what was guessed beside what was found; it is not judged.

    Parameters
    ----------
    guess
        A number that the learner wrote down before running the next cell.
    found
        What came out.
    """
    if isinstance(found, Blank) or found is ...:
        return Feedback(status="note", heading=say("lesson.told.noted", guess=_shown(guess)))
    if has_blank(guess):
        return Feedback(status="note", heading=say("lesson.told.no_guess", found=_shown(found)))
    return Feedback(
        status="note", heading=say("lesson.told.guessed", guess=_shown(guess), found=_shown(found))
    )


def _shown(value: Any) -> str:
    if kind_of(value) != "number":
        return str(value)
    number = float(value)
    return f"{number:,.0f}" if number == round(number) or abs(number) >= 100 else f"{number:.3g}"
