"""Quotas that the territory explains, pay that jumps at a result, forecasts nobody renews."""

import math

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.checks.check import Check, Norm, Seen, Tested
from salesops.checks.followup import rows_of
from salesops.methods.bunching import bunching
from salesops.methods.payout import cliffs
from salesops.methods.territory import quota_gaps
from salesops.metrics.opendeals import standing
from salesops.metrics.targets import targets_of
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap

YEAR, YEARS = 12, 3
# Results of so many seller-periods are needed around the steps of the pay plan.
LEAST_RESULTS = 20
# Who spoke up within so many days gives forecasts as a rule.
HABIT = 100


def _unfair(book: Book, period: Period) -> Seen:
    """Regions whose sellers carry more quota than their potential, compared with the others."""
    book = standing(book, period)
    times = book.settings.norms.quota_times
    norm = Norm(value=1.0, tolerance=times - 1, source="settings")
    quotas = _quotas(book, period)
    accounts = book.accounts.filter(_.region.notnull(), _.potential > 0)
    potentials = accounts.select("potential", territory="region").to_pandas()
    few = potentials.groupby("territory")["potential"].transform("size")
    potentials = potentials[few >= book.settings.norms.too_few]
    gaps = quota_gaps(potentials, quotas)
    if gaps.empty:
        return Seen(value=math.nan, n=0, norm=norm)
    worst = float(gaps["gap"].max())
    tests = tuple(_of_region(row, times) for row in gaps.to_dict("records"))
    return Seen(value=math.exp(worst), n=int(gaps["n"].sum()), norm=norm, tests=tests)


def _quotas(book: Book, period: Period) -> pd.DataFrame:
    """Sum a year's quotas of sellers by region, and count the sellers who carried them."""
    months = [Period.parse(f"{period.end:%Y-%m}").shifted(-k) for k in range(YEAR)]
    year = Period(months[-1].start, months[0].end, "")
    plan = targets_of(book, year, by=("owner_id",))
    plan = plan[plan["region"].notna() & (plan["plan_cents"] > 0)]
    found = plan.groupby("region").agg(quota=("plan_cents", "sum"), months=("month", "size"))
    found = found.assign(quota=found["quota"] / 100, sellers=found["months"] / YEAR)
    return found.rename_axis("territory").reset_index()


def _of_region(row: "dict[object, object]", times: float) -> Tested:
    from scipy.stats import norm as normal

    gap, error = float(str(row["gap"])), float(str(row["error"]))
    p = float(normal.sf((gap - math.log(times)) / error)) if error > 0 else 1.0
    finding = Finding(
        code="diagnosis.unfair_quota", severity="watch", subject=str(row["territory"]),
        evidence={
            "region": str(row["territory"]), "n": int(str(row["n"])),
            "quota_times": float(str(row["quota_times"])),
            "potential_times": float(str(row["potential_times"])), "over": math.exp(gap),
            "quota": float(str(row["quota"])), "norm": times,
        },
        owner_role="manager", action="diagnosis.unfair_quota.action", lesson="02_goals",
        trust="firm",
    )  # fmt: skip
    return Tested(p=p, finding=finding)


def _cliffs(book: Book, period: Period) -> Seen:
    """Results that gather just above a step of the pay plan and are missing just below it."""
    book, pay = standing(book, period), book.settings.pay
    edges = cliffs(threshold=pay.threshold, steps=pay.steps)
    if not edges:
        return Seen(value=math.nan, n=0)
    attained = _attained(book, period)
    found = bunching(attained, edges)
    whole = found.over + found.under
    value = found.over / whole if whole else math.nan
    if whole < LEAST_RESULTS:
        return Seen(value=value, n=whole)
    finding = Finding(
        code="diagnosis.pay_cliffs", severity="watch",
        evidence={"n": found.over, "n_expected": max(0, round(found.expected)),
                  "n_below": found.under, "n_results": len(attained), "moved": found.moved,
                  "steps": " / ".join(f"{edge:.0%}" for edge in edges)},
        owner_role="manager", action="diagnosis.pay_cliffs.action", lesson="02_goals",
        trust="firm",
    )  # fmt: skip
    return Seen(value=value, n=whole, tests=(Tested(p=found.p, finding=finding),))


