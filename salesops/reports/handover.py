"""What a report hands over beside its page: a workbook, pictures and data, of the same Result.

The factory puts a cell behind a notebook's last one; in the kernel it writes the files from the
`result` that the page shows, so that no number is worked out a second time. The cell leaves the
notebook again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from salesops.model.errors import SalesopsError

FORMATS = ("html", "pdf", "xlsx", "png", "json")
# Of these a kernel writes the files; a page is laid out, and a PDF printed, when it is done.
OF_KERNEL = ("xlsx", "png", "json")
FILES_MIME = "application/vnd.salesops.files+json"
TAG = "export"
_CELL = """\
from salesops.reports.handover import hand_over
hand_over(globals().get("result"), {folder!r}, {stem!r}, {formats!r})
"""


@dataclass(eq=False, kw_only=True)
class UnknownFormat(SalesopsError, ValueError):
    """A report is asked for in a format that there is not."""

    value: str

    def __str__(self) -> str:
        return (
            f"Format {self.value!r} is not known.\n"
            f"Expected: {', '.join(FORMATS)}, or several with commas.\n"
            "Write for example: --format html,pdf,xlsx."
        )


@dataclass(eq=False, kw_only=True)
class NoResult(SalesopsError, LookupError):
    """A notebook leaves nothing from which files could be written."""

    stem: str

    def __str__(self) -> str:
        return (
            f"The notebook of {self.stem} leaves no result to write files from.\n"
            "Expected: a variable `result` that holds what an analysis gave.\n"
            "Write for example in its head cell: result = salesops.funnel(…)."
        )


def checked_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Give the formats without doubles; found before anything runs where one can't be made.

    Raises
    ------
    UnknownFormat
        There is no such format.
    NoBrowser
        PDF is asked for and there is no Chromium.

    Examples
    --------
    >>> checked_formats(["html", "xlsx", "html"])
    ('html', 'xlsx')
    """
    for one in formats:
        if one not in FORMATS:
            raise UnknownFormat(value=one)
    if "pdf" in formats:
        from salesops.reports.browser import find_browser

        find_browser()
    return tuple(dict.fromkeys(formats))


def export_cell(stem: str, folder: str | Path, formats: Sequence[str]) -> Any | None:
    """Give the cell that writes a report's files in the kernel; null where it has none to write.

    Parameters
    ----------
    stem
        Name of the files, without what tells them apart.
    folder
        Where they go; it must be there.
    formats
        Formats that are asked for; those that a kernel does not write are left out.

    Examples
    --------
    >>> export_cell("funnel.en", "out", ["html"]) is None
    True
    """
    wanted = [one for one in formats if one in OF_KERNEL]
    if not wanted:
        return None
    from nbformat.v4 import new_code_cell

    source = _CELL.format(folder=str(Path(folder).absolute()), stem=stem, formats=wanted)
    return new_code_cell(source, id=TAG, metadata={"tags": [TAG]})  # type: ignore[no-untyped-call]


def taken_files(notebook: Any) -> dict[str, Any]:
    """Take the cell out of an executed notebook, and give the files that it wrote.

    Returns
    -------
    dict
        Name of a file by format; `png` a list; `without_picture` the keys of exhibits that are
        tables. Empty where the notebook failed before.
    """
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        if TAG in cell.get("metadata", {}).get("tags", []):
            for output in cell.get("outputs", []):
                found.update(output.get("data", {}).get(FILES_MIME) or {})
    notebook.cells = [c for c in notebook.cells if TAG not in c.get("metadata", {}).get("tags", [])]
    # papermill keeps the notebook that it was given, with this cell.
    notebook.metadata.get("papermill", {}).pop("input_path", None)
    return found


@dataclass(frozen=True)
class Handed:
    """The files that were written; shown to the factory alone."""

    files: Mapping[str, Any]

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        return {FILES_MIME: dict(self.files), "text/plain": ", ".join(self.files)}


