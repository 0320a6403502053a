"""How is selling meant to go here, how does it really go, and which steps only cost time?"""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import process as pictures
from salesops.charts import process_design as tables
from salesops.charts import process_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.checks import processframes as frames
from salesops.checks import processplain as plain
from salesops.checks.judged import examine
from salesops.checks.process import LESSON
from salesops.checks.registry import checks_of
from salesops.metrics.opendeals import standing
from salesops.metrics.stages import has_stage_history, transitions
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Method

# Looked for by the diagnosis too, so that both say the same.
CHECKED = ("skipped_stages", "back_moves", "idle_steps", "no_role")
# A field is full where next to no row leaves it out.
FULL = 0.995


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Process(Result):
    """The process of one company and scope, as drawn and as it goes.

    Attributes
    ----------
    design
        One row per stage of the settings: `checks.processframes.design`.
    nodes
        One row per open stage and won: `checks.processframes.nodes_of`; empty without a log.
    moves
        One row per pair of stages: `metrics.stages.transitions`; empty without a log.
    deviations
        One row per stage that may be skipped, and one for going back:
        `checks.processframes.deviations`; empty without a log.
    skipped
        One row per open deal and stage that it skipped: `checks.processframes.open_skips`.
    steps
        One row per step: `checks.processframes.stage_steps`; empty without a log.
    fields
        One row per field that people fill in: `checks.processplain.fields_filled`.
    late
        One row per open deal, oldest first: `checks.processplain.late_deals`.
    bands
        One row per third of the ended deals by value: `checks.processplain.ended_bands`.
    """

    design: pd.DataFrame
    nodes: pd.DataFrame
    moves: pd.DataFrame
    deviations: pd.DataFrame
    skipped: pd.DataFrame
    steps: pd.DataFrame
    fields: pd.DataFrame
    late: pd.DataFrame
    bands: pd.DataFrame

    def plot_design(self, ax: Axes | None = None) -> Axes:
        """Draw the process that the settings describe, one lane per role."""
        return pictures.lanes(self.design, ax=ax)

    def plot_moves(self, ax: Axes | None = None) -> Axes:
        """Draw the way deals really went."""
        return pictures.real(self.nodes, self.moves, ax=ax)

    def plot_deviations(self, ax: Axes | None = None) -> Axes:
        """Draw how many deals skip each stage or go back, and how often those are won."""
        return pictures.deviations(self.deviations, ax=ax)

    def plot_steps(self, ax: Axes | None = None) -> Axes:
        """Draw how long each step takes and what it stops."""
        return pictures.steps(self.steps, ax=ax)

    def plot_fields(self, ax: Axes | None = None) -> Axes:
        """Draw how often each field is filled."""
        return pictures.fields(self.fields, ax=ax)

    @property
    def skipped_table(self) -> TableView | Shown:
        """The open deals that skipped a stage."""
        return tables.skips_table(self.skipped)

    @property
    def moves_table(self) -> TableView | Shown:
        """The direct moves between stages, most frequent first."""
        return tables.moves_table(self.moves)

    @property
    def fields_table(self) -> TableView | Shown:
        """The fields that are not nearly always filled."""
        return tables.fields_table(self.fields, FULL)


@shared
def process(book: Book, *, period: str = "latest") -> Process:
    """How is selling meant to go here, how does it really go, and which steps only cost time?

    Parameters
    ----------
    book
        The company, at its date and in its scope; its settings draw the process.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.

    Returns
    -------
    Process
        Frames, findings beyond norm, and what could not be seen.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    The real way is a directly-follows graph of the logged changes of stage (van der Aalst 2016,
    Process Mining, chapter 5). A skip counts where a deal got past a stage without ever being in
    it, and only from the day on which the stage belongs to the process. That skippers win less does
    not say that skipping is why; that a step stops nobody does not say that it is there for
    nothing: it may be there for risk.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = process(open_book("tests/tiny_company"))
    >>> result.design[["stage", "role"]].values.tolist()[0]
    ['acquisition', 'rep']
    """
    setting = Setting(book=book, period=book.period(period))
    stood = standing(book, setting.period)
    is_logged = _is_logged(stood)
    findings, gaps = _findings(book, setting.period)
    seen = _seen(stood, is_logged, findings)
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    share = seen.numbers["as_drawn_share"]
    return Process(
        report="process",
        setting=setting,
        verdict=words.verdict(seen),
        metrics=seen.numbers,
        exhibits=exhibits,
        findings=findings,
        method=_method(seen),
        gaps=(*_gaps(stood, exhibits, is_logged), *gaps),
        lead=Lead(name="lead.as_drawn", kind="ratio", value=share,
                  prior=seen.numbers["prior_as_drawn_share"], better="up"),
        design=seen.design, nodes=seen.nodes, moves=seen.moves, deviations=seen.deviations,
        skipped=seen.skipped, steps=seen.steps, fields=seen.fields, late=seen.late,
        bands=seen.bands,
    )  # fmt: skip


def _is_logged(book: Book) -> bool:
    """Say whether every stage a deal was in is known: between two imports some stay unseen."""
    if not has_stage_history(book) or not book.has("opportunities.created_at"):
        return False
    return book.tracked["opportunities"]["stage"].how == "log"


