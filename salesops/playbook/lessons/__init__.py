"""The lessons in their order, each a module of its own."""

from dataclasses import dataclass

from salesops.model.errors import SalesopsError, nearest
from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.lessons import (
    l01_job,
    l02_tables,
    l03_process,
    l04_customers,
    l05_definitions,
    l06_performance,
    l07_conversion,
    l08_funnel,
    l09_stall,
    l10_targets,
    l11_collection,
    l12_churn,
    l13_tools,
    l14_review,
    l15_capstone,
)

MODULES = (
    l01_job, l02_tables, l03_process, l04_customers, l05_definitions, l06_performance,
    l07_conversion, l08_funnel, l09_stall, l10_targets, l11_collection, l12_churn, l13_tools,
    l14_review, l15_capstone,
)  # fmt: skip
LESSONS: tuple[Lesson, ...] = tuple(module.LESSON for module in MODULES)


@dataclass(eq=False, kw_only=True)
class UnknownExercise(SalesopsError, LookupError):
    """No lesson has an exercise, or the playbook no lesson, of that name."""

    value: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"The playbook has no {self.value!r}.\n"
            f"Expected one of {', '.join(self.known)}; nearest: "
            f"{nearest(self.value, self.known)}.\n"
            f'Write for example: check("{self.known[0]}", answer).'
        )


def exercises() -> dict[str, Exercise]:
    """Give every exercise by its id."""
    return {one.id: one for lesson in LESSONS for one in lesson.exercises}


def find_exercise(name: str) -> Exercise:
    """Look an exercise up.

    Raises
    ------
    UnknownExercise
        With the nearest ids.
    """
    known = exercises()
    if name not in known:
        raise UnknownExercise(value=str(name), known=tuple(known))
    return known[name]


def find_lesson(name: str) -> Lesson:
    """Look a lesson up by its number, such as 2, 02 or L02, or by its stem.

    Raises
    ------
    UnknownExercise
        With the nearest names.
    """
    number = name.strip().upper().removeprefix("L").partition(".")[0].zfill(2)
    for lesson in LESSONS:
        if name == lesson.stem or number == lesson.number:
            return lesson
    raise UnknownExercise(value=name, known=tuple(lesson.stem for lesson in LESSONS))