def _attained(book: Book, period: Period) -> "pd.Series[float]":
    """Give what sellers won of their whole targets, pay period by pay period, of three years."""
    then = standing(book, period)
    end, last = then.date, then.running(book.settings.pay.period)
    n = YEARS * YEAR // last.months
    spans = [last.shifted(-k * last.months) for k in range(n)]
    spans = [span for span in spans if span.end <= end]
    deals = book.without_renewals().attributed("opportunities")
    deals = deals.filter(deals.outcome == "won", deals.closed_at.notnull(), deals.amount.notnull())
    won = deals.select("amount", owner="event_owner_id", on=local_day(book, deals.closed_at))
    frame = won.to_pandas()
    days = pd.to_datetime(frame["on"])
    found = []
    for span in spans:
        plan = targets_of(book, span, by=("owner_id",))
        plan = plan[plan["is_whole"]].groupby("owner_id")["plan_cents"].sum() / 100
        mine = frame[(days >= pd.Timestamp(span.start)) & (days <= pd.Timestamp(span.end))]
        sums = mine["amount"].astype("float64").groupby(mine["owner"]).sum()
        plan = plan[plan > 0]
        found.append(sums.reindex(plan.index).fillna(0.0) / plan)
    return pd.concat(found) if found else pd.Series(dtype="float64")


def _stale(book: Book, period: Period) -> Seen:
    """People who give forecasts and have not renewed theirs for the month in hand."""
    book = standing(book, period)
    days = book.settings.norms.forecast_days
    norm = Norm(value=float(days), tolerance=0.0, source="settings")
    rows = book.table("forecasts").filter(_.user_id.notnull(), _.entered_at.notnull())
    rows = rows.select("id", "user_id", "period", "amount", on=local_day(book, rows.entered_at))
    frame = rows.to_pandas()
    frame["on"] = pd.to_datetime(frame["on"])
    today = pd.Timestamp(book.date)
    regular = frame[frame["on"] > today - pd.Timedelta(days=HABIT)]
    if regular.empty:
        gap = Gap(what="check.stale_forecasts", reason="no_rows", needs="forecasts")
        return Seen(value=math.nan, n=0, norm=norm, gaps=(gap,))
    there = book.table("users").filter(_.left_on.isnull() | (_.left_on > book.date))
    regular = regular[regular["user_id"].isin(there.select("id").to_pandas()["id"])]
    age = (today - regular.groupby("user_id")["on"].max()).dt.days
    late = age[age > days]
    value = float(age.median()) if len(age) else math.nan
    seen = Seen(value=value, n=len(age), norm=norm)
    if late.empty:
        return seen
    last = regular[regular["user_id"].isin(late.index)].sort_values("on")
    last = last.drop_duplicates("user_id", keep="last")
    names = book.people().set_index("id")["name"]
    finding = Finding(
        code="diagnosis.stale_forecasts", severity="watch",
        evidence={"n": len(late), "n_people": len(age), "days": days,
                  "longest_days": int(late.max()),
                  "person": str(names.get(late.idxmax()) or late.idxmax())},
        owner_role="manager", action="diagnosis.stale_forecasts.action", lesson="10_forecast",
    )  # fmt: skip
    test = Tested(p=0.0, finding=finding, rows=rows_of("forecasts", last["id"].sort_values()))
    return Seen(value=value, n=len(age), norm=norm, tests=(test,))


CHECKS: tuple[Check, ...] = (
    Check(id="unfair_quota", pain="teamwork", unit="times",
          needs=("accounts.potential", "accounts.region", "targets.amount", "users.region"),
          look=_unfair, apart=True),
    Check(id="pay_cliffs", pain="teamwork", unit="ratio",
          needs=("targets.amount", "opportunities.amount", "opportunities.closed_at"),
          look=_cliffs, apart=True),
    Check(id="stale_forecasts", pain="review", unit="days",
          needs=("forecasts.user_id", "forecasts.entered_at"), look=_stale, apart=True),
)  # fmt: skip
