"""Where do deals stand, how many get on, what became of the pipeline, and where is most lost?"""

import datetime as dt
import math
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from ibis import _
from matplotlib.axes import Axes

from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.charts import funnel as pictures
from salesops.charts import funnel_page as words
from salesops.charts.exhibit import Say
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.metrics.conversion import stage_conversion
from salesops.metrics.currency import in_company_currency
from salesops.metrics.leaks import elapsed, losses, same_days
from salesops.metrics.stages import has_stage_history, open_renewals, transitions
from salesops.metrics.waterfall import moved_deals, pipeline_moves, waterfall_bars
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Method, Range

FALSE_DISCOVERY = 0.01


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Funnel(Result):
    """The funnel of one company, scope and period.

    Attributes
    ----------
    stages
        One row per open stage, in process order: `stage`; `n` open deals and their `amount`
        (company currency; null where no open deal has one), `due` (the part expected to close in
        the period), `prior_n`, `prior_amount` (one period before, same day), `plan_amount`
        (null without targets); `entered` (first entries of the last 12 months), `rate` (chance of
        reaching the next stage or beyond, 0–1), `low`, `high` (80 %), `prior_entered`,
        `prior_rate` (the 12 months before, as known then), `trust` (of the change), `won_rate`
        (chance of winning in the end), `flow_in`, `flow_out` (deals in the period).
    waterfall
        One row per bucket: `bucket`, `kind`, `n`, `amount`, `prior_amount`; null without history.
    deals
        One row per deal and bucket: `id`, `name`, `owner_id`, `owner` (name), `bucket`, `amount`.
    leaks
        One row per last open stage: `stage`, `n`, `leak`, `prior_leak`, `norm_leak`, `prior_n`,
        `norm_n`; see `metrics.leaks.losses`.
    transitions
        One row per pair of stages: see `metrics.stages.transitions`.
    groups
        One row per team or owner with `by`: `group`, `n`, `amount`, `won_n`, `lost_n`.
    """

    stages: pd.DataFrame
    waterfall: pd.DataFrame
    deals: pd.DataFrame
    leaks: pd.DataFrame
    transitions: pd.DataFrame
    groups: pd.DataFrame

    def plot_stages(self, ax: Axes | None = None) -> Axes:
        """Draw the chance of getting on from each stage."""
        title = self.exhibits["stages"].title.text()
        return pictures.conversion(self.stages, ax=ax, title=title)

    def plot_waterfall(self, ax: Axes | None = None) -> Axes:
        """Draw what became of the pipeline."""
        return pictures.waterfall(self.waterfall, ax=ax)

    def plot_leaks(self, ax: Axes | None = None) -> Axes:
        """Draw what was lost by stage."""
        return pictures.leaks(self.leaks, ax=ax)

    @property
    def moves_table(self) -> TableView | Shown:
        """The direct moves between stages, most frequent first."""
        if self.transitions.empty:
            nothing = Say("funnel.moves_none").text()
            return Shown(f"<p>{nothing}</p>", nothing)
        columns = {"from_stage": "stage", "to_stage": "stage", "move": "label", "n_moves": "count",
                   "n_deals": "count", "median_days": "days"}  # fmt: skip
        heads = {"source": "from_stage", "target": "to_stage", "n": "n_moves"}
        frame = self.transitions.assign(move="move." + self.transitions["kind"].astype(str))
        frame = frame.rename(columns=heads)
        caption = Say("funnel.moves_caption", {"n": int(frame["n_moves"].sum())})
        optional = frozenset({"n_deals"})
        return TableView(frame=frame, columns=columns, caption=caption, optional=optional)

    @property
    def deals_table(self) -> TableView | Shown:
        """The deals behind the largest outflow of the waterfall."""
        worst = words.largest_outflow(self.waterfall)
        if not worst:
            nothing = Say("funnel.deals_none").text()
            return Shown(f"<p>{nothing}</p>", nothing)
        rows = self.deals[self.deals["bucket"] == worst].sort_values("amount", key=abs,
                                                                     ascending=False)  # fmt: skip
        columns = {"id": "text", "name": "text", "owner": "text", "amount": "money"}
        fields = {"bucket": f"bucket.{worst}", "n": len(rows)}
        caption = Say("funnel.deals_caption", fields)
        optional = frozenset({"id"})
        return TableView(frame=rows, columns=columns, caption=caption, optional=optional)


