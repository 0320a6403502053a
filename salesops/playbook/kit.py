"""The instructor's kit: solutions, a page per lesson with timing, how the capstone is scored.

All of it is made from the lessons themselves, so that it can't say something else than they do.
"""

from pathlib import Path
from typing import Any

import nbformat

from salesops.playbook.capstone import TROUBLES
from salesops.playbook.exercise import Exercise, Lesson
from salesops.playbook.lessons import LESSONS
from salesops.playbook.notebooks import read_lesson, title_of, with_solutions
from salesops.wording import label, language, say

# Minutes for the question and the guess at the beginning, and for the questions at the end.
OPENING, CLOSING = 5, 5


def write_kit(folder: Path, lang: str) -> list[Path]:
    """Write the kit in a language.

    Parameters
    ----------
    folder
        Made if it is not there; it is no learner's folder.
    lang
        `zh` or `en`.

    Returns
    -------
    list of pathlib.Path
        What was written: `README.md`, and per lesson a page and a notebook with solutions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with language(lang):
        for lesson in LESSONS:
            solved = folder / f"{lesson.stem}.solved.ipynb"
            notebook = with_solutions(read_lesson(lesson, lang), lesson.exercises)
            nbformat.write(notebook, solved)  # type: ignore[no-untyped-call]
            page = folder / f"{lesson.stem}.md"
            page.write_text(lesson_page(lesson, lang), encoding="utf-8")
            written += [page, solved]
        readme = folder / "README.md"
        readme.write_text(_overview(lang), encoding="utf-8")
    return [readme, *written]


def timing(lesson: Lesson) -> list[tuple[str, int]]:
    """Divide the minutes of a lesson: name of a part -> minutes; they add up to the lesson's.

    Examples
    --------
    >>> from salesops.playbook.lessons import LESSONS
    >>> [minutes for _part, minutes in timing(LESSONS[0])], LESSONS[0].minutes
    ([5, 10, 10, 5], 30)
    """
    names = [one.id for one in lesson.exercises] or [lesson.stem]
    left = lesson.minutes - OPENING - CLOSING
    each, more = divmod(left, len(names))
    parts = [(name, each + (1 if n < more else 0)) for n, name in enumerate(names)]
    return [("opening", OPENING), *parts, ("closing", CLOSING)]


def lesson_page(lesson: Lesson, lang: str) -> str:
    """Write the page of a lesson for who teaches it."""
    notebook = read_lesson(lesson, lang)
    question = notebook.cells[0].source.split("\n\n", 1)[1]
    head = say("lesson.kit.head", week=lesson.week, minutes=lesson.minutes)
    parts = [f"# {title_of(lesson, lang)}", head, question, _timing_table(lesson)]
    parts += [_exercise(one, notebook) for one in lesson.exercises]
    if lesson.unknown:
        parts.append(_capstone())
    parts += [cell.source for cell in notebook.cells if cell.id == "questions"]
    return "\n\n".join(parts) + "\n"


def _timing_table(lesson: Lesson) -> str:
    said = {part: say(f"lesson.kit.{part}") for part in ("opening", "closing")}
    # A lesson without exercises is one piece of work under its own name.
    said[lesson.stem] = say("lesson.capstone.heading")
    rows = [f"| {said.get(part, part)} | {minutes} |" for part, minutes in timing(lesson)]
    head = f"| {say('lesson.kit.part')} | {say('lesson.kit.minutes')} |\n|---|---|"
    return "\n".join([head, *rows])


def _exercise(exercise: Exercise, notebook: Any) -> str:
    at = next(n for n, cell in enumerate(notebook.cells)
              if cell.metadata.get("exercise") == exercise.id)  # fmt: skip
    prompt = next(c.source for c in reversed(notebook.cells[:at]) if exercise.id in c.source)
    name = f"lesson.{exercise.id}"
    hints = [f"{n + 1}. {say(f'{name}.hint{n + 1}')}" for n in range(exercise.hints)]
    wrong = [f"- {say(f'{name}.wrong.{one}')}" for one in exercise.wrong]
    return "\n\n".join([
        prompt, f"```python\n{exercise.solution.strip()}\n```", say(f"{name}.because"),
        f"**{say('lesson.kit.hints')}**", "\n".join(hints),
        f"**{say('lesson.kit.mistakes')}**", "\n".join(wrong),
    ])  # fmt: skip


def _capstone() -> str:
    rows = [
        f"| `{name}` | {say(f'lesson.trouble.{name}')} | "
        f"{' / '.join(label(f'role.{role}') for role in one.owners)} | "
        f"{say(f'lesson.measure.{one.do}')} |"
        for name, one in TROUBLES.items()
    ]
    head = say("lesson.kit.troubles_head")
    return "\n\n".join([say("lesson.kit.scoring"), "\n".join([head, "|---|---|---|---|", *rows])])


def _overview(lang: str) -> str:
    rows = [f"| {one.week} | [{title_of(one, lang)}]({one.stem}.md) | {one.minutes} | "
            f"{len(one.exercises)} | {_report(one)} |" for one in LESSONS]  # fmt: skip
    return "\n\n".join([
        f"# {say('lesson.kit.title')}", say("lesson.kit.use"),
        "\n".join([say("lesson.kit.overview_head"), "|---|---|---|---|---|", *rows]),
    ]) + "\n"  # fmt: skip


def _report(lesson: Lesson) -> str:
    return f"{say(f'report.{lesson.report}')} `{lesson.report}`" if lesson.report else ""
