"""What is wrong with how the company sells, what does it cost, and who should do what?"""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting, due_on
from salesops.book.book import Book
from salesops.book.past import has_past
from salesops.book.shared import shared
from salesops.charts import diagnosis as pictures
from salesops.charts import diagnosis_page as words
from salesops.charts.diagnosis_parts import AllChecks, Risky
from salesops.charts.table import TableView
from salesops.checks.headlines import believed, break_kinds
from salesops.checks.judged import Judged, examine
from salesops.checks.overview import checks_frame, pains_frame, since_frame
from salesops.checks.registry import all_checks
from salesops.metrics.changed import names_of
from salesops.metrics.warnings import WARNINGS, deal_warnings, unseen, warning_record
from salesops.model.calendar import Period
from salesops.model.finding import Gap, Method


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Diagnosis(Result):
    """What holds of the five pains in one company, scope and period.

    Attributes
    ----------
    pains
        One row per pain: `checks.overview.pains_frame`.
    checks
        One row per check: `checks.overview.checks_frame`.
    since
        One row per check that came out otherwise than at the end of the period before:
        `checks.overview.since_frame`.
    rows
        One row per record behind a finding: `check`, `subject`, `table`, `id`.
    breaks
        One row per kind of break: `checks.headlines.break_kinds`, and `prior_share`.
    credible
        One row per open stage: `checks.headlines.believed`.
    warnings
        One row per warning of open deals: `metrics.warnings.warning_record`.
    open_deals
        One row per open deal with what warns of it: `metrics.warnings.deal_warnings`, and `owner`.
    """

    pains: pd.DataFrame
    checks: pd.DataFrame
    since: pd.DataFrame
    rows: pd.DataFrame
    breaks: pd.DataFrame
    credible: pd.DataFrame
    warnings: pd.DataFrame
    open_deals: pd.DataFrame

    def plot_pains(self, ax: Axes | None = None) -> Axes:
        """Draw what could be brought back by pain."""
        return pictures.pains(self.pains, ax=ax)

    def plot_breaks(self, ax: Axes | None = None) -> Axes:
        """Draw the share of deals with a break, by kind."""
        return pictures.breaks(self.breaks, ax=ax)

    def plot_credible(self, ax: Axes | None = None) -> Axes:
        """Draw what the open deals are said to be worth and what can be believed."""
        return pictures.credible(self.credible, ax=ax)

    @property
    def checks_table(self) -> AllChecks:
        """Every check with its value, its norm and how it came out."""
        return AllChecks(self.checks)

    @property
    def warnings_table(self) -> TableView:
        """Each warning of open deals, and how often it came true here."""
        return words.warnings_table(self.warnings)

    @property
    def deals_table(self) -> Risky:
        """The open deals with most warnings."""
        return Risky(self.open_deals, WARNINGS)

    @property
    def rows_table(self) -> TableView:
        """How many records each finding speaks of; the frame `rows` names them."""
        return words.rows_table(self.rows)


@shared
def diagnosis(book: Book, *, period: str = "latest") -> Diagnosis:
    """What is wrong with how the company sells, what does it cost, and who should do what?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.

    Returns
    -------
    Diagnosis
        Frames, findings with the most to bring back first, and what could not be looked at.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    Every check compares with a norm plus a tolerance; all comparisons are held to one false
    discovery rate of 1 % (see `checks.judged`). Money counts each deal and instalment once, with
    the finding that could bring back most of it. Not to be read as a judgement of people: few
    checks speak of persons, and those of what was recorded, not of why.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = diagnosis(open_book("tests/tiny_company"))
    >>> result.pains["pain"].tolist()
    ['targets', 'data', 'process', 'review', 'teamwork']
    """
    setting = Setting(book=book, period=book.period(period))
    checks = all_checks()
    now = examine(book, setting.period, checks)
    before, earlier = _last_time(book, setting.period)
    then = None if before is None else examine(before, earlier, checks)
    table = checks_frame(checks, now, then)
    pains = pains_frame(table)
    breaks = _with_prior(break_kinds(book, setting.period),
                         None if before is None else break_kinds(before, earlier))  # fmt: skip
    credible = believed(book, setting.period)
    m = _numbers(now, table, breaks, credible)
    seen = words.Seen(
        period=setting.period, earlier=earlier, numbers=m, pains=pains, checks=table,
        since=since_frame(table), breaks=breaks, credible=credible, findings=now.findings,
        due={f.id: due_on(book, f) for f in now.findings}, known_before=then is not None,
    )  # fmt: skip
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    return Diagnosis(
        report="diagnosis",
        setting=setting,
        verdict=words.verdict(seen),
        metrics=m,
        exhibits=exhibits,
        findings=now.findings,
        method=_method(now, then is not None),
        gaps=(*now.gaps, *_gaps(book, breaks, credible, then)),
        lead=Lead(name="lead.recoverable", kind="money", value=m["middle"],
                  prior=m["prior_middle"], better="down"),
        pains=pains, checks=table, since=seen.since, rows=_rows(now), breaks=breaks,
        credible=credible, warnings=warning_record(book), open_deals=_warned(book),
    )  # fmt: skip