def funnel(book: Book, *, period: str = "latest", by: str = "none") -> Funnel:
    """Where do deals stand, how many get on, and where is most lost?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.
    by
        `none`, `team` or `user`: adds the frame `groups`.

    Returns
    -------
    Funnel
        Frames, findings sorted by money at stake, and what could not be computed.

    Raises
    ------
    BadPeriod
        The period is none of these.
    ValueError
        `by` is none of these.

    Notes
    -----
    The cohort rate is an Aalen–Johansen estimate over first entries of the last 12 months, loss
    and void competing; the period flow beside it counts who came and left in the period and may
    exceed 100 %. Not to be believed for a stage whose process changed within those 12 months.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = funnel(open_book("tests/tiny_company"))
    >>> result.stages[["stage", "n"]].values.tolist()
    [['acquisition', 1], ['needs', 2], ['negotiation', 2]]
    """
    if by not in ("none", "team", "user"):
        raise ValueError(f"by={by!r} is not known. Expected none, team or user.")
    setting = Setting(book=book, period=book.period(period))
    gaps: list[Gap] = []
    # Renewals go a way of their own: confirmed rather than won, and nearly all of them.
    selling = Setting(book=book.without_renewals(), period=setting.period)
    stages = _stages(selling, gaps)
    bars, deals = _waterfall(selling, gaps)
    leaks = losses(selling.book, setting.period)
    counts = _counts(selling.book, leaks, gaps) | {"renewals": open_renewals(book)}
    moves = transitions(selling.book)
    findings = _findings(stages, book)
    return Funnel(
        report="funnel",
        setting=setting,
        verdict=words.verdict(stages, bars, leaks, counts, findings),
        metrics=_metrics(stages, bars, leaks, counts),
        exhibits=words.exhibits(setting.period, stages, bars, leaks),
        findings=findings,
        method=_method(book, stages, counts),
        gaps=tuple(gaps),
        stages=stages,
        waterfall=bars,
        deals=deals,
        leaks=leaks,
        transitions=moves,
        groups=_groups(selling, by),
        lead=_lead(stages),
    )


def _open_by_stage(book: Book, period: Period | None) -> pd.DataFrame:
    """Open deals by stage: n, cents, and the cents expected to close in the period."""
    deals = in_company_currency(book).filter(_.outcome == "open")
    inside = ibis.literal(False)
    if period is not None:
        inside = book.calendar.contains(period, deals.expected_close_on).fill_null(False)
    frame = (
        deals.group_by(stage=ibis.coalesce(deals.stage, "unknown"))
        .agg(n=_.count(), cents=_.cents.sum(), due=deals.cents.sum(where=inside).fill_null(0))
        .to_pandas()
        .set_index("stage")
    )
    order = [*book.settings.stage_ids("open"), *frame.index.intersection(["unknown"])]
    return frame.reindex(order).astype("float64")


def _stages(setting: Setting, gaps: list[Gap]) -> pd.DataFrame:
    book, period = setting.book, setting.period
    now = _open_by_stage(book, period)
    before = _open_by_stage(_one_period_before(book, period), None).reindex(now.index)
    has_dates = book.has("opportunities.expected_close_on")
    money = now["cents"] / 100
    stages = pd.DataFrame(
        {
            "stage": now.index,
            "n": now["n"].fillna(0).astype(int).to_numpy(),
            "amount": money.where(now["n"].notna(), 0.0).to_numpy(),
            "due": (now["due"].fillna(0) / 100).to_numpy() if has_dates else math.nan,
            "prior_n": before["n"].to_numpy(),
            "prior_amount": (before["cents"] / 100).to_numpy(),
            "plan_amount": math.nan,
        }
    )
    if not has_stage_history(_one_period_before(book, period)):
        stages[["prior_n", "prior_amount"]] = math.nan
    else:
        stages[["prior_n", "prior_amount"]] = stages[["prior_n", "prior_amount"]].fillna(0.0)
    if not has_dates:
        gaps.append(Gap(what="what.due", reason="missing_column",
                        needs="opportunities.expected_close_on"))  # fmt: skip
    if stages["n"].sum() and stages["amount"].isna().all():
        gaps.append(Gap(what="what.open_amount", reason="no_open_amounts"))
    conversion, missing = stage_conversion(book, period)
    gaps += missing
    return stages.merge(conversion, on="stage", how="left")


def _one_period_before(book: Book, period: Period) -> Book:
    """The company one period earlier, on the same day of its period."""
    prior = period.prior()
    return book.as_of(same_days(prior, elapsed(book, period)).end)


