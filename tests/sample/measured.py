"""What the tests of the generated company measure, with plain pandas, and how sure one can be.

The page that states the company gives shares, means and medians. A sample keeps to them within
three standard errors; a quantile is tested by the share of values below it, which needs no
distribution.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from salesops.model.calendar import Calendar
from salesops.sample.generate import SampleCompany

END = pd.Timestamp("2026-06-20")
ZONE = pd.Timedelta(hours=8)
DAY = pd.Timedelta(days=1)
LEADS = ("官网", "搜索推广", "展会", "行业活动", "内容营销")
_COUNTS, _ORIGIN = Calendar("Asia/Shanghai").working_day_counts()


def frame(made: SampleCompany, table: str) -> pd.DataFrame:
    """Read a table with money as floats and dates as timestamps."""
    rows = made.tables[table].to_pandas()
    for column in rows:
        if column in ("amount", "potential"):
            rows[column] = rows[column].astype(float)
        elif column.endswith("_on"):
            rows[column] = pd.to_datetime(rows[column])
    return rows


def selling(made: SampleCompany) -> pd.DataFrame:
    """Read the deals but renewals, with the day in China on which each ended."""
    deals = frame(made, "opportunities")
    deals = deals[deals["type"] != "renewal"].copy()
    deals["won"] = deals["is_won"].eq(True)
    deals["closed"] = (deals["closed_at"] + ZONE).dt.normalize()
    deals["days"] = (deals["closed_at"] - deals["created_at"]) / DAY
    return deals


def ended(deals: pd.DataFrame) -> pd.DataFrame:
    """Keep what was won or lost."""
    return deals[deals["is_won"].notna()]


def wins(deals: pd.DataFrame) -> pd.DataFrame:
    """Keep what was won."""
    return deals[deals["won"]]


def many(companies: list[SampleCompany], read: Callable[[SampleCompany], pd.DataFrame]):
    """Put the rows of several companies below each other."""
    parts = [read(made).assign(company=n) for n, made in enumerate(companies)]
    return pd.concat(parts, ignore_index=True)


def three_errors(share: float, n: int) -> float:
    """Give three standard errors of a share of n."""
    return 3 * float(np.sqrt(share * (1 - share) / n))


def check_share(found: "pd.Series", stated: float) -> None:
    """A share of yes is the stated one within three standard errors."""
    assert len(found) > 30
    assert found.mean() == pytest.approx(stated, abs=three_errors(stated, len(found)))


def check_quantile(
    values: "pd.Series", stated: float, share: float = 0.5, slack: float = 0
) -> None:
    """So many of the values as a quantile says lie on each side of the stated one.

    `slack` is how far rounding on the page, or to whole days, may move the stated value.
    """
    error = three_errors(share, len(values))
    assert (values < stated - slack).mean() <= share + error, values.quantile(share)
    assert (values <= stated + slack).mean() >= share - error, values.quantile(share)


def check_mean(values: "pd.Series", stated: float) -> None:
    """A mean is the stated one within three standard errors."""
    error = 3 * values.std() / np.sqrt(len(values))
    assert values.mean() == pytest.approx(stated, abs=float(error))


def check_ratio(top: "pd.Series", bottom: "pd.Series", stated: float, slack: float = 0) -> None:
    """A ratio of sums is the stated one within three standard errors, by the delta method."""
    rate = top.sum() / bottom.sum()
    spread = ((top - rate * bottom) ** 2).sum() ** 0.5 / bottom.sum()
    assert rate == pytest.approx(stated, abs=3 * float(spread) + slack)


def working_days(first: "pd.Series", last: pd.Timestamp) -> "pd.Series":
    """Count the working days after each first day up to and with the last."""
    upto = _COUNTS[(last - pd.Timestamp(_ORIGIN)).days]
    return upto - pd.Series(_COUNTS[(first - pd.Timestamp(_ORIGIN)).dt.days], index=first.index)


def last_five_working_days(first: str, last: str) -> set[pd.Timestamp]:
    """List the last five working days of each month."""
    days = pd.Series(pd.date_range(first, last))
    number = (days - pd.Timestamp(_ORIGIN)).dt.days.to_numpy()
    worked = days[_COUNTS[number] > _COUNTS[number - 1]]
    return set(worked.groupby(worked.dt.to_period("M")).tail(5))


def log_of(made: SampleCompany, entity: str, field: str) -> pd.DataFrame:
    """Read the log of one field in order of time."""
    log = made.tables["changes"].to_pandas()
    rows = log[(log["entity"] == entity) & (log["field"] == field)]
    return rows.sort_values(["changed_at", "seq"], kind="stable")


def owners_at(made: SampleCompany, table: str, at: pd.Timestamp) -> "pd.Series":
    """Say whose each row was at an instant: the old value of the first change after it."""
    now = frame(made, table).set_index("id")["owner_id"]
    later = log_of(made, table, "owner_id")
    later = later[later["changed_at"] >= at].drop_duplicates("entity_id")
    before = later.set_index("entity_id")["old_value"]
    return before.reindex(now.index).fillna(now)