def _warned(book: Book) -> pd.DataFrame:
    deals = deal_warnings(book)
    return deals.assign(owner=names_of(book, deals["owner_id"]))


def _last_time(book: Book, period: Period) -> tuple[Book | None, Period]:
    """Give the book as it was at the end of the period before, where its past is known."""
    earlier = period.prior()
    if not has_past(book, earlier.end):
        return None, earlier
    return book.as_of(earlier.end), earlier


def _with_prior(breaks: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    prior = breaks.assign(prior_share=math.nan)
    if before is None or before.empty:
        return prior
    shares = before.set_index("kind")["share"]
    return prior.assign(prior_share=prior["kind"].map(shares).astype("float64"))


def _numbers(
    now: Judged, checks: pd.DataFrame, breaks: pd.DataFrame, credible: pd.DataFrame
) -> dict[str, float | None]:
    sums = checks[["at_stake", "low", "middle", "high", "prior_middle"]].sum(min_count=1)
    bad = checks["status"].isin(["act", "watch"])
    found = {
        "n_checks": len(checks), "n_seen": int((checks["status"] != "unknown").sum()),
        "n_bad": int(bad.sum()), "n_act": int((checks["status"] == "act").sum()),
        "n_findings": len(now.held),
        "prior_n_bad": int(checks["prior_status"].isin(["act", "watch"]).sum()),
        **{k: float(v) for k, v in sums.items()},
    }  # fmt: skip
    if len(breaks):
        row = breaks.iloc[0]
        found |= {"broken": row["n"], "n_deals": row["n_deals"], "broken_share": row["share"],
                  "prior_broken_share": row["prior_share"]}  # fmt: skip
    if len(credible):
        sums = credible[["reported", "credible"]].sum()
        found |= {"reported": sums["reported"], "credible_pipeline": sums["credible"]}
        if sums["reported"] > 0:
            found["credible_share"] = sums["credible"] / sums["reported"]
    return {k: None if math.isnan(v) else float(v) for k, v in found.items()}


def _rows(now: Judged) -> pd.DataFrame:
    columns = ["check", "subject", "table", "id"]
    parts = [
        test.rows.assign(check=of, subject=test.finding.subject)[columns]
        for test, of in zip(now.held, now.check_of, strict=True)
    ]
    return pd.concat([pd.DataFrame({c: [] for c in columns}, dtype="object"), *parts],
                     ignore_index=True)  # fmt: skip


def _gaps(
    book: Book, breaks: pd.DataFrame, credible: pd.DataFrame, then: Judged | None
) -> tuple[Gap, ...]:
    gaps = []
    if breaks.empty:
        needs = "activities" if not book.has("activities") else "changes"
        gaps.append(Gap(what="what.breaks", reason="missing_table", needs=needs))
    if credible.empty:
        gaps.append(Gap(what="what.credible", reason="no_open_amounts"))
    gaps += [Gap(what=f"warning.{name}", reason=_missing(needs), needs=needs)
             for name, needs in unseen(book).items()]  # fmt: skip
    if then is None:
        gaps.append(Gap(what="what.since", reason="no_history", needs="changes"))
    return tuple(gaps)


def _missing(needs: str) -> str:
    """Say why a warning can't be given: no history, no table or no column."""
    if needs == "changes":
        return "no_history"
    return "missing_column" if "." in needs else "missing_table"


def _method(now: Judged, known_before: bool) -> Method:
    source = ["method.checks", "method.money_once"]
    source += ["method.last_time"] if known_before else []
    return Method(
        source=tuple(source), assumptions=("method.norms",),
        n={"checks_seen": len(now.seen),
           "comparisons": sum(len(s.tests) for s in now.seen.values())},
        blind_spots=("blind.settings_today", "blind.only_recorded"),
    )  # fmt: skip
