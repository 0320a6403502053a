"""From an executed notebook to one self-contained page.

The outputs' own HTML is laid out by the role of their cell: the head and page one, then the detail,
then method and appendix. Nothing is loaded from anywhere; inputs are left out.
"""

import html
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import jinja2

from salesops.charts.parts import RESULT_MIME
from salesops.wording import label, language

PAGE_ONE = "page-one"


def environment() -> jinja2.Environment:
    """Give the templates, escaping by default."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("salesops.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def stylesheet() -> str:
    """Give the tokens and base styles that every page carries."""
    return files("salesops.charts").joinpath("tokens.css").read_text(encoding="utf-8")


def result_of(notebook: Any) -> dict[str, Any] | None:
    """Read the facts that the executed notebook's result left behind; None where it failed."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found = output.get("data", {}).get(RESULT_MIME)
            if found is not None:
                return dict(found)
    return None


def failure_of(notebook: Any) -> dict[str, str] | None:
    """Find the cell that failed and what it said; None where all ran."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("output_type") == "error":
                return {
                    "cell": cell.get("id", "?"),
                    "name": output["ename"],
                    "value": output["evalue"],
                }
    return None


def parts_of(notebook: Any) -> dict[str, list[str]]:
    """Sort what the cells show into `head`, `exhibits`, `detail` and `appendix`.

    A cell's tags say where it goes; prose without a tag goes with the detail, except the title.
    """
    found: dict[str, list[str]] = {"head": [], "exhibits": [], "detail": [], "appendix": []}
    for cell in notebook.cells:
        tags = cell.get("metadata", {}).get("tags", [])
        place = next((tag for tag in tags if tag in found), None)
        if place is None:
            continue
        if cell.cell_type == "markdown":
            found[place].append(_prose(cell.source))
            continue
        for output in cell.get("outputs", []):
            shown = output.get("data", {}).get("text/html")
            if shown is not None:
                found[place].append("".join(shown))
    return found


def _prose(source: str) -> str:
    """Turn a markdown cell into HTML, by the converter that nbconvert uses."""
    from nbconvert.filters.markdown import markdown2html

    return str(markdown2html(source))


def render(
    notebook: Any,
    *,
    report: str,
    lang: str,
    links: Sequence[tuple[str, str]],
    command: str,
    made: Mapping[str, str],
) -> str:
    """Write the page of one executed notebook.

    Parameters
    ----------
    notebook
        Executed, in the language of the page.
    report, lang
        Stem of the report and language.
    links
        Text and address of the page's neighbours.
    command
        Command line that makes it again.
    made
        When it was made and how long it took, for the appendix.
    """
    with language(lang):
        parts = parts_of(notebook)
        failure = failure_of(notebook)
        facts = result_of(notebook)
        title = label(f"report.{report}")
        if facts:
            title += f" · {facts['scope']} · {facts['period']}"
        return environment().get_template("report.html.j2").render(
            lang=lang, title=title, css=stylesheet(), parts=parts, failure=failure, links=links,
            command=command, made=made, label=label, report=report, facts=facts,
        )  # fmt: skip


def safe(text: str) -> str:
    """Escape a text that came from data."""
    return html.escape(text)
