"""Publish the playbook as a book of pages that needs no network: `make book`.

Each lesson as a learner finds it, without solutions, with the tables of an example company, and the
glossary of the metrics, in both languages. Notebooks and markdown are rendered by nbconvert.
"""

import argparse
import html
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from rich.progress import track

from salesops.charts import fonts
from salesops.cli.metrics import glossary
from salesops.playbook.exercise import Lesson
from salesops.playbook.learner import Learner
from salesops.playbook.lessons import LESSONS
from salesops.playbook.notebooks import read_lesson, title_of
from salesops.playbook.start import start
from salesops.wording import language, say

LANGS = ("zh", "en")
# Beside the pages: the font in it would make each of them large.
STYLES = "book.css"
_STYLE = """
:root { --sans: "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Salesops Sans", sans-serif; }
:root:lang(en) { --sans: "Segoe UI", -apple-system, "Helvetica Neue", Roboto, "Noto Sans", Arial,
  "Salesops Sans", sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 24px 16px 64px; }
nav { font-size: 13px; color: #56616b; display: flex; gap: 16px;
  flex-wrap: wrap; margin: 8px 0 24px; }
h1 { font-size: 28px; line-height: 1.3; } h2 { font-size: 21px; margin-top: 40px; }
h1, h2 { margin-bottom: 8px; } ul, ol { padding-left: 1.4em; }
p, ul, ol, table { margin: 0 0 12px; } pre + p { margin-top: 12px; }
pre { background: #f4f6f7; padding: 8px 12px; margin: 0 0 12px; overflow-x: auto;
  font: 13px/1.5 var(--mono); }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border-bottom: 1px solid #d5dade; padding: 4px 12px 4px 0; text-align: left; }
.prompt, .anchor-link { display: none; }
.output_area pre { background: none; padding: 0; }
.dataframe { font-size: 13px; margin: 0 0 16px; border: 0; }
.dataframe td, .dataframe th { text-align: right; white-space: nowrap;
  border-width: 0 0 1px; padding: 4px 0 4px 16px; }
.dataframe tbody th { font-weight: normal; color: #56616b; }
"""
# What cells with these show is about a learner, and here is none.
_OF_A_LEARNER = {"____", "check", "predict", "hint", "hand_in", "progress"}
_BLANK, _WORD = re.compile(r"^(\w+) = .*____", re.M), re.compile(r"\w+")


def write_book(
    folder: Path, learners: Mapping[str, Learner] | None = None, lessons: Sequence[Lesson] = LESSONS
) -> list[Path]:
    """Write the book: `index.<lang>.html`, a page per lesson, `glossary.html`, `book.css`.

    With an example learner of a language, cells show what they show to that learner at first.
    """
    learners = learners or {}
    pages: dict[str, str] = {}
    for lang in LANGS:
        with language(lang):
            for lesson in track(lessons, f"Lessons ({lang})", disable=not learners):
                number = LESSONS.index(lesson)
                body = _lesson_body(lesson, lang, number, learners.get(lang))
                pages[f"{lesson.stem}.{lang}.html"] = _page(lang, _title(number, lang), body)
            title = say("lesson.book.title")
            pages[f"index.{lang}.html"] = _page(lang, title, _index(lang))
    with language("zh"):
        terms = _nav("zh", "index") + markdown2html(glossary())
    pages["glossary.html"] = _page("zh", "Glossary", terms)
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in {**pages, STYLES: _styles("".join(pages.values()))}.items():
        (folder / name).write_text(page, encoding="utf-8")
    return [folder / name for name in pages]


def example_learners(folder: Path) -> dict[str, Learner]:
    """Make an example learner, and one for each other language on the same companies."""
    first, *others = LANGS
    learners = {first: start(folder / first, name="salesops", lang=first)}
    for lang in others:
        (folder / lang).mkdir()
        for name in ("company", "capstone"):
            (folder / lang / name).symlink_to(folder / first / name)
        learners[lang] = start(folder / lang, name="salesops", lang=lang)
    return learners


