"""The files of an export that pulls write: read back, brought up to date, and written again."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
# Rows by what they belong to: of deals one row each, of a history the rows of each deal.
Groups: TypeAlias = dict[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a system answered of one object.

    Attributes
    ----------
    file
        Of the export; its ending says whether it is CSV or JSON.
    by
        The column by which rows belong together. Rows that are fetched anew take the place of all
        earlier ones with the same text there.
    heads
        The columns, in order.
    rows
        New and changed ones; where `whole` is true all there are.
    since
        The greatest time of change that was seen, as ISO text in UTC; the next pull begins there.
    marked
        Columns to set in earlier rows, such as that they were deleted.
    dropped
        What is there no more.
    there
        All that is there, where the system was asked for it: what is not among it is dropped.
    note
        What a person should know.
    """

    file: str
    by: str
    heads: tuple[str, ...]
    rows: Sequence[Row]
    whole: bool = True
    since: str = ""
    marked: Mapping[str, Row] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    there: frozenset[str] | None = None
    note: str = ""


def brought_up_to_date(past: Groups, fetched: Fetched) -> Groups:
    """Put what was fetched in the place of what was known.

    Examples
    --------
    >>> past = {"1": [{"Id": "1", "Stage": "A"}], "2": [{"Id": "2", "Stage": "B"}]}
    >>> now = Fetched(file="d.csv", by="Id", heads=("Id", "Stage"), whole=False,
    ...               rows=[{"Id": "2", "Stage": "C"}], dropped=frozenset({"1"}))
    >>> brought_up_to_date(past, now)
    {'2': [{'Id': '2', 'Stage': 'C'}]}
    """
    groups = {} if fetched.whole else dict(past)
    groups |= grouped(fetched.rows, fetched.by)
    for key, values in fetched.marked.items():
        if key in groups:
            groups[key] = [{**row, **values} for row in groups[key]]
    gone = set(fetched.dropped)
    if fetched.there is not None:
        gone |= set(groups) - fetched.there
    return {key: groups[key] for key in sorted(groups) if key not in gone}


def grouped(rows: Iterable[Row], by: str) -> Groups:
    """Put rows together that belong together."""
    groups: Groups = {}
    for row in rows:
        groups.setdefault(str(row[by]), []).append(row)
    return groups


def read_export(path: Path, by: str) -> Groups:
    """Read a file of an export back; nothing where it is not there."""
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return grouped(json.loads(text)["dataList"], by)
    return grouped(csv.DictReader(io.StringIO(text, newline="")), by)


def export_text(file: str, heads: Sequence[str], groups: Groups) -> str:
    """Write rows as the file of an export: JSON a record per line, or CSV with all in quotes.

    Examples
    --------
    >>> print(export_text("d.csv", ["Id", "Won"], {"7": [{"Id": "7", "Won": True}]}), end="")
    "Id","Won"
    "7","true"
    """
    rows = [row for group in groups.values() for row in group]
    if file.endswith(".json"):
        lines = [json.dumps({h: row[h] for h in heads if row.get(h) is not None},
                            ensure_ascii=False) for row in rows]  # fmt: skip
        return '{"dataList": [\n' + ",\n".join(lines) + "\n]}\n"
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_text(row.get(head)) for head in heads] for row in rows)
    return out.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
