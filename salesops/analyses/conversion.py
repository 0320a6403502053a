"""Do leads become customers, from where, and is anybody answering them?"""

import math
from dataclasses import dataclass, fields

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import rows_behind
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import conversion as pictures
from salesops.charts import conversion_page as words
from salesops.charts import conversion_tables as tables
from salesops.charts.behind import Behind
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.methods.intervals import difference, wilson
from salesops.metrics.leadframes import TO_CALL_DAYS, LeadFrames, lead_frames
from salesops.model.finding import Fact, Finding, Method, Range

FALSE_DISCOVERY = 0.01
# A day off may be answered by so many points less within a day before it is worth a word.
OFF_TOLERANCE = 0.10
# A source with less of the leads than this is too small to act on.
WORTH_LEADS = 0.10


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Conversion(Result):
    """How leads of one company and scope become customers.

    Attributes
    ----------
    cohorts
        One row per month or quarter of first leads: see `metrics.leadcohorts.cohorts`. Of deals
        by their creation where no leads are kept.
    totals
        One row, of those that had their time: see `metrics.leadcohorts.totals`.
    sources
        One row per source: see `metrics.leadcohorts.source_rates`; of deals without leads.
    curve
        One row per hour: `hours`, `answered_share` (by then, who waits counted as waiting),
        `prior_share` (as many days before), `work_share`, `off_share` (leads of days off).
    times
        One row per time of answer: see `metrics.leadtables.rates_by_answer`.
    speed
        One row: see `metrics.leadtables.effect_of_speed`.
    waits
        One row per kind of day: see `metrics.leadtables.waits`.
    owners
        One row per owner with `owner`, the name: see `metrics.leadtables.by_owner`.
    reasons
        One row per reason: see `metrics.leadtables.by_reason`; of lost deals where leads have
        none.
    months
        One row per month: see `metrics.leadtables.by_month_of_creation`.
    statuses
        One row per status, source and owner, where no answers are recorded.
    to_call
        One row per lead of the last 30 days that nobody has contacted: see
        `metrics.leadlists.to_call`; those without a deal where no answers are recorded.
    side
        What the rows of `sources` are: `source`, or of deals `product_line` or `team`.
    """

    cohorts: pd.DataFrame
    totals: pd.DataFrame
    sources: pd.DataFrame
    curve: pd.DataFrame
    times: pd.DataFrame
    speed: pd.DataFrame
    waits: pd.DataFrame
    owners: pd.DataFrame
    reasons: pd.DataFrame
    months: pd.DataFrame
    statuses: pd.DataFrame
    to_call: pd.DataFrame
    side: str

    def plot_cohorts(self, ax: Axes | None = None) -> Axes:
        """Draw the share of each cohort that became a customer."""
        return pictures.cohorts(self.cohorts, ax=ax)

    def plot_sources(self, ax: Axes | None = None) -> Axes:
        """Draw the share of customers of each source."""
        return pictures.sources(self.sources, ax=ax)

    def plot_curve(self, ax: Axes | None = None) -> Axes:
        """Draw the share of leads answered by each hour."""
        return pictures.curve(self.curve, ax=ax)

    def plot_times(self, ax: Axes | None = None) -> Axes:
        """Draw the share that became a deal by time of answer."""
        return pictures.times(self.times, ax=ax)

    @property
    def calls_table(self) -> TableView | Shown:
        """The leads to call first; where no calls are recorded, those without a deal."""
        return tables.calls(self.to_call, TO_CALL_DAYS, silent=len(self.statuses) > 0)

    @property
    def steps_table(self) -> TableView | Shown:
        """Each source from lead to valid to deal to customer."""
        return tables.steps(self.sources, self.side, deals=self.months.empty)

    @property
    def months_table(self) -> TableView | Shown:
        """The leads of each month from lead to valid to deal to won."""
        return tables.months(self.months, int(self.metrics["horizon_days"] or 0))

    @property
    def speed_table(self) -> TableView | Shown:
        """What became of leads by time of answer, as it is and with one mix of sources."""
        return tables.speed(self.times, self.speed)


