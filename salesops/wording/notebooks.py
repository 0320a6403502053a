"""Notebooks in both languages: markdown is English prose, one catalogue entry a paragraph."""

from typing import Any

from salesops.wording.catalogue import paragraphs
from salesops.wording.language import Language


def prose(notebook: Any, stem: str) -> list[tuple[str, str]]:
    """List the paragraphs of a notebook's markdown as (context, English text)."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            context = f"notebook:{stem}:{cell.id}"
            found += [(context, part.strip()) for part in cell.source.split("\n\n") if part.strip()]
    return found


def _part(stem: str) -> str:
    """Name the part of the catalogue: the folder of the notebook, such as `playbook`."""
    return stem.rpartition("/")[0]


def translate_notebook(notebook: Any, stem: str, lang: Language | str) -> Any:
    """Give a copy of a notebook whose prose is in `lang`; code and ids stay.

    Raises
    ------
    LookupError
        A paragraph has no entry, or its entry was written for an older text.
    """
    import copy

    translated = copy.deepcopy(notebook)
    if lang == "en":
        return translated
    stale = stale_paragraphs(notebook, stem)
    if stale:
        raise LookupError("; ".join(stale))
    known = paragraphs(_part(stem))
    for cell in translated.cells:
        if cell.cell_type == "markdown":
            context = f"notebook:{stem}:{cell.id}"
            parts = [part.strip() for part in cell.source.split("\n\n") if part.strip()]
            cell.source = "\n\n".join(known[context, part] for part in parts)
    return translated


def stale_paragraphs(notebook: Any, stem: str) -> list[str]:
    """List the paragraphs whose translation is missing or belongs to an older text."""
    known = paragraphs(_part(stem))
    said = []
    for context, text in prose(notebook, stem):
        if not known.get((context, text)):
            old = [english for (c, english) in known if c == context]
            said.append(f"{context} has no translation of {text!r}; the catalogue has {old!r}")
    return said