def _findings(book: Book, period: Period) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
    """Give what the checks of the process found, and stages that nobody knows when to leave."""
    judged = examine(book, period, checks_of(CHECKED))
    alone = [s for s in book.settings.stages
             if s.kind in ("open", "won") and s.exit_criteria is None]  # fmt: skip
    endless = [
        Finding(
            code="process.no_exit", severity="note", subject=stage.id,
            evidence={"stage": stage.id}, owner_role="ops", action="process.no_exit.action",
            assumption="process.no_exit.assumption", lesson=LESSON,
        )
        for stage in alone
    ]  # fmt: skip
    gaps = [gap for gap in judged.gaps if gap.reason not in ("no_history", "only_between_imports")]
    return (*judged.findings, *endless), tuple(gaps)


def _seen(book: Book, is_logged: bool, findings: tuple[Finding, ...]) -> words.Seen:
    """Lay out the frames, each worked out once."""
    selling = book.without_renewals()
    cuts = {f.subject: float(str(f.evidence["cut"])) for f in findings
            if f.code == "diagnosis.idle_steps"}  # fmt: skip
    ways = frames.marked_ways(book) if is_logged else None
    moves = transitions(selling) if is_logged else pd.DataFrame()
    nothing = pd.DataFrame()
    design, fields = frames.design(book), plain.fields_filled(book)
    late = plain.late_deals(book) if book.has("opportunities.created_at") else nothing
    bands = plain.ended_bands(book) if _is_dated(book) else nothing
    known = {
        "deviations": nothing if ways is None else frames.deviations(book, ways),
        "skipped": nothing if ways is None else frames.open_skips(book, ways),
        "steps": frames.stage_steps(book, cuts) if is_logged else nothing,
        "nodes": frames.nodes_of(book, moves) if is_logged else nothing,
    }
    shares = {} if ways is None else frames.shares_of(ways)
    worst = next((f.evidence for f in findings if f.code == "diagnosis.idle_steps"), None)
    if worst is not None:
        shares["excess_days"] = float(str(worst["days"])) - float(str(worst["norm_days"]))
    told = shares | _lengths(plain.drawn_days(book), late, bands, known["steps"])
    numbers = _numbers(design, fields, told)
    return words.Seen(
        settings=book.settings, numbers=numbers, is_logged=is_logged, design=design, moves=moves,
        fields=fields, late=late, bands=bands, findings=findings, **known,
    )  # fmt: skip


def _is_dated(book: Book) -> bool:
    return book.has("opportunities.created_at") and book.has("opportunities.closed_at")


def _lengths(
    drawn: float, late: pd.DataFrame, bands: pd.DataFrame, steps: pd.DataFrame
) -> dict[str, float]:
    """Give the days that deals take and that steps hold up, null where not known."""
    whole = bands.iloc[-1] if len(bands) else None
    waits = len(steps) > 0
    return {
        "drawn_days": drawn,
        "n_late": float((late["open_days"] > drawn).sum()) if len(late) else math.nan,
        "won_days": math.nan if whole is None else float(whole["won_days"]),
        "lost_days": math.nan if whole is None else float(whole["lost_days"]),
        "held": float(steps["held"].sum(min_count=1)) if waits else math.nan,
        "wasted": float(steps["wasted"].sum(min_count=1)) if waits else math.nan,
    }


def _numbers(
    design: pd.DataFrame, fields: pd.DataFrame, told: dict[str, float]
) -> dict[str, float | None]:
    stages = design[design["kind"] != "phase"]
    found = {
        "n_stages": len(stages), "n_roles": design["role"].nunique(),
        "n_no_role": int(stages["role"].isna().sum()),
        "n_no_exit": int((~stages["has_exit"].astype(bool)).sum()),
        "n_open": design["n_open"].sum(), "n_fields": len(fields),
        "n_full": int((fields["filled_share"] >= FULL).sum()),
        "as_drawn_share": math.nan, "prior_as_drawn_share": math.nan, **told,
    }  # fmt: skip
    return {k: None if math.isnan(v) else float(v) for k, v in found.items()}


def _gaps(book: Book, exhibits: dict[str, Exhibit], is_logged: bool) -> tuple[Gap, ...]:
    """Say what can't be seen without a log, and which exhibits have nothing to show."""
    gaps = []
    if not is_logged:
        unseen = "only_between_imports" if has_stage_history(book) else "no_history"
        needs = "changes" if unseen == "no_history" else "opportunities.stage"
        gaps = [Gap(what=f"what.{key}", reason=unseen, needs=needs)
                for key in ("real", "skips", "idle")]  # fmt: skip
    elif not all(key in exhibits for key in ("real", "skips", "idle")):
        gaps = [Gap(what=f"what.{key}", reason="no_rows")
                for key in ("real", "skips", "idle") if key not in exhibits]  # fmt: skip
    if "fields" not in exhibits:
        gaps.append(Gap(what="what.fields", reason="no_rows"))
    return tuple(gaps)


def _method(seen: words.Seen) -> Method:
    source = ["method.process_settings", "method.process_fields"]
    blind = ["blind.settings_today", "blind.only_recorded"]
    n = {"fields": len(seen.fields)}
    if seen.is_logged:
        source += ["method.process_real", "method.process_skips", "method.process_steps"]
        n["ways"] = int(seen.number("n_ways"))
        n["moves"] = int(seen.moves["n"].sum()) if len(seen.moves) else 0
    else:
        blind.append("blind.no_history")
    return Method(source=tuple(source), assumptions=("method.norms",) if seen.is_logged else (),
                  n=n, blind_spots=tuple(blind))  # fmt: skip