@shared
def conversion(book: Book, *, period: str = "latest") -> Conversion:
    """Do leads become customers, from where, and is anybody answering them?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.

    Returns
    -------
    Conversion
        Frames, findings sorted by money at stake, and what could not be computed.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    A company counts once, in the cohort of its first lead, and only once all of the cohort have
    had their time. What fast answers go with is compared source by source; it does not prove that
    they are the cause: whoever is easy to reach may be both answered and won sooner.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = conversion(open_book("tests/tiny_company"))
    >>> result.totals["n"].tolist()
    [0]
    """
    setting = Setting(book=book, period=book.period(period))
    frames = lead_frames(book, setting.period)
    findings = _findings(frames, book)
    told = _told(frames, findings, book)
    shown = {f.name for f in fields(Conversion)} & {f.name for f in fields(LeadFrames)}
    return Conversion(
        report="conversion",
        setting=setting,
        verdict=words.verdict(told),
        metrics=_metrics(frames, book),
        exhibits=words.exhibits(told),
        findings=findings,
        method=_method(frames, book),
        lead=_lead(frames),
        **{name: getattr(frames, name) for name in shown},
    )


def _told(frames: LeadFrames, findings: tuple[Finding, ...], book: Book) -> words.Told:
    shown = {f.name for f in fields(words.Told)} & {f.name for f in fields(LeadFrames)}
    return words.Told(
        recent=frames.windows.recent,
        norm=book.settings.norms.untouched_share,
        findings=findings,
        periods={text: book.period(text) for text in frames.cohorts["cohort"]},
        behind=_behind(frames, book),
        **{name: getattr(frames, name) for name in shown},
    )


def _behind(frames: LeadFrames, book: Book) -> dict[str, Behind]:
    """Give the number behind each exhibit, over the same leads as the exhibit."""
    if frames.basis != "leads":
        return {}
    found, windows = {}, frames.windows
    known = frames.cohorts[frames.cohorts["rate"].notna()]
    if len(known) and frames.horizon == 90:
        last = book.period(known["cohort"].iloc[-1])
        found["cohorts"] = rows_behind(book, "customer_conversion_90", last, {})
    if frames.sources["valid_rate"].notna().any() and frames.horizon == 90:
        found["sources"] = rows_behind(book, "lead_valid_rate", windows.settled, {})
    if len(frames.curve):
        found["response"] = rows_behind(book, "response_within_24h", windows.recent, {})
    if len(frames.owners):
        found["untouched"] = rows_behind(book, "never_touched_share", windows.recent, {})
    return found


def _findings(frames: LeadFrames, book: Book) -> tuple[Finding, ...]:
    """What is beyond chance and its norm, all that was looked at counted against chance."""
    if frames.basis != "leads":
        return ()
    tested: list[tuple[float, Finding | None]] = []
    tested += [_weak_source(row, frames) for _i, row in frames.sources.iterrows()]
    tested += [_never_touched(frames, book.settings.norms.untouched_share), _days_off(frames, book)]
    known = [(p, finding) for p, finding in tested if not math.isnan(p)]
    if not any(finding for _p, finding in known):
        return ()
    # Importing it takes a second, which a report without anything to test need not wait.
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control([p for p, _finding in known])
    found = [finding for (_p, finding), q in zip(known, adjusted, strict=True)
             if finding is not None and q < FALSE_DISCOVERY]  # fmt: skip
    return tuple(sorted(found, key=lambda f: -(f.at_stake or 0)))


def _per_customer(frames: LeadFrames) -> float:
    """Won money per customer of the settled leads; null where none is known."""
    row = frames.totals.iloc[0]
    return float(row["amount"] / row["n_signed"]) if row["n_signed"] > 0 else math.nan


