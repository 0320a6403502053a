"""What the commands of the register do: list, write down, end, move, check."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table

from salesops.book.register import BadAction, with_row, with_values
from salesops.book.registercells import Unclear, day_of, number_of
from salesops.book.registerrows import row_faults
from salesops.book.scope import parse_scope
from salesops.cli.lastrun import last_findings
from salesops.cli.running import BadOption
from salesops.metrics.actions import state_of
from salesops.metrics.catalogue import CATALOGUE, metric
from salesops.sources.registerstore import Desk, changing, keep, open_desk
from salesops.wording.catalogue import entries

STATES = ("open", "late", "done", "dropped")
SHOWN = 15
# What the other columns of the list take, and what is left for the text at least.
TAKEN, LEAST = 69, 12


def finding_codes() -> frozenset[str]:
    """Name the findings that there are: each has a sentence, and one of what to do."""
    known = entries()
    return frozenset(code for code in known if f"{code}.action" in known)


def desk_of(where: str) -> Desk:
    """Open a register to be looked at."""
    return open_desk(where, finding_codes(), tuple(CATALOGUE))


def list_rows(where: str, out: Console, *, state: str, owner: str, scope: str) -> None:
    """Show the rows that fit, with their state and what their findings put at stake."""
    if state and state not in STATES:
        raise BadOption(option="--state", value=state, expected="open, late, done or dropped")
    desk = desk_of(where)
    frame = desk.frame()
    frame["state"] = state_of(frame, desk.book.date)
    shown = frame[frame["state"] == state] if state else frame
    if owner:
        shown = shown[shown["owner_id"] == _person(desk, owner)]
    if scope:
        parse_scope(scope)
        below = shown["scope"].fillna("company").str.startswith(f"{scope}/")
        shown = shown[(shown["scope"].fillna("company") == scope) | below]
    if shown.empty:
        out.print("No row of the register fits." if len(frame) else "The register is empty.")
    else:
        out.print(_listed(desk, shown, max(out.width - TAKEN, LEAST)))
    counts = ", ".join(f"{int((frame['state'] == s).sum())} {s}" for s in STATES)
    out.print(f"{len(shown)} of {len(frame)} rows; on {desk.book.date}: {counts}.")
    later = int((pd.to_datetime(frame["created_at"]) > pd.Timestamp(desk.book.instant)).sum())
    if later:
        out.print(f"{later} of them were made after that day: reports show them once the book "
                  "knows later days.")  # fmt: skip
    if frame.empty:
        out.print(f"Next: salesops actions {where} add, after a salesops run; or snag TEXT.")


def _listed(desk: Desk, rows: pd.DataFrame, room: int) -> Table:
    found = {finding["id"]: finding for finding in last_findings(desk.where)[1]}
    people = desk.known.people or {}
    table = Table("id", "kind", "state", "owner", "due")
    table.add_column("what", overflow="fold")
    table.add_column("money", justify="right")
    for row in rows.to_dict("records"):
        person = people.get(row["owner_id"])
        money = found.get(row["finding_id"], {}).get("at_stake")
        table.add_row(
            row["id"], row["kind"], row["state"], person.name if person else row["owner_id"] or "",
            "" if pd.isna(row["due_on"]) else f"{pd.Timestamp(row['due_on']):%Y-%m-%d}",
            _short(row["note"] or "", room), "" if money is None else f"{money:,.0f}",
        )  # fmt: skip
    return table


def _short(text: str, room: int) -> str:
    """Cut a text to one line; Chinese characters are twice as wide."""
    line = " ".join(text.split())
    return line if cell_len(line) <= room else set_cell_size(line, room - 1).rstrip() + "…"


def _person(desk: Desk, said: str) -> str:
    values, _told, wrong = row_faults({"owner_id": said}, desk.known)
    for column, value, problem in wrong:
        raise BadAction(where=f"--{column.removesuffix('_id')} {value}", reason=problem,
                          mend="Name somebody of the book, by id or by name.")  # fmt: skip
    return str(values["owner_id"])


def checked_row(desk: Desk, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row's values as they would be read.

    Raises
    ------
    BadAction
        They could not be meant; nothing was written.
    """
    found, _told, wrong = row_faults(values, desk.known)
    if wrong:
        column, value, problem = wrong[0]
        raise BadAction(where=f"{values['id']}, {column} {value}", reason=problem,
                          mend="Name another one.")  # fmt: skip
    return found


def today(desk: Desk) -> dt.date:
    """Give the day of what is written now: never after what the book knows.

    What the review writes down is no news of the market, and a report for the book's last day is
    to show it.
    """
    assert desk.known.today is not None
    return min(desk.known.today, desk.book.date)


def day_option(option: str, text: str) -> dt.date:
    """Read a day of the command line."""
    try:
        return day_of(text, "unknown")
    except Unclear as unclear:
        raise BadOption(option=option, value=text, expected="a day such as 2026-07-15",
                        example=f"{option} 2026-07-15") from unclear  # fmt: skip


