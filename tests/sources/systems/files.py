"""Writing files as systems do."""

import csv
import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


def sheet(
    place: Path, rows: Iterable[dict], *, encoding: str = "utf-8", quoted: bool = False
) -> None:
    """Write a CSV; the first row names the columns."""
    listed = [{k: "" if v is None else v for k, v in row.items()} for row in rows]
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, listed[0], quoting=quoting)
        writer.writeheader()
        writer.writerows(listed)


def answer(place: Path, value: object) -> None:
    """Write the answer of an interface as JSON."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def local(at: dt.datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> str | None:
    """Write an instant of UTC as the time in China."""
    return at and at.replace(tzinfo=dt.UTC).astimezone(CHINA).strftime(form)


def utc(at: dt.datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> str | None:
    return at and at.strftime(form)


def day(at: dt.datetime | None) -> dt.date | None:
    """The day in China on which an instant of UTC lies."""
    return at and at.replace(tzinfo=dt.UTC).astimezone(CHINA).date()


def seconds(at: dt.datetime | None) -> int | None:
    return None if at is None else int(at.replace(tzinfo=dt.UTC).timestamp())


def millis(at: dt.datetime | dt.date | None) -> int | None:
    """Milliseconds since 1970 of an instant of UTC, or of the beginning of a day in China."""
    if at is None:
        return None
    if not isinstance(at, dt.datetime):
        at = dt.datetime.combine(at, dt.time(), CHINA).astimezone(dt.UTC).replace(tzinfo=None)
    return int(at.replace(tzinfo=dt.UTC).timestamp()) * 1000


def states(rows: list[dict], deal: dict, fields: tuple[str, ...]) -> list[dict]:
    """Unroll the log of a deal into the states that it was in, each from its time on."""
    mine = sorted((r for r in rows if r["entity_id"] == deal["id"] and r["field"] in fields),
                  key=lambda r: r["changed_at"])  # fmt: skip
    state = {f: _text(deal[f]) for f in fields}
    for change in reversed(mine):
        state[change["field"]] = change["old_value"]
    found = [{**state, "at": deal["created_at"], "by": deal["owner_id"]}]
    for change in mine:
        state[change["field"]] = change["new_value"]
        entry = {**state, "at": change["changed_at"], "by": change["changed_by"]}
        if found[-1]["at"] == entry["at"]:
            found[-1] = entry
        else:
            found.append(entry)
    return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)