def _sized(at_stake: float, low: float, middle: float, high: float) -> tuple[
    float | None, Range | None
]:  # fmt: skip
    if math.isnan(at_stake):
        return None, None
    got = [max(value, 0.0) for value in (low, middle, high)]
    return at_stake, Range(low=got[0], middle=got[1], high=got[2])


def _weak_source(row: "pd.Series[float]", frames: LeadFrames) -> tuple[float, Finding | None]:
    """A source that brings leads and hardly customers, against all others."""
    p, n = float(row["p"]), int(row["n_accounts"])
    named = str(row["source"]) != "unnamed"
    worth = row["lead_share"] >= WORTH_LEADS and row["rate"] < row["rest_rate"]
    if math.isnan(p) or not named or not worth:
        return p, None
    whole = frames.sources[["n_signed", "n_accounts"]].sum()
    others = (whole["n_signed"] - row["n_signed"], whole["n_accounts"] - n)
    low, high = difference(*others, row["n_signed"], n)
    each = _per_customer(frames)
    gap = float(row["rest_rate"] - row["rate"])
    at_stake, got = _sized(n * float(row["rest_rate"]) * each, low * n * each, gap * n * each,
                           high * n * each)  # fmt: skip
    evidence: dict[str, Fact] = {
        "source": str(row["source"]), "n": int(row["n"]), "lead_share": float(row["lead_share"]),
        "n_signed": int(row["n_signed"]), "signed_share": float(row["signed_share"]),
        "rate": float(row["rate"]), "rest_rate": float(row["rest_rate"]), "n_accounts": n,
    }  # fmt: skip
    return p, Finding(
        code="conversion.weak_source", severity="act", subject=str(row["source"]),
        evidence=evidence, at_stake=at_stake, recoverable=got,
        assumption="conversion.weak_source.assumption", owner_role="marketing",
        action="conversion.weak_source.action", lesson="07_conversion", trust="firm",
    )  # fmt: skip


def _never_touched(frames: LeadFrames, norm: float) -> tuple[float, Finding | None]:
    """Leads that nobody contacted, beyond the share that is normal."""
    if frames.owners.empty:
        return math.nan, None
    n, k = int(frames.owners["n"].sum()), int(frames.owners["n_untouched"].sum())
    from scipy.stats import binom

    p = float(binom.sf(k - 1, n, norm))
    answered = frames.times.loc[frames.times["until"].notna(), "n"].sum()
    row = frames.totals.iloc[0]
    each = float(row["amount"]) / answered if answered else math.nan
    low, high = wilson(k, n)
    middle = k - norm * n
    if k / n <= norm:
        return p, None
    at_stake, got = _sized(k * each, (low - norm) * n * each, middle * each,
                           (high - norm) * n * each)  # fmt: skip
    evidence: dict[str, Fact] = {"n": n, "n_untouched": k, "untouched_share": k / n, "norm": norm,
                "n_calls": len(frames.to_call), "value_per_lead": each}  # fmt: skip
    return p, Finding(
        code="conversion.never_touched", severity="act", evidence=evidence, at_stake=at_stake,
        recoverable=got, assumption="conversion.never_touched.assumption", owner_role="lead",
        action="conversion.never_touched.action", lesson="07_conversion", trust="firm",
    )  # fmt: skip


