"""Targets that somebody hands in: checked, compared with those in force, and added with a name.

Nothing that was set before is changed: a new amount is a further row with its own `set_at`, so
that a book of an earlier date shows what held then. `targets_log.csv` beside the tables says who
handed in which change, and when.
"""

import csv
import datetime as dt
import io
import os
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from salesops.book.book import Book
from salesops.model.calendar import Period
from salesops.sources.targetsheets import LEVELS, BadTargets, Names

LOG = "targets_log.csv"
KEYS = ["period", "level", "key", "metric"]
CHANGES = [*KEYS, "name", "before", "after", "where"]


def names_of(book: Book) -> Names:
    """Give whom targets of a book may speak of."""
    people = book.unscoped("users").select("id", "name", "team", "region").to_pandas()
    return Names(people=people, company=book.settings.company.name)


def in_force(book: Book) -> pd.DataFrame:
    """Give the targets of a book, the last set one of each: `KEYS` and `cents`."""
    columns = [*KEYS, "set_at", "amount"]
    if not book.has("targets.amount"):
        return pd.DataFrame(columns=[*KEYS, "cents"])
    frame = book.unscoped("targets").select(*columns).to_pandas()
    frame["key"] = frame["key"].fillna("")
    frame = frame.sort_values("set_at", na_position="first", kind="stable")
    frame = frame.drop_duplicates(KEYS, keep="last").dropna(subset=["amount"])
    cents = [int(Decimal(str(amount)) * 100) for amount in frame["amount"]]
    return frame.assign(cents=cents)[[*KEYS, "cents"]].reset_index(drop=True)


