"""The register of a book, opened to be looked at or changed: by one at a time, whole or not."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from salesops.book.book import Book
from salesops.book.kept import table_files
from salesops.book.register import (
    BadAction,
    Known,
    Register,
    canonical_rows,
    last_number,
    new_register,
    read_register,
    with_row,
    write_register,
)
from salesops.book.registered import LAST, known_beside, last_given, register_file
from salesops.book.registerfile import FILE
from salesops.book.store import open_store
from salesops.sources.targetlock import alone
from salesops.stopping import uninterrupted


@dataclass(frozen=True, eq=False)
class Desk:
    """A book and its register.

    Attributes
    ----------
    where
        Path or URL, for messages.
    book
        Without a register that people keep, which may be faulty.
    known
        What the register's rows may speak of.
    register
        Its rows.
    """

    where: str
    book: Book
    known: Known
    register: Register

    @property
    def file(self) -> Path:
        """The register's file."""
        return register_file(Path(self.where))

    def next_id(self) -> str:
        """Give an id that no row has or had."""
        ids = [row.values["id"] for row in self.register.rows]
        return f"M{last_number(ids, self.known.last) + 1:06d}"

    def frame(self) -> pd.DataFrame:
        """Give all rows as a frame with every canonical column."""
        frame = canonical_rows(self.register).to_pandas()
        wanted = ["id", "kind", "finding_id", "scope", "owner_id", "created_at", "due_on", "status",
                  "done_on", "note"]  # fmt: skip
        return frame.reindex(columns=[*wanted, *(c for c in frame if c not in wanted)])


def open_desk(where: str, codes: Collection[str], metrics: Collection[str]) -> Desk:
    """Open a book with its register, whichever form that has.

    Parameters
    ----------
    where
        Folder, `.duckdb` file or URL.
    codes, metrics
        Codes of findings and ids of metrics that there are.

    Raises
    ------
    NotABook
        There is no book.
    BadRegister, BadRows
        The register can't be meant as it stands.
    """
    book = Book.of(open_store(where, register=False))
    folder = Path(where) if "://" not in where else Path()
    raw = {name: book.store.tables[name] for name in book.store.present}
    known = known_beside(folder, raw, book.settings, lambda: book.date, codes=codes,
                         metrics=metrics)  # fmt: skip
    path = register_file(folder)
    if "actions" in raw:
        register = _of_table(raw["actions"].to_pandas().to_dict("records"))
    elif "://" not in where and path.is_file():
        register = read_register(path.read_bytes(), str(path), known)
    else:
        register = new_register()
    return Desk(where, book, known, register)


@contextmanager
def changing(where: str, codes: Collection[str], metrics: Collection[str]) -> Iterator[Desk]:
    """Open the register of a folder where nobody else can write to it in the `with` block.

    Raises
    ------
    BadAction
        The book is a database or a file, or its actions are parts of a table.
    BookBusy
        Somebody else writes to the book.
    """
    folder = Path(where)
    if "://" in where or not folder.is_dir():
        if "://" in where or folder.exists():
            raise BadAction(where=where, reason="a database is never written to",
                              mend="Import it into a folder first: salesops import.")  # fmt: skip
        open_store(where)
    files = table_files(folder, "actions")
    if files and files[0].parent != folder:
        raise BadAction(where=str(files[0].parent), reason="its register is a table in parts",
                          mend=f"Write its rows as {folder / FILE} and take the folder away.",
                          )  # fmt: skip
    with alone(folder, "salesops actions"):
        yield open_desk(where, codes, metrics)


def keep(desk: Desk, register: Register) -> None:
    """Put a changed register in the place of the old one; call it where `changing` holds.

    A register that an import wrote as Parquet is from now on the CSV that people edit.
    """
    folder, path = Path(desk.where), desk.file
    # A link stays one: what it leads to is written anew.
    target = path.resolve() if path.is_symlink() else path
    fresh = target.with_name(f".{path.name}.{os.getpid()}")
    number = last_number([row.values["id"] for row in register.rows], desk.known.last)
    try:
        fresh.write_bytes(write_register(register, desk.known.calendar))
        if target.exists():
            shutil.copymode(target, fresh)
        with uninterrupted():
            # First the number: one that is lost is better than one that is given twice.
            if number > last_given(folder):
                (folder / LAST).write_text(f"{number}\n", encoding="utf-8")
            fresh.replace(target)
            for other in table_files(folder, "actions"):
                if other.name != FILE:
                    other.unlink()
    finally:
        fresh.unlink(missing_ok=True)


def _of_table(rows: list[dict[Any, Any]]) -> Register:
    """Take over the rows of a table."""
    register = new_register()
    for row in rows:
        register = with_row(register, {str(c): _plain(str(c), v) for c, v in row.items()})
    return register


def _plain(column: str, value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime() if column == "created_at" else value.date()
    return value
