"""Records instead of rows: JSON as APIs answer it, lists inside a record, a column per month."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd

from salesops.sources.grid import MOST_COLUMNS
from salesops.sources.mapping import Instead, Months, Source

ENDING = ".json"


class NoRecords(ValueError):
    """A JSON text holds no list of records; the text says why."""


def is_records(path: Path) -> bool:
    """Say whether a file is JSON by its name.

    Examples
    --------
    >>> is_records(Path("opportunity.json"))
    True
    """
    return path.suffix.lower() == ENDING


def records_frame(text: str) -> pd.DataFrame:
    """Read the records of a JSON text as texts, one row each, numbered from 1.

    The records may stand in a list, in the answer of an API at any depth, in a list of such answers
    (its pages), or one per line. Numbers keep every digit; lists and records inside a record stay
    JSON text, of which a mapping takes a part.

    Parameters
    ----------
    text
        The whole text of the file.

    Returns
    -------
    pandas.DataFrame
        A column per field that any record has.

    Raises
    ------
    NoRecords
        The text is no JSON, or holds no list of records, or several that differ.

    Examples
    --------
    >>> answer = '{"code": 200, "result": {"count": 1, "records": [{"id": 7081245790101504}]}}'
    >>> records_frame(answer).loc[1, "id"]
    '7081245790101504'
    """
    rows = [record for page in _pages(text) for record in _listed(page)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) > MOST_COLUMNS:
        raise NoRecords(f"its records have {len(names):,} fields, more than {MOST_COLUMNS:,}")
    texts = [[_text(row.get(name)) for name in names] for row in rows]
    return pd.DataFrame(texts, columns=names, index=range(1, len(rows) + 1), dtype=object)


def with_entries(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give each record of a column of lists a row of its own, beside the fields of the whole.

    Parameters
    ----------
    frame
        Texts; `column` holds lists of records as JSON.
    column
        Such as a sub-form; rows with none of its records are left out.

    Returns
    -------
    pandas.DataFrame
        One row per record, its fields as `column.field`; the index repeats the row of the file.

    Raises
    ------
    NoRecords
        A value is no list of records.

    Examples
    --------
    >>> frame = pd.DataFrame({"_id": ["a"], "sub": ['[{"x": 1}, {"x": 2}]']})
    >>> with_entries(frame, "sub")["sub.x"].tolist()
    ['1', '2']
    """
    rest = [name for name in frame.columns if name != column]
    rows: list[dict[str, str]] = []
    numbers: list[int] = []
    for number, record in zip(frame.index, frame.to_dict("records"), strict=True):
        text = record[column]
        listed = _parsed(text, f"row {number}: ") if text else []
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise NoRecords(f"row {number}: {column} holds {text[:40]!r}, no list of records")
        whole = {name: record[name] for name in rest}
        rows += [whole | {f"{column}.{k}": _text(v) for k, v in e.items()} for e in listed]
        numbers += [number] * len(listed)
    fields = dict.fromkeys([*rest, *(name for row in rows for name in row)])
    made = pd.DataFrame(rows, columns=list(fields), index=numbers, dtype=object)
    return made.fillna("")


def with_months(frame: pd.DataFrame, months: Months) -> pd.DataFrame:
    """Turn a column per month into a row per month.

    Parameters
    ----------
    frame
        Texts, one row per year.
    months
        Which columns are months, and where the year stands.

    Returns
    -------
    pandas.DataFrame
        The same columns, and `@month` and `@value`; the index repeats the row of the file.

    Examples
    --------
    >>> frame = pd.DataFrame({"year": ["2026"], "january": ["10"], "february": ["0"]})
    >>> asked = Months(year="year", columns={"january": 1, "february": 2}, empty=("0",))
    >>> with_months(frame, asked)[["@month", "@value"]].values.tolist()
    [['2026-01', '10']]
    """
    parts = []
    for name, month in months.columns.items():
        if name in frame:
            part = frame[(frame[name] != "") & ~frame[name].isin(months.empty)].copy()
            part["@month"] = part[months.year].str.strip() + f"-{month:02d}"
            part["@value"] = part[name]
            parts.append(part)
    if not parts:
        return frame.iloc[:0].assign(**{"@month": "", "@value": ""})
    return pd.concat(parts)