def _waterfall(setting: Setting, gaps: list[Gap]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The bars now and one period before, and the deals behind them."""
    book, period = setting.book, setting.period
    start_day = period.start - dt.timedelta(days=1)
    columns = ["bucket", "kind", "n", "amount", "prior_amount"]
    deals = ["id", "name", "owner_id", "owner", "bucket", "amount"]
    window = period if book.has("opportunities.expected_close_on") else None
    start = book.as_of(start_day)
    for field in ("stage", "amount", *(("expected_close_on",) if window else ())):
        if book.has(f"opportunities.{field}") and not start.is_tracked("opportunities", field):
            gaps.append(Gap(what="what.waterfall", reason="no_history", needs="changes"))
            return pd.DataFrame(columns=columns), pd.DataFrame(columns=deals)
    end = book if book.date <= period.end else book.as_of(period.end)
    moves = pipeline_moves(start, end, window)
    bars = waterfall_bars(moves)
    bars["prior_amount"] = _prior_bars(setting, window)
    if window is None:
        gaps.append(Gap(what="what.waterfall_window", reason="missing_column",
                        needs="opportunities.expected_close_on"))  # fmt: skip
    behind = moved_deals(moves)
    behind["owner"] = _names(book, behind["owner_id"])
    return bars[columns], behind[deals]


def _names(book: Book, ids: "pd.Series[str]") -> "pd.Series[str]":
    """Name people; who is outside the scope or unknown keeps what stands in the id."""
    people = book.people().set_index("id")["name"]
    return ids.map(people).fillna(ids)


def _prior_bars(setting: Setting, window: Period | None) -> "pd.Series[float] | float":
    book, prior = setting.book, setting.period.prior()
    start = book.as_of(prior.start - dt.timedelta(days=1))
    if not start.is_tracked("opportunities", "stage"):
        return math.nan
    days = elapsed(book, setting.period)
    moves = pipeline_moves(start, book.as_of(same_days(prior, days).end), window and prior)
    return waterfall_bars(moves)["amount"]


def _counts(book: Book, leaks: pd.DataFrame, gaps: list[Gap]) -> dict[str, int]:
    """Count deals by outcome, and those without what an analysis needs."""
    deals = in_company_currency(book)
    counted = deals.agg(
        deals=_.count(),
        open=(_.outcome == "open").ifelse(1, 0).sum(),
        won=(_.outcome == "won").ifelse(1, 0).sum(),
        lost=(_.outcome == "lost").ifelse(1, 0).sum(),
        undated=_.created_at.isnull().ifelse(1, 0).sum(),
        no_account=_.account_id.isnull().ifelse(1, 0).sum(),
        no_owner=_.owner_id.isnull().ifelse(1, 0).sum(),
        no_amount=_.amount.isnull().ifelse(1, 0).sum(),
        lost_valued=((_.outcome == "lost") & _.amount.notnull()).ifelse(1, 0).sum(),
        won_cents=_.cents.sum(where=_.outcome == "won"),
    )
    row = counted.to_pandas().iloc[0]
    # A sum over no row is null.
    counts = {name: 0 if pd.isna(row[name]) else int(row[name]) for name in row.index}
    if counts["lost"] and not counts["lost_valued"] and counts["won_cents"]:
        gaps.append(Gap(what="what.leak_money", reason="amounts_only_for_won",
                        needs="opportunities.amount", evidence={"n": counts["lost"]}))  # fmt: skip
    if counts["undated"]:
        gaps.append(Gap(what="what.undated", reason="undated",
                        needs="opportunities.created_at",
                        evidence={"n": counts["undated"]}))  # fmt: skip
    if "unknown" in set(leaks["stage"]):
        n = int(leaks.loc[leaks["stage"] == "unknown", "n"].sum())
        gaps.append(Gap(what="what.leak_stage", reason="no_history", needs="changes",
                        evidence={"n": n}))  # fmt: skip
    if not book.has("targets"):
        gaps.append(Gap(what="what.plan", reason="missing_table", needs="targets"))
    return counts


def _groups(setting: Setting, by: str) -> pd.DataFrame:
    """Open, won and lost by team or owner, as they stood at the event."""
    columns = ["group", "n", "amount", "won_n", "lost_n"]
    if by == "none":
        return pd.DataFrame(columns=columns)
    book, period = setting.book, setting.period
    deals = book.attributed("opportunities")
    group = deals.event_team if by == "team" else deals.event_owner_id
    ended = book.calendar.contains(period, deals.closed_at).fill_null(False)
    is_open = deals.outcome == "open"
    frame = deals.group_by(group=group).agg(
        n=is_open.ifelse(1, 0).sum(),
        amount=deals.amount.sum(where=is_open).cast("float64"),
        won_n=(ended & (deals.outcome == "won")).ifelse(1, 0).sum(),
        lost_n=(ended & (deals.outcome == "lost")).ifelse(1, 0).sum(),
    )
    return frame.order_by("group").to_pandas()[columns]


def _findings(stages: pd.DataFrame, book: Book) -> tuple[Finding, ...]:
    """Stages whose chance of getting on fell against the year before, beyond chance."""
    tested = stages[stages["change_p"].notna() & (stages["trust"] != "too_few")]
    if tested.empty:
        return ()
    # Importing it takes a second, which a report without anything to test need not wait.
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control(tested["change_p"].to_numpy(dtype=float))
    fell = tested[(adjusted < FALSE_DISCOVERY) & (tested["rate"] < tested["prior_rate"])]
    found = [_conversion_fell(row) for _index, row in fell.iterrows()]
    return tuple(sorted(found, key=lambda f: -(f.at_stake or 0)))


def _conversion_fell(row: "pd.Series[float]") -> Finding:
    amount = float(row["amount"])
    after = float(row["won_rate"] / row["rate"]) if row["rate"] > 0 else math.nan
    back = [max(row["prior_rate"] - row[end], 0.0) * amount * min(after, 1.0)
            for end in ("high", "rate", "low")]  # fmt: skip
    sized = not math.isnan(amount) and not any(math.isnan(b) for b in back)
    return Finding(
        code="funnel.conversion_fell",
        severity="act",
        subject=str(row["stage"]),
        evidence={
            "stage": str(row["stage"]),
            "rate": float(row["rate"]),
            "prior_rate": float(row["prior_rate"]),
            "n": int(row["entered"]),
            "n_open": int(row["n"]),
            "amount": amount,
        },
        at_stake=amount if sized else None,
        recoverable=Range(low=back[0], middle=back[1], high=back[2]) if sized else None,
        assumption="funnel.conversion_fell.assumption",
        owner_role="lead",
        action="funnel.conversion_fell.action",
        lesson="08_funnel",
        trust="firm",
    )


def _metrics(
    stages: pd.DataFrame, bars: pd.DataFrame, leaks: pd.DataFrame, counts: dict[str, int]
) -> dict[str, float | None]:
    first = stages["won_rate"].iloc[0] if len(stages) else math.nan
    found = {
        "open_deals": float(counts["open"]), "open_amount": stages["amount"].sum(min_count=1),
        "won_deals": float(counts["won"]), "lost_deals": float(counts["lost"]),
        "won_amount": counts["won_cents"] / 100 if counts["won_cents"] else math.nan,
        "whole_funnel": first, "won_in_period": -words.bar(bars, "won"),
        "pushed_out": -words.bar(bars, "pushed_out"), "leak": leaks["leak"].sum(min_count=1),
        "leak_n": float(leaks["n"].sum()),
    }  # fmt: skip
    return {k: None if v is None or np.isnan(v) else float(v) for k, v in found.items()}


def _lead(stages: pd.DataFrame) -> Lead:
    value, prior = (float(stages[c].sum(min_count=1)) for c in ("amount", "prior_amount"))
    known = [None if math.isnan(v) else v for v in (value, prior)]
    return Lead(name="lead.open_amount", kind="money", value=known[0], prior=known[1])


def _method(book: Book, stages: pd.DataFrame, counts: dict[str, int]) -> Method:
    beside = {"lost_valued", "won_cents"}
    source = ["method.cohort", "method.waterfall", "method.leaks"]
    blind = ["blind.settings_today"]
    if not has_stage_history(book):
        source = ["method.leaks"]
        blind.append("blind.no_history")
    elif book.tracked["opportunities"]["stage"].how == "snapshot":
        blind.append("blind.snapshots")
    n = {name: count for name, count in counts.items() if name not in beside}
    if stages["entered"].notna().any():
        n["entered"] = int(stages["entered"].sum())
    return Method(source=tuple(source), assumptions=("method.window",), n=n,
                  blind_spots=tuple(blind))  # fmt: skip