def checked(new: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Refuse what can't be a target of this book; give it with each month once.

    Parameters
    ----------
    new
        As `read_target_sheets` gives it.

    Raises
    ------
    BadTargets
        An unknown level or key, an amount below 0, a new amount for somebody who had left, a
        person in two teams, or two amounts for one month.
    """
    people = book.unscoped("users").select("id", "name", "team", "left_on").to_pandas()
    left = pd.to_datetime(people.set_index("id")["left_on"])
    names = names_of(book)
    known = {(level, key): key in names.found(level, key)
             for level, key in new[["level", "key"]].drop_duplicates().itertuples(index=False)
             if level in LEVELS}  # fmt: skip
    standing = set(in_force(book)[[*KEYS, "cents"]].itertuples(index=False, name=None))
    for row in new.itertuples():
        if row.level not in LEVELS:
            raise BadTargets(where=row.where, reason=f"{row.level!r} is no level",
                             mend="Write company, region, team or user.")  # fmt: skip
        if not known[row.level, row.key]:
            raise BadTargets(where=row.where, reason=f"there is no {row.level} {row.key!r}",
                             mend="Is it written as in the book, or from another one?")  # fmt: skip
        if row.cents < 0:
            raise BadTargets(where=row.where, reason="the amount is below 0",
                             mend="A target is 0 or more; leave it empty for none.")  # fmt: skip
        # What stood before somebody left is history, and may stay.
        stands = (row.period, row.level, row.key, row.metric, row.cents) in standing
        gone = left.get(row.key) if row.level == "user" and not stands else None
        if gone is not None and not pd.isna(gone) and gone.date() < Period.parse(row.period).start:
            raise BadTargets(
                where=row.where, reason=f"{row.key} left on {gone:%Y-%m-%d}, before {row.period}",
                mend="Give the target to whoever took over, and take this row away.",
            )  # fmt: skip
    _refuse_two_teams(new)
    return _once(new)


def _refuse_two_teams(new: pd.DataFrame) -> None:
    """Refuse a person who stands in the sheets of two teams."""
    own = new[(new["level"] == "user") & new["where"].str.contains(", sheet ")]
    sheet = own["where"].str.extract(r", sheet (.*), (?:row|cell) ")[0]
    for person, sheets in sheet.groupby(own["key"]):
        several = sorted(set(sheets.dropna()))
        if len(several) > 1:
            first = own.loc[(own["key"] == person) & (sheet == several[1]), "where"].iloc[0]
            raise BadTargets(
                where=first, reason=f"{person} stands in the sheets {' and '.join(several[:2])}",
                mend="Leave the person in one team's sheet.",
            )  # fmt: skip


def _once(new: pd.DataFrame) -> pd.DataFrame:
    """Refuse two amounts for one month, as where a quarter stands beside a month of it."""
    several = new.groupby(KEYS)["cents"].nunique()
    bad = several.index[several > 1]
    if len(bad):
        period, level, key, metric = bad[0]
        rows = new[(new[KEYS] == list(bad[0])).all(axis=1)]
        places = " and ".join(rows["where"].head(2))
        raise BadTargets(
            where=places, reason=f"{period} of {level} {key} ({metric}) is set twice",
            mend="Keep one row; a quarter or a year can't stand beside its own months.",
        )  # fmt: skip
    return new.drop_duplicates(KEYS).reset_index(drop=True)


def differences(new: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Compare targets handed in with those in force.

    Returns
    -------
    pandas.DataFrame
        One row per target that is new or another amount: `CHANGES`; `before` and `after` in
        cents, `before` null where none was set.
    """
    old = in_force(book).rename(columns={"cents": "before"}).astype({"before": "Int64"})
    both = new.merge(old, on=KEYS, how="left")
    moved = both[both["before"].isna() | (both["before"] != both["cents"])]
    people = names_of(book).people.set_index("id")["name"]
    name = moved["key"].map(people).where(moved["level"] == "user", moved["key"])
    return moved.assign(after=moved["cents"], name=name)[CHANGES].reset_index(drop=True)


def sums_off(new: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Say where parts do not make their whole once targets are taken over.

    Returns
    -------
    pandas.DataFrame
        One row per node and metric whose parts differ by a cent or more a month: `level`, `key`,
        `metric`, `months` (how many), `gap` (cents over all: parts less whole).
    """
    whole = pd.concat([in_force(book), new[[*KEYS, "cents"]]], ignore_index=True)
    whole = whole.drop_duplicates(KEYS, keep="last")
    whole = whole[whole["period"].isin(set(new["period"]))]
    people = names_of(book).people.set_index("id")
    over = book.settings.norms.over_assignment
    regions = people.dropna(subset=["team"]).groupby("team")["region"].first()
    above = {"user": ("team", people["team"]), "team": ("region", regions)}
    found = []
    for level, (upper, of) in above.items():
        parts = whole[whole["level"] == level].assign(above=lambda f, of=of: f["key"].map(of))
        found.append(_compared(whole, parts, upper, over if level == "user" else 1.0))
    regional = whole[whole["level"] == "region"].assign(above="")
    found.append(_compared(whole, regional, "company", 1.0))
    return pd.concat(found, ignore_index=True)


def _compared(whole: pd.DataFrame, parts: pd.DataFrame, level: str, over: float) -> pd.DataFrame:
    sums = parts.groupby(["above", "metric", "period"])["cents"].sum().rename("parts")
    own = whole[whole["level"] == level].set_index(["key", "metric", "period"])["cents"]
    own.index.names = ["above", "metric", "period"]
    both = pd.concat([own, sums], axis=1, join="inner").reset_index()
    # Only bookings are given out to people in excess.
    times = both["metric"].eq("bookings") * (over - 1.0) + 1.0
    gap = both["parts"] - times * both["cents"]
    both = both.assign(gap=gap)[gap.abs() > 1.5]
    found = both.groupby(["above", "metric"]).agg(months=("gap", "size"), gap=("gap", "sum"))
    return found.reset_index().rename(columns={"above": "key"}).assign(level=level)


def apply_targets(
    folder: Path, changes: pd.DataFrame, by: str, at: dt.datetime, now: dt.datetime
) -> None:
    """Add changed targets to a book's folder, and note who handed them in.

    Parameters
    ----------
    folder
        Holds `targets.csv`, `targets.parquet` or neither.
    changes
        As `differences` gives them.
    by
        Who hands them in.
    at
        From when on they hold, in UTC.
    now
        When they were handed in, for the log.
    """
    rows = changes.assign(amount=[_money(c) for c in changes["after"]],
                          set_at=f"{at:%Y-%m-%d %H:%M:%S.%f}")  # fmt: skip
    parquet = folder / "targets.parquet"
    if parquet.exists():
        _replaced(parquet, _with_rows(parquet, changes, at))
    else:
        file = folder / "targets.csv"
        text = file.read_text(encoding="utf-8-sig") if file.exists() else ""
        _replaced(file, _appended(text, rows, [*KEYS, "amount", "set_at"]).encode())
    log = folder / LOG
    noted = changes.assign(
        handed_in_at=f"{now:%Y-%m-%d %H:%M:%S}", by=by, after=[_money(c) for c in changes["after"]],
        before=["" if pd.isna(c) else _money(int(c)) for c in changes["before"]],
    )  # fmt: skip
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    _replaced(
        log, _appended(text, noted, ["handed_in_at", "by", *KEYS, "before", "after"]).encode()
    )


def _money(cents: int) -> str:
    return f"{int(cents) // 100}.{int(cents) % 100:02d}"


def _appended(text: str, rows: pd.DataFrame, columns: list[str]) -> str:
    """Write rows behind a CSV's own, in the order of its columns."""
    head = next(csv.reader(io.StringIO(text)), columns) if text else columns
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    if not text:
        writer.writerow(head)
    for row in rows.to_dict("records"):
        writer.writerow([row.get(column, "") for column in head])
    joint = "" if not text or text.endswith("\n") else "\n"
    return text + joint + lines.getvalue()


def _with_rows(parquet: Path, changes: pd.DataFrame, at: dt.datetime) -> bytes:
    table = pq.read_table(parquet)
    values = {**{c: changes[c].tolist() for c in KEYS},
              "amount": [Decimal(_money(c)) for c in changes["after"]],
              "set_at": [at.replace(tzinfo=None)] * len(changes)}  # fmt: skip
    columns = []
    for named in table.schema:
        own = pa.array(values.get(named.name, [None] * len(changes)))
        columns.append(own.cast(named.type))
    whole = pa.concat_tables([table, pa.table(columns, schema=table.schema)])
    raw = io.BytesIO()
    pq.write_table(whole, raw)
    return raw.getvalue()


def _replaced(path: Path, raw: bytes) -> None:
    """Write a file in one step, so that nobody reads half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(raw)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