def number_option(option: str, text: str) -> float | None:
    """Read a number of the command line; None where there is none."""
    if not text:
        return None
    try:
        return number_of(text, ",")
    except Unclear as unclear:
        raise BadOption(option=option, value=text, expected="a number such as 0.05 or 5%",
                        example=f"{option} 0.05") from unclear  # fmt: skip


def value_now(desk: Desk, name: str, scope: str, as_of: str, period: str) -> float | None:
    """Give a metric in a scope as it was known at a day; None where it has no meaning."""
    book = desk.book.as_of(as_of)
    limits = parse_scope(scope)
    book = book if limits.is_company else book.within(limits)
    value = metric(book, name, period=period)[name].iloc[0]
    return None if pd.isna(value) else float(value)


def add_row(
    where: str, out: Console, *, kind: str, text: str, owner: str, due: str, scope: str,
    metric: str = "", expect: str = "",
) -> None:  # fmt: skip
    """Write down a snag or a decision."""
    if not text.strip():
        raise BadOption(option="TEXT", value=text, expected="a sentence", example='"…"')
    expected = number_option("--expect", expect)
    with changing(where, finding_codes(), tuple(CATALOGUE)) as desk:
        day = today(desk)
        told = {
            "id": desk.next_id(), "kind": kind, "scope": scope, "owner_id": owner or None,
            "metric": metric or None, "created_at": desk.known.calendar.start_of(day),
            "due_on": day_option("--due", due) if due else None, "status": "open",
            "expected_effect": expected, "note": text.strip(),
        }  # fmt: skip
        row = checked_row(desk, told)
        if metric:
            row["baseline"] = value_now(desk, metric, row["scope"], day.isoformat(), "latest")
        keep(desk, with_row(desk.register, row))
    base = row.get("baseline")
    out.print(f"{row['id']} ({kind}) is written down, dated {day}."
              + (f" Baseline: {metric} {base:.4g}." if base is not None else ""))  # fmt: skip


def end_row(
    where: str, out: Console, id_: str, *, status: str, on: str, why: str = ""
) -> None:  # fmt: skip
    """Say that a row is done, or given up."""
    with changing(where, finding_codes(), tuple(CATALOGUE)) as desk:
        row = _row(desk, id_)
        if row["status"] in ("done", "dropped"):
            raise BadAction(
                where=f"{desk.file}, {id_}", reason=f"it is {row['status']} since "
                f"{row.get('done_on') or 'a day that is not noted'}",
                mend="To take that back, empty done_on and write open for its status in the file.",
            )  # fmt: skip
        day = day_option("--on", on) if on else today(desk)
        made = row.get("created_at")
        if not on and made is not None:
            day = max(day, desk.known.calendar.local_date(made))
        note = " | ".join(part for part in (row.get("note"), why.strip()) if part)
        values = {"status": status, "done_on": day, "note": note or None}
        checked_row(desk, {**row, **values})
        keep(desk, with_values(desk.register, id_, str(desk.file), values))
    out.print(f"{id_} is {status} on {day}." + ("" if on else " Another day: --on DATE."))


def move_due(where: str, out: Console, id_: str, day: str) -> None:
    """Move the day by which a row is to be done."""
    moved = day_option("DATE", day)
    with changing(where, finding_codes(), tuple(CATALOGUE)) as desk:
        row = _row(desk, id_)
        checked_row(desk, {**row, "due_on": moved})
        keep(desk, with_values(desk.register, id_, str(desk.file), {"due_on": moved}))
    before = row.get("due_on")
    out.print(f"{id_} is due on {moved}" + (f", no longer on {before}." if before else "."))


def _row(desk: Desk, id_: str) -> dict[str, Any]:
    # The lookup refuses an id that there is not, and names those that there are.
    register = with_values(desk.register, id_, str(desk.file), {})
    return {k: v for row in register.rows if row.values["id"] == id_ for k, v in row.values.items()}


def check_register(where: str, out: Console, *, write: bool) -> None:
    """Tell what was read otherwise than it is written."""
    if write:
        with changing(where, finding_codes(), tuple(CATALOGUE)) as desk:
            keep(desk, desk.register)
    else:
        desk = desk_of(where)
    told = desk.register.readings
    for one in told[:SHOWN]:
        said = f"{one.written!r}" if one.written else "empty"
        out.print(f"line {one.line}, {one.column}: {said}, read as {one.read}", markup=False)
    if len(told) > SHOWN:
        out.print(f"… and {len(told) - SHOWN} more.")
    undated = [
        row.values["id"]
        for row in desk.register.rows
        if row.values.get("status") == "done" and row.values.get("done_on") is None
    ]
    if undated:
        out.print(f"Done without a date, so that its effect can't be told: {', '.join(undated)}.")
    n = len(desk.register.rows)
    out.print(f"{n} rows can be meant as they stand; {len(told)} cells were read otherwise.")
    if write:
        out.print(f"Written in one form each to {desk.file}.")
    elif told and Path(where).is_dir():
        out.print(f"Write them so: salesops actions {where} check --write")
