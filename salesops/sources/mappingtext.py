"""A mapping written as TOML: to be read, edited and used again."""

from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel

from salesops.model.errors import SalesopsError
from salesops.sources.mapping import History, Mapping, Rows

# Canonical table and column -> why its source was chosen.
Reasons = Mapped[tuple[str, str], str]
_HEAD = (
    "The mapping of this export: on the left the columns of salesops, on the right those of the "
    "file.\nEdit it and use it with: salesops import EXPORT --source THIS_FILE --into BOOK"
)


def mapping_toml(mapping: Mapping, reasons: Reasons | None = None) -> str:
    """Write a mapping as TOML that reads back as the same mapping.

    Parameters
    ----------
    mapping
        What to write; what it leaves at its default is left out.
    reasons
        Notes to stand beside columns, by canonical table and column.

    Returns
    -------
    str
        The text of the file.

    Examples
    --------
    >>> from salesops.sources.mapping import mapping_text, read_mapping
    >>> maven = read_mapping(mapping_text("maven"), "maven")
    >>> read_mapping(mapping_toml(maven), "maven") == maven
    True
    """
    document = tomlkit.document()
    for line in _HEAD.splitlines():
        document.add(tomlkit.comment(line))
    plain = _plain(mapping)
    nested = {"recognised_by", "looks", "tables", "stages", "history", "corrections"}
    for key, value in plain.items():
        if key not in nested:
            document.add(key, _inline(value))
    for key in ("recognised_by", "looks"):
        if key in plain:
            document.add(key, _table(plain[key]))
    if mapping.tables:
        document.add("tables", _tables(mapping, reasons or {}))
    if "stages" in plain:
        document.add("stages", _stages(plain["stages"]))
    if mapping.history:
        document.add(
            "history", _listed([_history(part, reasons or {}) for part in mapping.history])
        )
    if mapping.corrections:
        document.add("corrections", _listed([_table(_plain(part)) for part in mapping.corrections]))
    return tomlkit.dumps(document)


@dataclass(eq=False, kw_only=True)
class MappingThere(SalesopsError, ValueError):
    """A mapping can't be written to a place without taking something else away."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The mapping can't be written to {self.where}: {self.reason}.\n"
            "Expected: the name of a new file, which can then be edited.\n"
            "Write for example: --mapping-out my.toml"
        )


def write_mapping(path: str | Path, text: str) -> None:
    """Write a mapping to a file of its own, to be edited and named by `--source`.

    Raises
    ------
    MappingThere
        There is a file already, which somebody may have edited, or no folder.
    """
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise MappingThere(where=str(path), reason="there is a file of that name") from error
    except OSError as error:
        raise MappingThere(where=str(path), reason=str(error.strerror or error)) from error


def _plain(part: BaseModel) -> dict[str, Any]:
    # A key that is written must read back, also where its value is the default of another form.
    return part.model_dump(mode="json", exclude_defaults=True)


def _tables(mapping: Mapping, reasons: Reasons) -> Any:
    tables = tomlkit.table(is_super_table=True)
    for name, parts in mapping.tables.items():
        tables.add(name, _listed([_rows(name, rows, reasons) for rows in parts]))
    return tables


def _rows(table: str, rows: Rows, reasons: Reasons) -> Any:
    plain = _plain(rows)
    columns = plain.pop("columns")
    written = _table(plain)
    written.add("columns", _commented(columns, table, reasons))
    return written


def _stages(plain: dict[str, Any]) -> Any:
    # Tables inside tables come last, as TOML wants it.
    nested = ("kinds", "names", "tables")
    written = _table({key: value for key, value in plain.items() if key not in nested})
    for key in ("kinds", "names"):
        if key in plain:
            written.add(key, _table(plain[key]))
    if "tables" in plain:
        written.add("tables", _listed([_table(part) for part in plain["tables"]]))
    return written


def _history(history: History, reasons: Reasons) -> Any:
    plain = _plain(history)
    fields = plain.pop("fields", None)
    written = _table(plain)
    if fields:
        written.add("fields", _commented(fields, history.entity, reasons))
    return written


def _commented(columns: dict[str, Any], table: str, reasons: Reasons) -> Any:
    written = tomlkit.table()
    for column, source in columns.items():
        written.add(column, _inline(source))
        if reason := reasons.get((table, column)):
            # A comment is one line, whatever the file's column is called.
            written[column].comment("".join(c if c.isprintable() else " " for c in reason))
    return written


def _listed(parts: list[Any]) -> Any:
    listed = tomlkit.aot()
    for part in parts:
        listed.append(part)
    return listed


def _table(values: dict[str, Any]) -> Any:
    table = tomlkit.table()
    for key, value in values.items():
        table.add(key, _inline(value))
    return table


def _inline(value: Any) -> Any:
    if isinstance(value, list):
        listed = tomlkit.array()
        for inner in value:
            listed.append(_inline(inner))
        return listed
    if not isinstance(value, dict):
        return value
    written = tomlkit.inline_table()
    for key, inner in value.items():
        written.append(key, _inline(inner))
    return written