def hand_over(result: Any, folder: str | Path, stem: str, formats: Sequence[str]) -> Handed:
    """Write a Result's files, each under a temporary name and renamed.

    Parameters
    ----------
    result
        What an analysis gave.
    folder, stem, formats
        As of `export_cell`.

    Raises
    ------
    NoResult
        It is no Result.
    UnknownFormat
        There is no such format.
    ValueError
        The stem is no name of a file.
    """
    from salesops.analyses.result import Result

    if not isinstance(result, Result):
        raise NoResult(stem=stem)
    if Path(stem).name != stem or stem.startswith("."):
        raise ValueError(f"{stem!r} is not the name of a file")
    place = Path(folder)
    files: dict[str, Any] = {}
    for one in formats:
        if one == "xlsx":
            files["xlsx"] = _workbook(result, place / f"{stem}.xlsx").name
        elif one == "json":
            files["json"] = _data(result, place / f"{stem}.json").name
        elif one == "png":
            files |= _pictures(result, place, stem)
        elif one not in FORMATS:
            raise UnknownFormat(value=one)
    return Handed(files)


def _workbook(result: Any, path: Path) -> Path:
    from salesops.reports.sheets import write_workbook
    from salesops.reports.workbook import sheets_of

    return write_workbook(sheets_of(result), path)


def _data(result: Any, path: Path) -> Path:
    from salesops.charts.parts import to_json
    from salesops.reports.sheets import in_one_step

    text = to_json(data_of(result))
    return in_one_step(path, lambda part: part.write_text(text, encoding="utf-8"))


def _pictures(result: Any, folder: Path, stem: str) -> dict[str, Any]:
    """Draw the exhibits as the page does, at twice its pixels, on white."""
    from salesops.charts import theme
    from salesops.reports.sheets import in_one_step

    made, none = [], []
    for key, exhibit in result.exhibits.items():
        if exhibit.draw is None:
            none.append(key)
            continue
        about = {"Title": exhibit.title.text(), "Description": exhibit.alt()}
        figure = exhibit.figure()
        path = folder / picture_name(stem, key)
        with theme.house_theme():
            in_one_step(path, lambda part, figure=figure, about=about: figure.savefig(  # type: ignore[misc]
                part, format="png", dpi=192, facecolor="white", metadata=about))  # fmt: skip
        made.append(path.name)
    return {"png": made, "without_picture": none}


def picture_name(stem: str, key: str) -> str:
    """Name the picture of an exhibit.

    Examples
    --------
    >>> picture_name("funnel.en", "stages")
    'funnel.en.stages.png'
    """
    return f"{stem}.{re.sub(r'[^0-9A-Za-z_-]+', '-', key)}.png"


def data_of(result: Any) -> dict[str, Any]:
    """Give metrics and findings as plain data: raw numbers, their units and words beside them."""
    from salesops.metrics.catalogue import CATALOGUE
    from salesops.reports.columns import figure_name
    from salesops.wording import current_language, label, say_gap
    from salesops.wording.language import current_settings

    facts = result.facts()
    known = {name: CATALOGUE[name].unit for name in result.metrics if name in CATALOGUE}
    metrics = [
        {
            "id": name, "value": value, "unit": known.get(name) or _unit(name),
            # The catalogue's entry; a number of this report alone has none.
            "definition": f"metric.{name}.definition" if name in known else None,
            "name": figure_name(name),
            "defined": label(f"metric.{name}.definition", otherwise="") or None,
        }
        for name, value in facts["metrics"].items()
    ]  # fmt: skip
    findings = [
        {**told, **_said(finding)}
        for told, finding in zip(facts["findings"], result.findings, strict=True)
    ]
    gaps = [{**told, "text": say_gap(gap)}
            for told, gap in zip(facts["gaps"], result.gaps, strict=True)]  # fmt: skip
    exhibits = [
        {
            "key": key, "title": shown.title.text(), "sensitivity": shown.sensitivity,
            "sub": shown.sub.text() if shown.sub else None,
            "note": shown.note.text() if shown.note else None,
            "is_picture": shown.draw is not None,
        }
        for key, shown in result.exhibits.items()
    ]  # fmt: skip
    return {
        **facts, "lang": current_language(), "currency": current_settings().company.currency,
        "metrics": metrics, "findings": findings, "gaps": gaps, "exhibits": exhibits,
    }  # fmt: skip


def _said(finding: Any) -> dict[str, Any]:
    from salesops.wording import say_finding

    words = say_finding(finding)
    return {f"{f.name}_text" if f.name != "text" else "text": getattr(words, f.name)
            for f in fields(words)}  # fmt: skip


def _unit(name: str) -> str:
    """Read a number's unit off its name."""
    import pandas as pd

    from salesops.reports.columns import kind_of

    return kind_of(name, pd.Series([0.5]), {})
