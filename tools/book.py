"""Publish the playbook as a book of pages that needs no network: `make book`.

Each lesson as a learner finds it, without solutions, and the glossary of the metrics, in both
languages. Notebooks and markdown are rendered by nbconvert.
"""

import argparse
import html
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html

from salesops.cli.metrics import glossary
from salesops.playbook.lessons import LESSONS
from salesops.playbook.notebooks import read_lesson, title_of
from salesops.wording import language, say

LANGS = ("zh", "en")
_STYLE = """
main { max-width: 46rem; margin: 0 auto; padding: 24px 16px 64px; }
nav { font-size: 13px; color: #56616b; display: flex; gap: 16px;
  flex-wrap: wrap; margin: 8px 0 24px; }
h1 { font-size: 28px; line-height: 1.3; } h2 { font-size: 21px; margin-top: 40px; }
p, ul, ol, table { margin: 0 0 12px; } pre + p { margin-top: 12px; }
pre { background: #f4f6f7; padding: 8px 12px; margin: 0 0 12px; overflow-x: auto;
  font: 13px/1.5 var(--mono); }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border-bottom: 1px solid #d5dade; padding: 4px 12px 4px 0; text-align: left; }
.prompt, .anchor-link { display: none; }
"""


def write_book(folder: Path) -> list[Path]:
    """Write the book: `index.<lang>.html`, a page per lesson, `glossary.html`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lang in LANGS:
        with language(lang):
            for number, lesson in enumerate(LESSONS):
                body = _lesson_body(lesson.stem, lang, number)
                written.append(_write(folder, lesson.stem, lang, _title(number, lang), body))
            written.append(_write(folder, "index", lang, say("lesson.book.title"), _index(lang)))
    terms = markdown2html(glossary())
    written.append(folder / "glossary.html")
    written[-1].write_text(_page("zh", "Glossary", _nav("zh", "index") + terms), encoding="utf-8")
    return written


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter(template_name="basic", exclude_input_prompt=True,
                        exclude_output_prompt=True)  # fmt: skip


@cache
def _title(number: int, lang: str) -> str:
    return title_of(LESSONS[number], lang)


def _lesson_body(stem: str, lang: str, number: int) -> str:
    notebook = read_lesson(LESSONS[number], lang)
    body, _resources = _exporter().from_notebook_node(notebook)
    links = [_nav(lang, stem)]
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


def _write(folder: Path, stem: str, lang: str, title: str, body: str) -> Path:
    path = folder / f"{stem}.{lang}.html"
    path.write_text(_page(lang, title, body), encoding="utf-8")
    return path


def _page(lang: str, title: str, body: str) -> str:
    tokens = files("salesops.charts").joinpath("tokens.css").read_text(encoding="utf-8")
    # Pages may be read without a network: nothing may be asked for from elsewhere.
    body = re.sub(r"<script\b.*?</script>", "", body, flags=re.S)
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{tokens}{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def main() -> None:
    """Write the book where it was asked for."""
    parser = argparse.ArgumentParser(prog="make book")
    parser.add_argument("--out", default="build/book", type=Path)
    written = write_book(parser.parse_args().out)
    print(f"{len(written)} pages; begin with {written[-1].parent / 'index.zh.html'}")


if __name__ == "__main__":
    main()