def _days_off(frames: LeadFrames, book: Book) -> tuple[float, Finding | None]:
    """Leads of days off that wait for more than a day where others do not."""
    if frames.waits.empty:
        return math.nan, None
    waits = frames.waits.set_index("group")
    off, work = waits.loc["off"], waits.loc["work"]
    few = book.settings.norms.too_few
    if min(off["n_old"], work["n_old"]) < few:
        return math.nan, None
    from scipy.stats import fisher_exact

    table = [[int(side["n_day"]), int(side["n_old"] - side["n_day"])] for side in (off, work)]
    p = float(fisher_exact(table, alternative="less").pvalue)
    shares = [float(side["n_day"] / side["n_old"]) for side in (off, work)]
    slow = math.isnan(off["median_hours"]) or off["median_hours"] > work["median_hours"]
    if shares[1] - shares[0] < OFF_TOLERANCE or not slow or math.isnan(work["median_hours"]):
        return p, None
    late = int(off["n_old"] - off["n_day"])
    row, leads = frames.totals.iloc[0], frames.sources["n"].sum()
    each = float(row["amount"]) / leads if leads else math.nan
    evidence: dict[str, Fact] = {
        "n": int(off["n"]), "n_late": late, "off_share": shares[0], "work_share": shares[1],
        "off_hours": float(off["median_hours"]), "work_hours": float(work["median_hours"]),
    }  # fmt: skip
    return p, Finding(
        code="conversion.days_off", severity="watch", evidence=evidence,
        at_stake=None if math.isnan(each) else late * each,
        assumption="conversion.days_off.assumption", owner_role="lead",
        action="conversion.days_off.action", lesson="07_conversion", trust="firm",
    )  # fmt: skip


def _metrics(frames: LeadFrames, book: Book) -> dict[str, float | None]:
    row = frames.totals.iloc[0]
    found = {
        "conversion_rate": row["rate"], "prior_conversion_rate": row["prior_rate"],
        "customers": row["n_signed"], "won_amount": row["amount"],
        "horizon_days": frames.horizon, "longer_days": frames.longer,
        "recent_days": frames.windows.recent.days,
        "untouched_norm": book.settings.norms.untouched_share,
        "to_call_days": TO_CALL_DAYS,
    }  # fmt: skip
    if len(frames.waits):
        waits = frames.waits.set_index("group").loc["all"]
        found |= {"first_response_hours": waits["working_hours"], "leads": waits["n"]}
    if len(frames.owners):
        n, k = frames.owners["n"].sum(), frames.owners["n_untouched"].sum()
        found |= {"untouched_share": k / n if n else math.nan}
    if len(frames.statuses):
        found["status_leads"] = frames.statuses["n"].sum()
        found["top_status_leads"] = frames.statuses.groupby("status")["n"].sum().max()
        found["top_owner_leads"] = frames.statuses.groupby("owner")["n"].sum().max()
    return {k: None if v is None or math.isnan(v) else float(v) for k, v in found.items()}


def _lead(frames: LeadFrames) -> Lead:
    row = frames.totals.iloc[0]
    now, before = (None if math.isnan(row[c]) else float(row[c]) for c in ("rate", "prior_rate"))
    return Lead(name=f"lead.conversion_{frames.basis}", kind="ratio", value=now, prior=before,
                better="up")  # fmt: skip


def _method(frames: LeadFrames, book: Book) -> Method:
    n = {"settled": int(frames.totals["n"].iloc[0])}
    if frames.basis == "deals":
        return Method(source=("method.deal_cohorts",), assumptions=("method.settled",), n=n,
                      blind_spots=("blind.no_leads",))  # fmt: skip
    source, blind = ["method.lead_cohorts", "method.lead_sources"], []
    if book.store.merged:
        source.append("method.merged_accounts")
        n_merged = {"merged_accounts": book.store.merged}
    else:
        n_merged = {}
        blind.append("blind.no_merge_list")
    if len(frames.curve):
        source += ["method.answers", "method.speed"]
        blind.append("blind.speed_no_cause")
    n |= {"leads": book.n("leads"), **n_merged}
    undated = book.leads.filter(book.leads.created_at.isnull()).count().to_pyarrow().as_py()
    return Method(
        source=tuple(source), assumptions=("method.settled",),
        n=n | ({"undated_leads": int(undated)} if undated else {}), blind_spots=tuple(blind),
    )  # fmt: skip
