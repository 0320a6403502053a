"""Targets that somebody hands in: checked, compared with those in force, and added with a name.

Nothing that was set before is changed: a new amount is a further row with its own `set_at`, so
that a book of an earlier date shows what held then. `targets_log.csv` beside the tables says who
handed in which change, and when.
"""

import datetime as dt
from decimal import Decimal

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.model.calendar import Period
from salesops.model.errors import nearest
from salesops.sources.targetgrids import BadTargets
from salesops.sources.targetnames import LEVELS, Names, refuse_circles
from salesops.sources.targetsheets import METRIC_WORDS

KEYS = ["period", "level", "key", "metric"]
SEVERAL = " + "
CHANGES = [*KEYS, "name", "before", "after", "where"]


def names_of(book: Book) -> Names:
    """Give whom targets of a book may speak of.

    Raises
    ------
    ManagersInCircle
        Nobody could say who hands in whose targets.
    """
    columns = ["id", "name", "team", "region", "left_on", "manager_id"]
    people = book.unscoped("users").select(*columns).to_pandas()
    # Who is hired but has not begun is planned for already.
    coming = book.store.tables["users"].select(*columns).to_pandas()
    coming = coming[~coming["id"].isin(people["id"])]
    people = pd.concat([people, coming], ignore_index=True) if len(coming) else people
    refuse_circles(people, book.store.where)
    old = in_force(book)[["level", "key"]].itertuples(index=False, name=None)
    company = book.settings.company
    return Names(people=people, company=company.name, standing=frozenset(old),
                 fiscal_year_starts=company.fiscal_year_starts,
                 currency=company.currency)  # fmt: skip


def in_force(book: Book) -> pd.DataFrame:
    """Give the targets of a book, the last set one of each: `KEYS` and `cents`."""
    frame = _versions(book).drop_duplicates(KEYS, keep="last")
    cents = [int(Decimal(str(amount)) * 100) for amount in frame["amount"]]
    return frame.assign(cents=cents)[[*KEYS, "cents"]].reset_index(drop=True)


def _versions(book: Book) -> pd.DataFrame:
    """Give every target that a book knows of, those set last at the end."""
    columns = [*KEYS, "set_at", "amount"]
    if not book.has("targets.amount"):
        return pd.DataFrame(columns=columns)
    # A target without a date of its own holds, however far ahead its month lies.
    rows = book.store.tables["targets"]
    rows = rows.filter(rows.set_at.isnull() | (rows.set_at <= instant(book.instant)))
    frame = rows.filter(_.amount.notnull()).select(*columns).to_pandas()
    frame["key"] = frame["key"].fillna("")
    return frame.sort_values("set_at", na_position="first", kind="stable")


def holds_from(changes: pd.DataFrame, book: Book, now: dt.datetime) -> dt.datetime:
    """Say from when on changes handed in now hold, in UTC.

    That is now, or the last instant that the book knows: what is handed in is no news of the
    market, the book's date does not move by it. It never lies before what it takes the place of,
    as where an export of today is dated to the end of the day.
    """
    before = changes[KEYS].merge(_versions(book), on=KEYS)["set_at"].max()
    at = min(now, book.instant)
    return at if pd.isna(before) else max(at, before.to_pydatetime())