def otherwise(texts: pd.Series, frame: pd.DataFrame, source: Source) -> pd.Series:
    """Fill what is empty from the columns that count otherwise.

    Examples
    --------
    >>> frame = pd.DataFrame({"mobile": ["", "138"], "phone": ["0574", "0512"]})
    >>> otherwise(frame["mobile"], frame, Source(column="mobile", otherwise=("phone",))).tolist()
    ['0574', '138']
    """
    for column in source.otherwise:
        if column in frame:
            texts = texts.where(texts.notna() & (texts != ""), frame[column])
    return texts


def replaced(texts: pd.Series, frame: pd.DataFrame, instead: Sequence[Instead]) -> pd.Series:
    """Put in the texts that count instead; of several that hold the first counts.

    Examples
    --------
    >>> frame = pd.DataFrame({"phase": ["offer", "offer"], "state": ["G", "E"]})
    >>> won = Instead(where={"column": "state", "is_in": ["E"]}, value="won")
    >>> replaced(frame["phase"], frame, [won]).tolist()
    ['offer', 'won']
    """
    for other in reversed(instead):
        if other.where.found(frame) is not None:
            texts = texts.mask(other.where.holds(frame), other.value)
    return texts


def _pages(text: str) -> list[Any]:
    """Read a text that is one JSON value, or one per line."""
    try:
        return [_parsed(text)]
    except NoRecords:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [_parsed(line, f"line {n}: ") for n, line in enumerate(lines, 1)]


def _parsed(text: str, where: str = "") -> Any:
    try:
        # Ids of 64 bits and amounts keep their digits as texts.
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        raise NoRecords(f"{where}it is no JSON: {error}") from error


def _listed(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        if all(isinstance(item, dict) for item in value):
            # A list of answers is a list of pages.
            if value and all(map(_is_answer, value)):
                return [record for page in value for record in _inside(page) or []]
            return cast("list[dict[str, Any]]", value)
        raise NoRecords("its list holds values that are no records")
    found = _inside(value) if isinstance(value, dict) else None
    if found is not None:
        return found
    if isinstance(value, dict):
        return [value]
    raise NoRecords("it is a single value, no list of records")


def _is_answer(record: dict[str, Any]) -> bool:
    """Tell the answer of an API from a record that has a sub-form, by the name of its list."""
    wrapped = ("data", "result", "records", "list", "dataList", "results", "rows", "items")
    return any(isinstance(record.get(name), dict | list) for name in wrapped)


def _inside(answer: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Find the list of records in an answer: the first level that has one which is not empty."""
    level: list[Any] = [answer]
    empty: list[dict[str, Any]] | None = None
    while level:
        values = [value for record in level for value in record.values()]
        lists = [value for value in values if isinstance(value, list)]
        filled = [v for v in lists if v and all(isinstance(item, dict) for item in v)]
        if len(filled) > 1:
            raise NoRecords("it holds several lists of records; keep the one that is meant")
        if filled:
            return cast("list[dict[str, Any]]", filled[0])
        if empty is None and any(not value for value in lists):
            empty = []
        level = [value for value in values if isinstance(value, dict)]
    return empty


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value).strip()


def nested(texts: pd.Series, path: str) -> pd.Series:
    """Take a part of values that are JSON text, such as `0.id` of `[{"id": "u1"}]`."""

    def taken(text: Any) -> Any:
        if not isinstance(text, str) or not text.strip():
            return None
        try:
            value: Any = json.loads(text)
        except json.JSONDecodeError:
            # Lists are also written as `123;456`.
            parts = text.split(";")
            return parts[int(path)].strip() if path.isdigit() and int(path) < len(parts) else text
        for step in path.split("."):
            key, equal, wanted = step.partition("=")
            if isinstance(value, list) and equal:
                value = next((v for v in value if isinstance(v, dict)
                              and str(v.get(key)) == wanted), None)  # fmt: skip
            elif isinstance(value, list):
                value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
            elif isinstance(value, dict):
                value = value.get(step)
        return None if value is None else str(value)

    return texts.map(taken)
