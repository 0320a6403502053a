"""`salesops learn`: a newcomer's first month, with a company of one's own to practise on."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

learn = typer.Typer(
    help="Work through the playbook: a newcomer's first month, on a company of one's own.",
    no_args_is_help=True, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
Folder = Annotated[
    str, typer.Option("--folder", help="The learner's folder; else this one, or one above.")
]


def _out() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _say(text: str) -> None:
    _out().print(text, markup=False)


@learn.command("list")
def list_(
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
) -> None:
    """List the lessons: week, minutes, title.

    For example:

      salesops learn list --lang zh
    """
    from salesops.playbook.lessons import LESSONS
    from salesops.playbook.notebooks import title_of

    _language(lang)
    for one in LESSONS:
        _say(f"week {one.week}  {one.minutes:3d} min  {title_of(one, lang)}")


@learn.command()
def start(
    folder: Annotated[str, typer.Argument(help="Folder to make.")],
    name: Annotated[
        str, typer.Option(help="Of the learner: the same name gives the same company.")
    ] = "",
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
    seed: Annotated[int, typer.Option(help="In place of the one by name; -1 takes that.")] = -1,
) -> None:
    """Begin: makes a company of your own and lays out the lessons; nothing leaves this folder.

    What is there already is kept. For example:

      salesops learn start my-month --name "Li Na" --lang zh
    """
    from salesops.playbook.start import start as begin

    _language(lang)
    learner = begin(
        Path(folder), name=name or Path(folder).resolve().name, lang=lang,
        seed=None if seed < 0 else seed,
    )  # fmt: skip
    _say(f"{learner.name}: your company is in {folder}/company, the lessons in {folder}/lessons.")
    _say(f"Next: jupyter lab {folder}/lessons, and open {_next_of(learner)}.")


def _next_of(learner: object) -> str:
    from salesops.playbook.status import next_lesson

    lesson = next_lesson(learner)  # type: ignore[arg-type]
    return f"{lesson.stem}.ipynb" if lesson else "whatever you like: all is done"


@learn.command("next")
def next_(folder: Folder = "") -> None:
    """Name the next lesson to open.

    For example:

      salesops learn next
    """
    from salesops.playbook.learner import find_learner
    from salesops.playbook.notebooks import title_of
    from salesops.playbook.status import next_lesson

    learner = find_learner(folder or None)
    lesson = next_lesson(learner)
    if lesson is None:
        _say("All exercises are done and the capstone is handed in.")
        return
    _say(title_of(lesson, learner.lang))
    _say(f"Next: jupyter lab {learner.folder / 'lessons' / lesson.stem}.ipynb")


@learn.command()
def hint(
    exercise: Annotated[str, typer.Argument(help="Such as L02.1.")], folder: Folder = ""
) -> None:
    """Give the next hint on an exercise.

    For example:

      salesops learn hint L02.1
    """
    from salesops.playbook.checking import hint_for
    from salesops.playbook.learner import find_learner

    _say(repr(hint_for(exercise, find_learner(folder or None))))


@learn.command()
def reset(
    lesson: Annotated[str, typer.Argument(help="Number of a lesson; all means every one.")],
    folder: Folder = "",
    notebook: Annotated[
        bool, typer.Option("--notebook", help="Also put the notebook back; yours is kept beside.")
    ] = False,
) -> None:
    """Forget what was done in a lesson, to do it again.

    For example:

      salesops learn reset 02 --notebook
    """
    from salesops.playbook.learner import find_learner
    from salesops.playbook.lessons import LESSONS, find_lesson
    from salesops.playbook.notebooks import put_back

    learner = find_learner(folder or None)
    chosen = LESSONS if lesson == "all" else (find_lesson(lesson),)
    progress = learner.progress()
    n = sum(progress.forget(f"L{one.number}.") for one in chosen)
    _say(f"Forgotten: {n} exercises.")
    if notebook:
        for one in chosen:
            kept = put_back(learner.folder / "lessons", one, learner.lang)
            _say(f"{one.stem}.ipynb is as it was at first" + (f"; yours: {kept}" if kept else "."))


@learn.command()
def status(folder: Folder = "") -> None:
    """Show the first month as a list that knows what was done.

    For example:

      salesops learn status
    """
    from salesops.playbook.learner import find_learner
    from salesops.playbook.status import status_lines

    for line in status_lines(find_learner(folder or None)):
        _say(line)


@learn.command()
def grade(
    folders: Annotated[list[str], typer.Argument(help="Folders of learners.")],
    lang: Annotated[str, typer.Option(help="zh or en; else that of each learner.")] = "",
) -> None:
    """Score the capstones that were handed in, with reasons; for who manages the learners.

    For example:

      salesops learn grade months/*
    """
    from salesops.playbook.grading import grade_lines
    from salesops.playbook.learner import find_learner

    if lang:
        _language(lang)
    for one in folders:
        for line in grade_lines(find_learner(one), lang):
            _say(line)


@learn.command()
def kit(
    folder: Annotated[str, typer.Argument(help="Folder to write.")],
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
) -> None:
    """Write the instructor's kit: solutions, a page per lesson, timing; not for learners.

    For example:

      salesops learn kit kit --lang zh
    """
    from salesops.playbook.kit import write_kit

    _language(lang)
    written = write_kit(Path(folder), lang)
    _say(f"{len(written)} files in {folder}; begin with README.md.")


def _language(lang: str) -> None:
    from salesops.cli.running import BadOption
    from salesops.wording import set_language

    if lang not in ("zh", "en"):
        raise BadOption(option="--lang", value=lang, expected="zh or en")
    set_language(lang)
