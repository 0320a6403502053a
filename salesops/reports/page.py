"""From an executed notebook to one self-contained page.

The outputs' own HTML is laid out by the tag of their cell: head and exhibits make page one, then
comes the detail, a fold with the method, and the appendix. Nothing is loaded from anywhere; inputs
are left out.
"""

import base64
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from salesops.charts import fonts
from salesops.charts.parts import LINKS, RESULT_MIME, stylesheet, unframed
from salesops.wording import label, language
from salesops.wording.numbers import cut, plain

LANGUAGE_NAMES = {"zh": "中文", "en": "English"}
# A name of a language -> how HTML calls it.
TONGUES = {"中文": "zh-CN", "English": "en"}
# A page that grows beyond this can't be sent around; tested on the sample company.
MOST_BYTES = 2_000_000


@dataclass(kw_only=True)
class Section:
    """A stretch of the detail: its heading, its prose, then what its cells show."""

    head: str = ""
    prose: str = ""
    parts: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Parts:
    """What the cells of a notebook show, by their place on the page."""

    facts: str = ""
    head: list[str] = field(default_factory=list)
    exhibits: list[str] = field(default_factory=list)
    detail: list[Section] = field(default_factory=list)
    fold: list[str] = field(default_factory=list)
    appendix: list[str] = field(default_factory=list)


@cache
def environment() -> jinja2.Environment:
    """Give the templates, escaping by default."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("salesops.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def result_of(notebook: Any) -> dict[str, Any] | None:
    """Read the facts that the executed notebook's result left behind; None where it failed."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(RESULT_MIME)
            if found is not None:
                return dict(found)
    return None


def parts_of(notebook: Any) -> Parts:
    """Sort what the cells show by their tag; a cell without one stays in the notebook."""
    found = Parts()
    for cell in notebook.cells:
        tags = cell.get("metadata", {}).get("tags", [])
        if cell.cell_type == "markdown":
            if "detail" in tags:
                head, rest = _headed(prose(cell.source))
                found.detail.append(Section(head=head, prose=rest))
            continue
        for shown in filter(None, map(_shown, cell.get("outputs", []))):
            _place(found, tags, shown)
    return found


def _place(found: Parts, tags: Sequence[str], shown: str) -> None:
    if "head" in tags:
        facts, links, rest = shown.partition(LINKS)
        # The head of the page is left open: the template adds the links and closes it.
        found.facts = facts.removesuffix("</header>") if links else found.facts
        found.head.append(rest if links else shown)
    elif "detail" in tags:
        if not found.detail:
            found.detail.append(Section())
        found.detail[-1].parts.append(shown)
    else:
        for place in ("exhibits", "fold", "appendix"):
            if place in tags:
                getattr(found, place).append(shown)


def _headed(text: str) -> tuple[str, str]:
    """Part a section's heading from its prose."""
    begins = re.match(r"\s*(<h2\b.*?</h2>)", text, re.DOTALL)
    return (begins[1], text[begins.end() :]) if begins else ("", text)


def _shown(output: Any) -> str:
    """Give an output as HTML: a part of ours, another library's table or picture, or text."""
    data = output.get("data", {})
    if "text/html" in data:
        text = "".join(data["text/html"])
        part = unframed(text)
        return part if part != text else f'<div class="out">{text}</div>'
    if "image/png" in data:
        alt = html.escape("".join(data.get("text/plain", "")))
        source = f"data:image/png;base64,{data['image/png']}"
        return f'<div class="out"><img src="{source}" alt="{alt}"></div>'
    if "text/plain" in data:
        return f"<pre>{html.escape(''.join(data['text/plain']))}</pre>"
    return ""


def prose(source: str) -> str:
    """Turn a markdown cell into HTML; markup inside it is shown, not obeyed."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer)(source))


def render(
    notebook: Any,
    *,
    report: str,
    lang: str,
    failure: Mapping[str, str] | None,
    links: Sequence[tuple[str, str]],
    command: str,
    made: str,
) -> str:
    """Write the page of one executed notebook.

    Parameters
    ----------
    notebook
        Executed, in the language of the page.
    report, lang
        Stem of the report and language.
    failure
        The cell that failed and why; null where all ran.
    links
        Text and address of the page's neighbours.
    command
        Command line that makes it again.
    made
        When it was made and how long it took, for the appendix.
    """
    with language(lang):
        parts = parts_of(notebook)
        facts = result_of(notebook) or {}
        name = label(f"report.{report}", otherwise=report)
        line = [name, *facts.get("head", [])]
        # The company stands in the line already where the report is of all of it.
        foot = [facts["company"], *line] if facts and facts["company"] not in line else line
        if facts:
            foot.append(f"{label('page.fingerprint')} {facts['fingerprint'][:8]}")
        return finished(
            environment().get_template("report.html.j2").render(
                lang=lang, name=name, title=" · ".join(line), parts=parts, failure=failure,
                links=links, command=command, made=made, label=label, tongues=TONGUES,
                sorting=sorting(), policy=policy(sorting()),
            ),
            print_foot=" · ".join(foot),
        )  # fmt: skip


@cache
def sorting() -> str:
    """Give the script that sorts tables; a page without it is whole too."""
    folder = files("salesops.reports").joinpath("templates")
    return folder.joinpath("sort.js").read_text(encoding="utf-8")


def policy(*scripts: str) -> str:
    """Say what a page may do: run these scripts, show what it brings along, load nothing.

    A script that came with the data does not run, however it got into the page.
    """
    hashes = (base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def finished(page: str, *, print_foot: str) -> str:
    """Put styles and, where needed, the embedded font into a page's head.

    Parameters
    ----------
    print_foot
        The line at the foot of each printed sheet.
    """
    face = fonts.face(fonts.without_pictures(page) + print_foot)
    own = f"<style>{face}\n{styles(print_foot)}</style>\n</head>"
    return page.replace("</head>", own, 1)


def styles(print_foot: str = "") -> str:
    """Give the styles of a page, with the line at the foot of each printed sheet."""
    # A line break would end the text and let the rest of it be read as styles.
    foot = cut(plain(" ".join(print_foot.split())), 300)
    quoted = foot.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ")
    return f'{stylesheet()}\n:root {{ --print-foot: "{quoted}"; }}'
