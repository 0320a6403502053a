"""Quotas against what they lie on: the potential of a person's customers, and the work."""

import datetime as dt

import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.opendeals import open_deals
from salesops.metrics.productivity import Past, past_of
from salesops.metrics.signed import missing_for_signed, signings
from salesops.metrics.targets import targets_of
from salesops.model.calendar import Period

YEAR = 12
# One giant customer makes no territory: larger potentials count as this quantile.
CAPPED_AT = 0.95
LEAST_PEOPLE = 3
# Who has had a quota for fewer months is still being given customers.
LEAST_MONTHS = 6
COLUMNS = ["person", "team", "region", "months", "quota", "potential", "n_accounts", "n_open",
           "attained", "quota_times", "potential_times", "load_times", "over"]  # fmt: skip


def fairness(book: Book) -> pd.DataFrame:
    """How much quota does each person carry for the potential that the customers have?

    Returns
    -------
    pandas.DataFrame
        One row per person who sells now and had a quota in six of the last twelve whole months:
        `person`, `team`, `region`, `months` (with a quota), `quota` (money of a settled month),
        `potential` (money of the customers owned now, the largest capped), `n_accounts`,
        `n_open` (deals), `attained` (signed in these months, of the quota), `quota_times`,
        `potential_times`, `load_times` (open deals; all three in multiples of the mean person),
        `over` (quota_times divided by potential_times). Empty under three people.

    Notes
    -----
    Months of ramp count by their part, so that a new person's small quota is no favour.
    """
    past = past_of(book)
    lacking = not book.has("accounts.potential") or not book.has("accounts.owner_id")
    if past is None or lacking or missing_for_signed(book) is not None:
        return pd.DataFrame(columns=COLUMNS)
    people = past.there(book.date)
    regions = book.users.select("id", "region").to_pandas().set_index("id")["region"]
    span = last_months(book.date)
    quotas = targets_of(book, span, by=("owner_id",))
    quotas = quotas[(quotas["plan_cents"] > 0) & quotas["owner_id"].isin(people["person"])]
    by_person = quotas.groupby("owner_id").agg(
        cents=("plan_cents", "sum"), months=("month", "size")
    )
    staffed = _staffed(past, people, span, quotas)
    frame = people[["person", "team"]].assign(region=people["person"].map(regions))
    frame = frame.join(by_person[by_person["months"] >= LEAST_MONTHS], on="person", how="inner")
    frame["quota"] = frame["cents"].astype(float) / 100 / frame["person"].map(staffed)
    frame = _with_ground(book, frame)
    frame["attained"] = _signed(book, span, quotas, frame)
    frame = frame[(frame["potential"] > 0) & frame["quota"].notna()]
    if len(frame) < LEAST_PEOPLE:
        return pd.DataFrame(columns=COLUMNS)
    for column, of in (("quota_times", "quota"), ("potential_times", "potential"),
                       ("load_times", "n_open")):  # fmt: skip
        mean = float(frame[of].mean())
        frame[column] = frame[of] / mean if mean > 0 else float("nan")
    frame["over"] = frame["quota_times"] / frame["potential_times"]
    return frame.sort_values("over", ascending=False, ignore_index=True)[COLUMNS]


def potential_by_region(book: Book) -> "pd.Series[float]":
    """Give what customers of each region could buy, the largest capped; empty where not known."""
    if not book.has("accounts.potential") or not book.has("accounts.region"):
        return pd.Series(dtype=float)
    rows = book.accounts.select("region", "potential").to_pandas().dropna()
    value = rows["potential"].astype(float)
    return value.clip(upper=value.quantile(CAPPED_AT)).groupby(rows["region"]).sum()


def last_months(today: dt.date) -> Period:
    """Give the last twelve whole months."""
    month = Period.parse(f"{today:%Y-%m}")
    first = month.shifted(-YEAR)
    return Period(first.start, month.shifted(-1).end, "")


def _staffed(
    past: Past, people: pd.DataFrame, span: Period, quotas: pd.DataFrame
) -> "pd.Series[float]":
    """Sum each person's share of settled work over the months with a quota."""
    months = pd.period_range(span.start, span.end, freq="M")
    wide = pd.DataFrame(past.staffing(people, months), index=people["person"],
                        columns=[str(m) for m in months])  # fmt: skip
    long = wide.rename_axis("owner_id").melt(ignore_index=False, var_name="month")
    both = quotas.merge(long.reset_index(), on=["owner_id", "month"])
    sums = both.groupby("owner_id")["value"].sum()
    return sums[sums >= 1.0]


def _with_ground(book: Book, frame: pd.DataFrame) -> pd.DataFrame:
    """Add what each person's customers could buy, how many there are, and the open deals."""
    accounts = book.unscoped("accounts").filter(_.owner_id.notnull(), _.potential > 0)
    rows = accounts.select("owner_id", "potential").to_pandas()
    rows["potential"] = rows["potential"].astype(float)
    rows["potential"] = rows["potential"].clip(upper=rows["potential"].quantile(CAPPED_AT))
    sums = rows.groupby("owner_id")["potential"].agg(potential="sum", n_accounts="size")
    deals = open_deals(book).group_by("owner_id").agg(n=_.count()).to_pandas()
    frame = frame.join(sums, on="person").fillna({"potential": 0.0, "n_accounts": 0})
    counts = frame["person"].map(deals.set_index("owner_id")["n"]).fillna(0)
    return frame.assign(n_open=counts.astype(int), n_accounts=frame["n_accounts"].astype(int))


def _signed(
    book: Book, span: Period, quotas: pd.DataFrame, frame: pd.DataFrame
) -> "pd.Series[float]":
    """Give what each person signed in the months with a quota, of that quota."""
    rows = signings(book, span)
    rows = rows.assign(month=rows["booked_on"].dt.strftime("%Y-%m"))
    mine = rows.merge(quotas[["owner_id", "month"]], on=["owner_id", "month"])
    sums = mine.groupby("owner_id")["amount"].sum()
    cents = frame["cents"].astype(float)
    return frame["person"].map(sums).fillna(0.0) / (cents / 100).where(cents > 0)
