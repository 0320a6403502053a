"""What was handed over, what leavers left, what is claimed in vain: the frames of one report."""

import math

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.checks.leavers import RECENT, left_deals, untouched_accounts
from salesops.checks.teamwork import claims_of
from salesops.metrics.changed import names_of
from salesops.metrics.collaboration_load import last_year
from salesops.metrics.handovers import WAITING, half_touched, handovers
from salesops.metrics.opendeals import open_deals

ALL = ""


def handed_over(book: Book, back: int = 0) -> pd.DataFrame:
    """Give the hand-overs of the last year, or of the one so many years before, as a frame."""
    frame = handovers(book, last_year(book, back)).order_by("handed_at", "id").to_pandas()
    return frame.assign(is_late=frame["gap_days"] > book.settings.norms.handover_days)


def handovers_by_team(book: Book, now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """How long do deals lie after they changed hands, team by team?

    Returns
    -------
    pandas.DataFrame
        One row for all (`team` empty), then one per team of the new owner: `team`, `n`, `n_late`,
        `late_share` (beyond `handover_days`), `gap_days` (half waited so long or longer: until the
        touch, the end of the deal, or so far), `half_days` (working days until half were touched;
        null where fewer than `too_few` or not reached), `prior_half_days`, `prior_late_share`
        (year before; null where fewer than `too_few`).
    """
    too_few = book.settings.norms.too_few
    groups = [(ALL, now, before)]
    teams = sorted(now["team"].dropna().unique())
    if len(teams) > 1:
        groups += [(t, now[now["team"] == t], before[before["team"] == t]) for t in teams]
    rows = []
    for team, mine, old in groups:
        if mine.empty:
            continue
        known = len(old) >= too_few
        rows.append((
            team, len(mine), int(mine["is_late"].sum()), float(mine["is_late"].mean()),
            float(mine["gap_days"].median()), _half(book, mine, too_few),
            _half(book, old, too_few),
            float(old["is_late"].mean()) if known else math.nan,
        ))  # fmt: skip
    columns = ["team", "n", "n_late", "late_share", "gap_days", "half_days", "prior_half_days",
               "prior_late_share"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _half(book: Book, rows: pd.DataFrame, too_few: int) -> float:
    if len(rows) < too_few:
        return math.nan
    return half_touched(rows, book, last_year(book)).value


def waiting_deals(book: Book, now: pd.DataFrame) -> pd.DataFrame:
    """Which open deals wait for their new owner for longer than the settings say?

    Returns
    -------
    pandas.DataFrame
        One row per deal, largest first: `id`, `name`, `left_by` (owner before), `owner`,
        `gap_days`, `amount`.
    """
    late = now[(now["ending"] == WAITING) & now["is_late"]]
    late = late.drop_duplicates("opportunity_id", keep="last")
    value = open_deals(book).select("cents", deal_id="id").to_pandas()
    rows = late.merge(value, left_on="opportunity_id", right_on="deal_id")
    frame = pd.DataFrame({
        "id": rows["opportunity_id"], "name": rows["name"],
        "left_by": names_of(book, rows["from_owner_id"]), "owner": names_of(book, rows["owner_id"]),
        "gap_days": rows["gap_days"].astype("float64"),
        "amount": rows["cents"].astype("float64") / 100,
    })  # fmt: skip
    return frame.sort_values(["amount", "id"], ascending=[False, True], ignore_index=True)


def stranded(book: Book) -> pd.DataFrame:
    """What did each person who left in the last year leave, and was it taken up in time?

    Returns
    -------
    pandas.DataFrame
        One row per leaver with open deals, most money in late ones first: `person`, `name`,
        `left_on`, `n_deals` (open when they left), `n_late` (next touched later than
        `handover_days`), `gap_days` (median), `n_accounts` (customers that nobody touched within
        those days), `n_open` and `amount` (of the late deals still open).
    """
    columns = ["person", "name", "left_on", "n_deals", "n_late", "gap_days", "n_accounts", "n_open",
               "amount"]  # fmt: skip
    deals = left_deals(book)
    since = pd.Timestamp(book.date) - pd.Timedelta(days=RECENT)
    deals = deals[pd.to_datetime(deals["left_on"]) > since]
    if deals.empty:
        return pd.DataFrame(columns=columns)
    value = open_deals(book).select("id", "cents").to_pandas()
    worth = value.set_index("id")["cents"].astype("float64") / 100
    rows = []
    for (person, left_on), mine in deals.groupby(["person", "left_on"], sort=True):
        late = mine.loc[mine["is_late"], "id"].drop_duplicates()
        still = worth.reindex(late).dropna() if len(late) else worth.iloc[:0]
        rows.append((person, "", left_on, mine["id"].nunique(), len(late),
                     float(mine["gap_days"].median()),
                     len(untouched_accounts(book, str(person), left_on)), len(still),
                     float(still.sum())))  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    frame["name"] = names_of(book, frame["person"])
    return frame.sort_values(["amount", "n_late", "person"], ascending=[False, False, True],
                             ignore_index=True)  # fmt: skip


def claims_by_team(book: Book) -> pd.DataFrame:
    """How often are customers claimed from the public pool and given back without a touch?

    Returns
    -------
    pandas.DataFrame
        One row per team: `team`, `n` (claims that ended), `n_cold`, `cold_share`. Teams, since who
        claims in vain is a talk between two.
    """
    spells = claims_of(book)
    if spells.empty:
        return pd.DataFrame(columns=["team", "n", "n_cold", "cold_share"])
    people = book.people().set_index("id")["team"]
    spells = spells.assign(team=spells["owner_id"].map(people)).dropna(subset=["team"])
    frame = spells.groupby("team")["cold"].agg(n="size", n_cold="sum").reset_index()
    frame = frame.assign(cold_share=frame["n_cold"] / frame["n"])
    return frame.sort_values(["cold_share", "team"], ascending=[False, True], ignore_index=True)


def held_by_person(book: Book) -> pd.DataFrame:
    """Who holds which open deals: what would have to be handed over, were somebody to go.

    Returns
    -------
    pandas.DataFrame
        One row per owner, most deals first: `owner`, `n_deals`, `amount` (null where not known),
        `n_overdue` (expected date over).
    """
    deals = open_deals(book).filter(_.owner_id.notnull())
    frame = deals.group_by(person="owner_id").agg(
        n_deals=_.count(), cents=_.cents.sum(),
        n_overdue=ibis.ifelse(_.overdue.fill_null(False), 1, 0).sum(),
    ).to_pandas()  # fmt: skip
    frame = frame.assign(owner=names_of(book, frame["person"]),
                         amount=frame["cents"].astype("float64") / 100)  # fmt: skip
    frame = frame.sort_values(["n_deals", "owner"], ascending=[False, True], ignore_index=True)
    return frame[["owner", "n_deals", "amount", "n_overdue"]]


def shared_customers(book: Book) -> pd.DataFrame:
    """Which customers have deals with several of your people?

    Returns
    -------
    pandas.DataFrame
        One row per customer with two or more owners of deals, most first: `customer`, `n_people`,
        `n_deals`, `n_open`, `amount` (of the open ones).
    """
    columns = ["customer", "n_people", "n_deals", "n_open", "amount"]
    if not book.has("opportunities.account_id") or not book.has("opportunities.owner_id"):
        return pd.DataFrame(columns=columns)
    deals = book.opportunities.filter(_.account_id.notnull(), _.owner_id.notnull())
    frame = deals.group_by(account="account_id").agg(
        n_people=_.owner_id.nunique(), n_deals=_.count(),
        n_open=ibis.ifelse(_.outcome == "open", 1, 0).sum(),
        amount=ibis.ifelse(_.outcome == "open", _.amount.cast("float64"), 0.0).sum(),
    ).filter(_.n_people > 1).to_pandas()  # fmt: skip
    names = book.accounts.select("id", "name").to_pandas().set_index("id")["name"]
    frame = frame.assign(customer=frame["account"].map(names).fillna(frame["account"]))
    frame = frame.sort_values(["n_open", "n_people", "customer"], ascending=[False, False, True],
                              ignore_index=True)  # fmt: skip
    return frame[columns]
