"""Stages of the funnel side by side: open deals, time in stage, chance of getting on."""

import math
from dataclasses import dataclass

import pandas as pd

from salesops.book.book import Book
from salesops.metrics.ageing import chance_by_stay, stage_entries, stay_norms
from salesops.metrics.conversion import stage_conversion
from salesops.metrics.leaks import elapsed, same_days
from salesops.metrics.opendeals import open_deals, with_silence
from salesops.metrics.stages import has_stage_history
from salesops.model.calendar import Period
from salesops.model.finding import Gap

STAYS = (0, 1, 2, 3)
_DEALS = ["id", "name", "account_id", "owner_id", "stage", "created_at", "expected_close_on",
          "cents", "entered_at", "stage_days", "last_touch_at", "silent_days", "silent", "stalled",
          "overdue"]  # fmt: skip


def deals_frame(book: Book) -> pd.DataFrame:
    """List the open deals as a frame, with `amount` in company currency."""
    frame = with_silence(book, open_deals(book)).order_by("id").to_pandas()[_DEALS]
    money = frame["cents"].astype("float64") / 100
    return frame.assign(amount=money, stage=frame["stage"].fillna("unknown"))


def one_period_before(book: Book, period: Period) -> Book:
    """The company one period earlier, on the same day of its period."""
    prior = period.prior()
    return book.as_of(same_days(prior, elapsed(book, period)).end)


def stages_of(
    book: Book, period: Period, deals: pd.DataFrame, before: pd.DataFrame | None
) -> tuple[pd.DataFrame, tuple[Gap, ...]]:
    """Lay out the open stages; see `analyses.funnel.Funnel.stages`.

    Parameters
    ----------
    deals, before
        Open deals now and one period before (None where the history does not show them).
    """
    gaps: list[Gap] = []
    names = list(book.settings.stage_ids("open"))
    names += ["unknown"] if (deals["stage"] == "unknown").any() else []
    now = _sums(deals, names)
    has_dates = book.has("opportunities.expected_close_on")
    expected = pd.to_datetime(deals["expected_close_on"])
    due = deals[expected.between(pd.Timestamp(period.start), pd.Timestamp(period.end))]
    stages = pd.DataFrame({"stage": names, "n": now["n"].to_numpy(),
                           "amount": now["amount"].to_numpy()})  # fmt: skip
    stages["due"] = _sums(due, names)["amount"].fillna(0).to_numpy() if has_dates else math.nan
    then = None if before is None else _sums(before, names)
    stages["prior_n"] = math.nan if then is None else then["n"].astype("float64").to_numpy()
    stages["prior_amount"] = math.nan if then is None else then["amount"].to_numpy()
    if not has_dates:
        gaps.append(Gap(what="what.due", reason="missing_column",
                        needs="opportunities.expected_close_on"))  # fmt: skip
    if stages["n"].sum() and stages["amount"].isna().all():
        gaps.append(Gap(what="what.open_amount", reason="no_open_amounts"))
    conversion, missing = stage_conversion(book, period)
    return stages.merge(conversion, on="stage", how="left"), (*gaps, *missing)


