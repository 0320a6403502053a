"""The frames of a choice of a CRM: what the company brings, costs, fit, scores, ranking, flips."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.book.moment import instant
from salesops.methods.weighing import SAME, drawn, flips, shares, totals
from salesops.metrics.collaboration_load import sellers
from salesops.metrics.records import LOGGED, entries_due
from salesops.model.calendar import Period
from salesops.model.selection import TOP, YEARS, Needs, Offer

DRAWS, SEED = 10_000, 1
# Weights near the company's own: a fifth of all wanders by about seven points.
NEAR = 30.0
YEAR = 365
_PAID = {"month": 12, "quarter": 4, "year": 1}
FIT_PARTS = ("stages_met", "exits_met", "users_met", "fields_met")


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What the company brings to the choice; null where neither file nor book says it.

    Attributes
    ----------
    users, sellers
        People in the CRM now, and those of them who sell.
    deals_a_year, working_days
        Of the 365 days to the book's date.
    hour_pay
        Pay of a seller at 100 % by the pay plan, over the working hours of a year.
    n_stages, n_exits
        Stages up to the contract, and those with an exit condition.
    filled_fields
        Fields that people fill per deal today, of those that a deal has to have.
    """

    users: float
    sellers: float
    deals_a_year: float
    working_days: float
    hour_pay: float
    n_stages: float
    n_exits: float
    filled_fields: float


def brought(book: Book, needs: Needs, period: Period) -> Brought:
    """What does the company bring: its people, deals, pay, stages, and what it enters?"""
    own = _of_book(book)
    told = {name: getattr(needs.given, name) for name in own}
    known = {name: own[name] if math.isnan(value) else value for name, value in told.items()}
    if math.isnan(needs.given.hour_pay):
        # By the hour of the days that count here, also where the file says those.
        known["hour_pay"] = _hour_pay(book, known["working_days"])
    stages = [s for s in book.settings.stages if s.kind in ("open", "won")]
    return Brought(
        **known, n_stages=float(len(stages)), filled_fields=_filled(book, period),
        n_exits=float(sum(s.exit_criteria is not None for s in stages)),
    )  # fmt: skip


def _of_book(book: Book) -> dict[str, float]:
    days = [book.date - dt.timedelta(days=back) for back in range(YEAR)]
    return {
        "users": _users(book), "sellers": _sellers(book), "deals_a_year": _deals(book, days[-1]),
        "working_days": float(sum(book.calendar.is_working_day(day) for day in days)),
        "hour_pay": math.nan,
    }  # fmt: skip


def _users(book: Book) -> float:
    if not book.has("users"):
        return math.nan
    rows = book.users.filter((_.role != "pool") | _.role.isnull())
    there = rows.filter(_.left_on.isnull() | (_.left_on > book.date))
    return float(there.count().to_pandas()) or math.nan


def _sellers(book: Book) -> float:
    if not book.has("users"):
        return math.nan
    people = sellers(book)
    there = people["left_on"].isna() | (people["left_on"] > pd.Timestamp(book.date))
    return float(there.sum()) or math.nan


def _deals(book: Book, first_day: dt.date) -> float:
    """Count the deals since a day; null where no deal is older, or dates are not known."""
    if not book.has("opportunities.created_at"):
        return math.nan
    created = book.opportunities.created_at
    is_late = created >= instant(book.calendar.start_of(first_day))
    found = book.opportunities.agg(
        n=is_late.fill_null(False).ifelse(1, 0).sum(),
        n_before=(~is_late).fill_null(False).ifelse(1, 0).sum(),
    ).to_pandas().astype("float64").fillna(0.0).iloc[0]  # fmt: skip
    return float(found["n"]) if found["n_before"] and found["n"] else math.nan


def _hour_pay(book: Book, working_days: float) -> float:
    pay, company = book.settings.pay, book.settings.company
    if not pay.on_target or not pay.target_share or not working_days > 0:
        return math.nan
    year = pay.on_target / pay.target_share * _PAID[pay.period]
    return year / (working_days * (company.works_to - company.works_from))


def _filled(book: Book, period: Period) -> float:
    """Count the required fields that are filled, per deal; null without a deal."""
    if not book.has("opportunities.stage"):
        return math.nan
    rows = entries_due(book, period).filter(_.what != LOGGED)
    deal = rows.id.re_replace("-[a-z_]+$", "")
    told = rows.mutate(deal=deal).agg(
        n=_.deal.nunique(), filled=_.is_entered.ifelse(1, 0).sum()
    ).to_pandas()  # fmt: skip
    n = float(told["n"].iloc[0])
    return float(told["filled"].iloc[0]) / n if n else math.nan


