"""The notebooks of the lessons: copies for a learner, and with solutions for who teaches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from salesops.playbook.exercise import Exercise, Lesson
from salesops.wording import translate_notebook


def lessons_folder() -> Path:
    """Find the notebooks: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).parent.parent
    inside = package / "notebooks" / "playbook"
    return inside if inside.is_dir() else package.parent / "notebooks" / "playbook"


def read_lesson(lesson: Lesson, lang: str) -> Any:
    """Read the notebook of a lesson in a language, with its blanks."""
    path = lessons_folder() / f"{lesson.stem}.ipynb"
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return translate_notebook(notebook, f"playbook/{lesson.stem}", lang)


def with_solutions(notebook: Any, exercises: Sequence[Exercise]) -> Any:
    """Put the solution of each exercise in the place of its blanks, above its check."""
    known = {one.id: one for one in exercises}
    for cell in notebook.cells:
        exercise = known.get(cell.metadata.get("exercise", ""))
        if exercise is not None:
            check = next(line for line in cell.source.splitlines() if line.startswith("check("))
            cell.source = f"{exercise.solution.strip()}\n{check}"
    return notebook


def write_lessons(folder: Path, lessons: Sequence[Lesson], lang: str) -> list[Path]:
    """Write the lessons in a language, never over one that the learner may have changed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson in lessons:
        target = folder / f"{lesson.stem}.ipynb"
        if not target.exists():
            nbformat.write(read_lesson(lesson, lang), target)  # type: ignore[no-untyped-call]
            written.append(target)
    return written


def title_of(lesson: Lesson, lang: str) -> str:
    """Give the title of a lesson, such as `2 · A company as tables`."""
    heading: str = read_lesson(lesson, lang).cells[0].source.partition("\n")[0]
    return heading.removeprefix("# ")


def put_back(folder: Path, lesson: Lesson, lang: str) -> Path | None:
    """Write a lesson as it was at first, and give the path at which the learner's own is kept."""
    target = folder / f"{lesson.stem}.ipynb"
    kept = None
    if target.exists():
        kept = _free_name(folder, lesson)
        target.rename(kept)
    write_lessons(folder, [lesson], lang)
    return kept


def _free_name(folder: Path, lesson: Lesson) -> Path:
    number = 1
    while (folder / f"{lesson.stem}.own-{number}.ipynb").exists():
        number += 1
    return folder / f"{lesson.stem}.own-{number}.ipynb"