def checked(new: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Refuse what can't be a target of this book; give it with each month once.

    Parameters
    ----------
    new
        As `read_target_sheets` gives it.

    Raises
    ------
    BadTargets
        An unknown level, key or metric, an amount below 0, a new amount for somebody who had
        left or a team that is no more, a person in two teams, or two amounts for one month.
    """
    names = names_of(book)
    left = pd.to_datetime(names.people.set_index("id")["left_on"])
    known = {level: names.keys(level) for level in LEVELS}
    held = in_force(book)
    metrics = sorted({*METRIC_WORDS, *held["metric"]})
    standing = set(held[[*KEYS, "cents"]].itertuples(index=False, name=None))
    for row in new.itertuples():
        if row.level not in LEVELS:
            raise BadTargets(where=row.where, reason=f"{row.level!r} is no level",
                             mend="Write company, region, team or user.")  # fmt: skip
        # What stood before somebody left, or a team was dissolved, is history, and may stay.
        stands = (row.period, row.level, row.key, row.metric, row.cents) in standing
        if row.key not in known[row.level] and not stands:
            raise BadTargets(
                where=row.where, reason=f"there is no {row.level} {row.key!r}",
                mend=f"Nearest: {nearest(row.key, known[row.level])}. Is it written as in the "
                "book, or from another one?",
            )  # fmt: skip
        if row.metric not in metrics:
            raise BadTargets(where=row.where, reason=f"no target is kept of {row.metric!r}",
                             mend=f"Write one of {', '.join(metrics)}.")  # fmt: skip
        if row.cents < 0:
            raise BadTargets(where=row.where, reason="the amount is below 0",
                             mend="A target is 0 or more; leave it empty for none.")  # fmt: skip
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
    # A sheet may be one metric's or one year's instead of a team's.
    of = [own["key"], own["metric"], own["period"].str[:4]]
    for (person, _metric, _year), sheets in sheet.groupby(of):
        several = sorted(set(sheets.dropna()))
        if len(several) > 1:
            mine = sheet.loc[sheets.index]
            first = own.loc[mine.index[mine == several[1]][0], "where"]
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


def kept_though_empty(empty: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Give the targets in force whose cells in a file are empty: `KEYS`, `cents`, `where`."""
    held = in_force(book)
    return empty.merge(held[held["cents"] != 0], on=KEYS)[[*KEYS, "cents", "where"]]


def sums_off(new: pd.DataFrame, book: Book) -> pd.DataFrame:
    """Say where parts do not make their whole once targets are taken over.

    Returns
    -------
    pandas.DataFrame
        One row per node and metric whose parts differ by a cent or more a month: `level`, `key`,
        `metric`, `months` (how many), `gap` (cents over all: parts less whole).

    Notes
    -----
    Of a team whose people sit in several regions nobody knows which part is whose: these regions
    are compared together, as `South + West`.
    """
    whole = pd.concat([in_force(book), new[[*KEYS, "cents"]]], ignore_index=True)
    whole = whole.drop_duplicates(KEYS, keep="last")
    whole = whole[whole["period"].isin(set(new["period"]))]
    people = names_of(book).people.set_index("id")
    over = book.settings.norms.over_assignment
    regions, shared = _regions(people)
    above = {"user": ("team", people["team"]), "team": ("region", regions)}
    found = []
    for level, (upper, of) in above.items():
        parts = whole[whole["level"] == level].assign(above=lambda f, of=of: f["key"].map(of))
        upon = _together(whole, shared) if level == "team" else whole
        found.append(_compared(upon, parts, upper, over if level == "user" else 1.0))
    regional = whole[whole["level"] == "region"].assign(above="")
    found.append(_compared(whole, regional, "company", 1.0))
    return pd.concat(found, ignore_index=True)


def _regions(people: pd.DataFrame) -> tuple["pd.Series[str]", list[str]]:
    """Give each team's region, and those that share a team; their teams belong to all of them."""
    named = people.dropna(subset=["team", "region"]).groupby("team")["region"]
    several = named.unique()[named.nunique() > 1]
    shared = sorted({region for regions in several for region in regions})
    first = named.first()
    return first.where(~first.isin(shared), SEVERAL.join(shared)), shared


def _together(whole: pd.DataFrame, shared: list[str]) -> pd.DataFrame:
    """Lay regions that share a team together, in months in which each of them has a target."""
    if not shared:
        return whole
    own = whole[(whole["level"] == "region") & whole["key"].isin(shared)]
    sums = own.groupby(["metric", "period"])["cents"].agg(["sum", "size"]).reset_index()
    sums = sums[sums["size"] == len(shared)].rename(columns={"sum": "cents"})
    joined = sums.assign(level="region", key=SEVERAL.join(shared))[[*KEYS, "cents"]]
    return pd.concat([whole.drop(own.index), joined], ignore_index=True)


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