def costs(needs: Needs, known: Brought) -> pd.DataFrame:
    """What does each candidate cost in three years?

    Returns
    -------
    pandas.DataFrame
        One row per candidate that is compared: `crm`, `licence`, `once`, `entry` (time of entry at
        the pay of those who enter), `paid_out` (licence and implementation), `three_years` (all),
        `entry_minutes` (per person who enters and working day), `useful_fields` (fields of a deal
        that would be filled, if people fill as many as today), `per_field` (cost per field that is
        filled in three years). Null where the company's part is not known.
    """
    rows = []
    for candidate in needs.compared:
        offer = candidate.offer
        assert offer is not None  # read_needs refuses a compared candidate without one
        entry_hours = _entry_minutes(offer, known) / 60
        licence = YEARS * (_times(offer.user_year, known.users) + offer.year)
        entry = YEARS * _times(entry_hours, known.hour_pay)
        paid = licence + offer.once
        useful = (
            min(offer.n_fields, known.filled_fields)
            if known.filled_fields == known.filled_fields
            else math.nan
        )
        fields = YEARS * known.deals_a_year * useful
        rows.append({
            "crm": candidate.name, "licence": licence, "once": offer.once, "entry": entry,
            "paid_out": paid, "three_years": paid + entry,
            "entry_minutes": entry_hours * 60 / (known.working_days * known.sellers),
            "useful_fields": useful, "per_field": (paid + entry) / fields if fields else math.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _times(amount: float, known: float) -> float:
    """Multiply; of what costs nothing it need not be known how much there is."""
    return amount * known if amount else 0.0


def _entry_minutes(offer: Offer, known: Brought) -> float:
    """Give the minutes of entry in a year."""
    return _times(offer.deal_minutes, known.deals_a_year) + _times(
        offer.day_minutes, known.working_days * known.sellers
    )


def fits(needs: Needs, known: Brought) -> pd.DataFrame:
    """How far does each candidate fit the company's own process?

    Returns
    -------
    pandas.DataFrame
        One row per candidate that is compared: `crm`; from 0 to 1 `stages_met` (of the own stages
        so many can be set up), `exits_met` (exit conditions can be demanded), `users_met`,
        `fields_met` (what people fill per deal today, of what it demands), `fit` (their mean).
        What the company does not ask, or what is not known of it, is null for all.
    """
    rows = []
    for candidate in needs.compared:
        offer = candidate.offer
        assert offer is not None  # read_needs refuses a compared candidate without one
        parts = {
            "stages_met": min(1.0, offer.stages / known.n_stages),
            "exits_met": float(offer.has_exits) if known.n_exits else math.nan,
            "users_met": _part(offer.users, known.users),
            "fields_met": _part(known.filled_fields, offer.n_fields),
        }
        told = [part for part in parts.values() if part == part]
        rows.append({"crm": candidate.name, **parts, "fit": sum(told) / len(told)})
    return pd.DataFrame(rows)


def _part(there: float, asked: float) -> float:
    return math.nan if there != there or asked != asked else min(1.0, there / asked)


def scores(needs: Needs, cost: pd.DataFrame, fit: pd.DataFrame) -> pd.DataFrame:
    """Give every score that counts.

    Returns
    -------
    pandas.DataFrame
        One row per compared candidate and need: `crm`, `wanted`, `counted`, `weight` (as given),
        `weight_of_all` (0 to 1), `score` (0 to 10), `points` (its part of the total), `is_short`
        (below the need's minimum). The cheapest that is not short in a scored need or in its fit
        has 10 for cost, others in proportion to what it costs less.

    Notes
    -----
    Cost is scored as tenders for goods and services score prices in China's government procurement
    (Order 87 of the Ministry of Finance, 2017, article 55): lowest price ÷ own price, times full
    marks.
    """
    of_all = dict(zip([n.name for n in needs.needs],
                      shares(np.array([n.weight for n in needs.needs])), strict=True))  # fmt: skip
    fit_of = fit.set_index("crm")["fit"] * TOP
    rows = []
    for need in needs.needs:
        for candidate in needs.compared:
            score = candidate.scores.get(need.name, math.nan)
            if need.counted == "fit":
                score = float(fit_of[candidate.name])
            rows.append({"crm": candidate.name, "wanted": need.name, "counted": need.counted,
                         "weight": need.weight, "weight_of_all": float(of_all[need.name]),
                         "minimum": math.nan if need.minimum is None else need.minimum,
                         "score": score})  # fmt: skip
    frame = pd.DataFrame(rows)
    is_cost = frame["counted"] == "cost"
    short = set(frame.loc[frame["score"] < frame["minimum"] - SAME, "crm"])
    frame.loc[is_cost, "score"] = frame.loc[is_cost, "crm"].map(_cost_scores(cost, short))
    frame["points"] = frame["score"] * frame["weight_of_all"]
    frame["is_short"] = frame["score"] < frame["minimum"] - SAME
    return frame


def _cost_scores(cost: pd.DataFrame, short: set[str]) -> Mapping[str, float]:
    money = cost.set_index("crm")["three_years"]
    left = money[~money.index.isin(short)]
    # Nobody is held against the cheapest of some while the cost of others is not known.
    least = float((left if len(left) else money).min(skipna=False))
    # One that is out may be cheaper than all that count; nobody has more than full marks.
    return {name: _cost_score(value, least) for name, value in money.items()}


def _cost_score(value: float, least: float) -> float:
    if value != value or least != least:
        return math.nan
    return TOP if value <= least else TOP * least / value


def ranking(scored: pd.DataFrame, cost: pd.DataFrame, fit: pd.DataFrame) -> pd.DataFrame:
    """Rank the candidates.

    Returns
    -------
    pandas.DataFrame
        One row per compared candidate, first on top: `crm`, `place` (null for one that is out),
        `total` (0 to 10; null where a score that counts is not known), `is_out`, `short_of` (the
        first need whose minimum it misses), `any_weights` and `near_weights` (0 to 1: how often it
        is first where weights are drawn), `three_years`, `fit`.
    """
    wide = _wide(scored)
    weights = _weights(scored)
    counts = weights > 0
    total = pd.Series(totals(wide.to_numpy()[:, counts], weights[counts]), index=wide.index)
    short = scored[scored["is_short"]].groupby("crm", sort=False)["wanted"].first()
    frame = pd.DataFrame({"crm": wide.index, "total": total.to_numpy()})
    frame["short_of"] = frame["crm"].map(short)
    frame["is_out"] = frame["short_of"].notna()
    ways = {"any_weights": counts.astype(float), "near_weights": NEAR * shares(weights)}
    left = frame.loc[~frame["is_out"], "crm"].tolist()
    for column, around in ways.items():
        frame[column] = frame["crm"].map(_won(wide.loc[left], around))
    inside = frame["total"].where(~frame["is_out"]).round(9)
    # Whoever is not known could be first.
    is_known = bool(inside[~frame["is_out"]].notna().all())
    frame["place"] = inside.rank(ascending=False, method="min") if is_known else math.nan
    for column, source in (("three_years", cost), ("fit", fit)):
        frame[column] = frame["crm"].map(source.set_index("crm")[column])
    order = frame.sort_values(["is_out", "total"], ascending=[True, False], kind="stable")
    return order.reset_index(drop=True)


def _won(table: pd.DataFrame, around: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
         ) -> Mapping[str, float]:  # fmt: skip
    """Draw weights among those that are left; nothing where a score that counts is not known."""
    used = table.to_numpy()[:, around > 0]
    if not len(used) or np.isnan(used).any():
        return {}
    found = drawn(used, around[around > 0], n=DRAWS, seed=SEED)
    return dict(zip(table.index, found, strict=True))


def flipping(scored: pd.DataFrame, ranked: pd.DataFrame) -> pd.DataFrame:
    """Which change of one weight puts another first?

    Returns
    -------
    pandas.DataFrame
        One row per need, least change first: `wanted`, `weight` (as given), `weight_of_all`,
        `flips_at` (its share of all at which another is level with the first; null where none
        is), `flips_at_weight` (the weight to write for that, the others as they are), `shift`
        (of its share, with sign), `rival`.
    """
    left = ranked.loc[~ranked["is_out"]]
    wide, weights = _wide(scored).loc[left["crm"]], _weights(scored)
    counts = weights > 0
    asked = list(wide.columns)
    table = wide.to_numpy()
    empty = pd.DataFrame(columns=["wanted", "weight", "weight_of_all", "flips_at",
                                  "flips_at_weight", "shift", "rival"])  # fmt: skip
    if len(left) < 2 or np.isnan(table[:, counts]).any():
        return empty
    # What has no weight and is not known could not be weighed either.
    known = ~np.isnan(table).any(axis=0)
    places = [int(j) for j in np.flatnonzero(known)]
    found = dict(zip(places, flips(table[:, known], weights[known]), strict=True))
    own, rows = shares(weights), []
    for j, name in enumerate(asked):
        flip = found.get(j)
        at = math.nan if flip is None else flip.share
        rows.append({
            "wanted": name, "weight": weights[j], "weight_of_all": own[j], "flips_at": at,
            "flips_at_weight": at / (1 - at) * (weights.sum() - weights[j]),
            "shift": at - own[j],
            "rival": None if flip is None or flip.rival < 0 else wide.index[flip.rival],
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame.sort_values("shift", key=abs, kind="stable", ignore_index=True)


def _wide(scored: pd.DataFrame) -> pd.DataFrame:
    names, asked = scored["crm"].unique(), scored["wanted"].unique()
    return scored.pivot(index="crm", columns="wanted", values="score").loc[names, asked]


def _weights(scored: pd.DataFrame) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return scored.drop_duplicates("wanted")["weight"].to_numpy(dtype="float64")
