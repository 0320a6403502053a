"""`salesops select`: a file of needs to fill in, and what follows from one that is filled in."""

import json
from pathlib import Path

from rich.console import Console

import salesops
from salesops.book.selectionfile import found_file, read_needs
from salesops.charts.selection_page import lots_table
from salesops.cli.running import languages, run_command
from salesops.model.selection import EXAMPLE
from salesops.opening import at
from salesops.sources.selectiontemplate import write_template
from salesops.wording import language, say_gap


def begin_needs(file: str, out: Console, *, lang: str) -> None:
    """Write the file that is to be filled in."""
    first = languages(lang)[0]
    with language(first):
        write_template(Path(file))
    out.print(f"Written to {file}; its candidates are made up. Write over them, then: "
              f"salesops select {file} --book BOOK", markup=False)  # fmt: skip


def choose(
    file: str, out: Console, err: Console, *, book: str, as_of: str, scope: str, lang: str,
    formats: str, folder: str,
) -> None:  # fmt: skip
    """Say who is first and why, then make the report."""
    langs = languages(lang)
    # Before the company is opened, which takes seconds.
    read_needs(file)
    found = salesops.selection(at(book, as_of, scope, langs[0]), needs=file)
    for clause in found.verdict:
        out.print(clause.text(), markup=False)
    table = lots_table(found.seen)
    out.print(table.plain if hasattr(table, "plain") else table.text(), markup=False)
    for gap in found.gaps:
        out.print(say_gap(gap), markup=False)
    place = file if file == EXAMPLE else str(found_file(file).absolute())
    run_command(
        ["selection"], book=book, as_of=as_of, period="latest", scopes=[scope], by="none",
        lang=lang, formats=formats, parameters=[f"needs={json.dumps(place)}"], folder=folder,
        out=out, err=err,
    )  # fmt: skip