def shown(lesson: Lesson, lang: str, learner: Learner | None) -> Any:
    """Give a lesson with what its cells show to a learner who has done nothing yet."""
    notebook = read_lesson(lesson, lang)
    if learner is None:
        return notebook
    NotebookClient(
        notebook, timeout=120, kernel_name="python3",
        extra_arguments=["--Application.log_level=40"],
        resources={"metadata": {"path": str(learner.folder / "lessons")}},
    ).execute()  # fmt: skip
    answers: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        answers |= set(_BLANK.findall(cell.source))
        if set(_WORD.findall(cell.source)) & (answers | _OF_A_LEARNER):
            cell.outputs = []
    return notebook


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter(template_name="basic", exclude_input_prompt=True,
                        exclude_output_prompt=True)  # fmt: skip


@cache
def _title(number: int, lang: str) -> str:
    return title_of(LESSONS[number], lang)


def _lesson_body(lesson: Lesson, lang: str, number: int, learner: Learner | None) -> str:
    body, _resources = _exporter().from_notebook_node(shown(lesson, lang, learner))
    links = [_nav(lang, lesson.stem)]
    for step, word in ((-1, "before"), (1, "after")):
        if 0 <= number + step < len(LESSONS):
            other = LESSONS[number + step]
            title = html.escape(_title(number + step, lang))
            links.append(f"<p>{say(f'lesson.book.{word}')} "
                         f'<a href="{other.stem}.{lang}.html">{title}</a></p>')  # fmt: skip
    return links[0] + body + "".join(links[1:])


def _index(lang: str) -> str:
    weeks: dict[int, list[str]] = {}
    for number, one in enumerate(LESSONS):
        minutes = say("lesson.kit.head", week=one.week, minutes=one.minutes)
        weeks.setdefault(one.week, []).append(
            f'<li><a href="{one.stem}.{lang}.html">{html.escape(_title(number, lang))}</a> '
            f"<small>{html.escape(minutes)}</small></li>"
        )
    lists = "".join(f"<h2>{say('lesson.month.week', week=week)}</h2><ul>{''.join(rows)}</ul>"
                    for week, rows in weeks.items())  # fmt: skip
    head = f"<h1>{say('lesson.book.title')}</h1><p>{say('lesson.book.about')}</p>"
    return _nav(lang, "index") + head + lists


def _nav(lang: str, stem: str) -> str:
    other = "en" if lang == "zh" else "zh"
    names = {"zh": "中文", "en": "English"}
    return (
        f'<nav><a href="index.{lang}.html">{say("lesson.book.title")}</a>'
        f'<a href="glossary.html">{say("lesson.book.glossary")}</a>'
        f'<a href="{stem}.{other}.html" lang="{other}">{names[other]}</a></nav>'
    )


def _page(lang: str, title: str, body: str) -> str:
    # Pages may be read without a network: nothing may be asked for from elsewhere.
    body = re.sub(r"<script\b.*?</script>", "", body, flags=re.S)
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="stylesheet" href="{STYLES}"></head>'
        f"<body><main>{body}</main></body></html>\n"
    )


def _styles(text: str) -> str:
    tokens = files("salesops.charts").joinpath("tokens.css").read_text(encoding="utf-8")
    return f"{fonts.face(text)}\n{tokens}{_STYLE}"


def main() -> None:
    """Write the book where it was asked for."""
    parser = argparse.ArgumentParser(prog="make book")
    parser.add_argument("--out", default="build/book", type=Path)
    with tempfile.TemporaryDirectory() as example:
        written = write_book(parser.parse_args().out, example_learners(Path(example)))
    print(f"{len(written)} pages; begin with {written[-1].parent / 'index.zh.html'}")


if __name__ == "__main__":
    main()