def _sums(deals: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Count and sum by stage; 0 where nothing is open, null where no open deal has a value."""
    grouped = deals.groupby("stage")["amount"]
    n = grouped.size().reindex(names, fill_value=0).astype(int)
    amount = grouped.sum(min_count=1).reindex(names)
    return pd.DataFrame({"n": n, "amount": amount.where(n > 0, 0.0)})


@dataclass(frozen=True, kw_only=True, eq=False)
class Ageing:
    """How long open deals have been in their stages.

    Attributes
    ----------
    stages
        One row per open stage: `stage`, `norm_days`, `norm_n`, `norm_from` (see
        `metrics.ageing.stay_norms`), `n` open deals whose entry is known, `aged_n` and
        `aged_amount` beyond the settings' `aged_after` norms (twice by default).
    deals
        The open deals with `norm_days` and `age_times` (stay in norms; null where not known).
    chances
        One row per stage and multiple of its norm (0-3): `stage`, `times`, `n` (deals of the last
        24 months that stayed so long), `chance` of winning from then on, `low`, `high` (80 %),
        `variance`.
    prior_share
        Part of open value beyond the limit one period before, by today's norms; null where not
        known.
    """

    stages: pd.DataFrame
    deals: pd.DataFrame
    chances: pd.DataFrame
    prior_share: float

    @property
    def share(self) -> float:
        """Part of open value that is beyond the limit."""
        whole = float(self.deals["amount"].sum())
        return float(self.stages["aged_amount"].sum()) / whole if whole > 0 else math.nan

    def told(self) -> dict[str, float]:
        """Give the numbers of which a report speaks, null where not known."""
        amount = float(self.stages["aged_amount"].sum(min_count=1))
        return {"aged_n": float(self.stages["aged_n"].sum()), "aged_amount": amount,
                "aged_share": self.share, "prior_aged_share": self.prior_share}  # fmt: skip

    @property
    def worst(self) -> str:
        """The stage in which most value, else most deals, stays beyond the limit."""
        aged = self.stages[self.stages["aged_n"] > 0]
        if aged.empty:
            return ""
        by = "aged_amount" if aged["aged_amount"].notna().any() else "aged_n"
        return str(aged.loc[aged[by].idxmax(), "stage"])


def ageing_of(book: Book, deals: pd.DataFrame, before: pd.DataFrame | None) -> Ageing | None:
    """How long have open deals been in their stage, and what does it mean? None without history."""
    if not has_stage_history(book):
        return None
    limit = book.settings.norms.aged_after
    entries = stage_entries(book).to_pandas()
    stages = stay_norms(book, entries)
    norms = stages.set_index("stage")["norm_days"]
    deals = _aged(deals, norms)
    over = deals[deals["age_times"] > limit]
    known = deals[deals["age_times"].notna()].groupby("stage").size()
    names = list(stages["stage"])
    sums = _sums(over, names)
    stages = stages.assign(
        n=known.reindex(names, fill_value=0).to_numpy(), aged_n=sums["n"].to_numpy(),
        aged_amount=sums["amount"].to_numpy(),
    )  # fmt: skip
    parts = [
        chance_by_stay(entries[entries["stage"] == s], days, STAYS).assign(stage=s)
        for s, days in norms.items() if days == days
    ]  # fmt: skip
    columns = ["stage", "times", "n", "chance", "low", "high", "variance"]
    chances = pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
    return Ageing(stages=stages, deals=deals, chances=chances.reset_index(drop=True),
                  prior_share=_prior_share(before, norms, limit))  # fmt: skip


def _aged(deals: pd.DataFrame, norms: "pd.Series[float]") -> pd.DataFrame:
    days = deals["stage"].map(norms).astype("float64")
    times = deals["stage_days"].astype("float64") / days
    return deals.assign(norm_days=days, age_times=times)


def _prior_share(before: pd.DataFrame | None, norms: "pd.Series[float]", limit: float) -> float:
    if before is None or not before["amount"].sum() > 0:
        return math.nan
    aged = _aged(before, norms)
    return float(aged.loc[aged["age_times"] > limit, "amount"].sum() / aged["amount"].sum())


def fall_p(chances: pd.DataFrame, limit: int = 2) -> tuple[float, float, float, int]:
    """Give the chance on entry and beyond the limit, the p of no fall, and the smaller n.

    Whoever stays is among those who entered, so the two agree more than two samples would: the
    p, taken as if they were apart, is on the safe side.
    """
    found = chances.set_index("times")
    first, late = found.loc[0], found.loc[limit]
    error = math.sqrt(first["variance"] + late["variance"])
    fall = float(first["chance"] - late["chance"])
    if math.isnan(error) or error == 0:
        return float(first["chance"]), float(late["chance"]), math.nan, int(late["n"])
    from scipy.special import ndtr

    p = float(2 * ndtr(-abs(fall) / error))
    return float(first["chance"]), float(late["chance"]), p, int(min(first["n"], late["n"]))
