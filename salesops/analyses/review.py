"""What did we decide, was it done, did it work, and what comes back?"""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.runlog import said_findings
from salesops.book.shared import shared
from salesops.charts import review as pictures
from salesops.charts import review_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.metrics.comeback import RETURNED, returned
from salesops.metrics.judgedactions import Judged, judged, listed, unit_of
from salesops.metrics.saidforecasts import said_and_came
from salesops.model.finding import Finding, Gap, Method

EFFECTS = ["ids", "note", "scopes", "metric", "unit", "expected", "since", "verdict", "estimate",
           "low", "high", "p", "before_after", "detectable", "chosen_worst", "n_treated",
           "n_compared", "of", "reasons", "reason", "needs"]  # fmt: skip
AGENDA = ["point", "what", "minutes"]
# Minutes of the meeting for each thing, and most of a point: half an hour holds them all.
_MINUTES = {"late": (2, 6), "effects": (3, 9), "findings": (3, 9), "forecasts": (3, 3),
            "decisions": (3, 3)}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Review(Result):
    """What became of what one company, and scope, decided.

    Attributes
    ----------
    actions
        See `metrics.judgedactions.listed`: the register with each row's state.
    effects
        One row per thing that was done: `ids`, `note`, `scopes`, `metric`, its `unit`, `expected`
        (change that was hoped for), `since`, `verdict` (`worked`, `did_not`, `not_enough`),
        `estimate`, `low`, `high` (90 %), `p`, `before_after` (the plain look, for contrast),
        `detectable`, `chosen_worst`, `n_treated` and `n_compared`, `of` (what these count:
        `people`, or `groups` where deals of segments or product lines are compared), `reasons`, and
        `reason`, `needs` where no effect could be asked for.
    forecasts
        See `metrics.saidforecasts`: commits against bookings.
    returning
        See `metrics.comeback`: findings that were gone and are back.
    agenda
        One row per point of the meeting: `point`, `what` (texts; of findings their code and
        evidence) and `minutes`.
    """

    actions: pd.DataFrame
    effects: pd.DataFrame
    forecasts: pd.DataFrame
    returning: pd.DataFrame
    agenda: pd.DataFrame

    def plot_forecasts(self, ax: Axes | None = None) -> Axes:
        """Draw what came by month, and what was committed."""
        return pictures.forecasts(self.forecasts, ax=ax)

    @property
    def effects_table(self) -> TableView | Shown:
        """Everything that was tried."""
        return words.effects_table(self.effects)

    @property
    def actions_table(self) -> TableView | Shown:
        """The whole register."""
        return words.actions_table(self.actions)

    @property
    def returning_table(self) -> TableView | Shown:
        """All findings that came back."""
        return words.returning_table(self.returning)


@shared
def review(book: Book, *, period: str = "latest") -> Review:
    """What did we decide, was it done, did it work, and what comes back?

    Parameters
    ----------
    book
        The company, at its date and in its scope; its table `actions` is the register, the records
        of earlier runs beside it tell which findings came back.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`; a period that is over is seen from its end.

    Returns
    -------
    Review
        The register, effects with verdicts, forecasts against what came, and an agenda.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    An effect is a difference in differences against teams that did not do it, or not yet, with
    inference by permutation; see `methods.effects`. A figure before and after is shown for contrast
    and never judged by.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> review(open_book("tests/tiny_company")).actions.empty
    True
    """
    setting = Setting(book=book, period=book.period(period))
    stood = book if book.date <= setting.period.end else book.as_of(setting.period.end)
    actions, tried = listed(stood), judged(stood)
    effects = _effects(tried)
    forecasts = said_and_came(stood)
    said = said_findings(stood.store.where, stood.date)
    mine = said[said["scope"] == _scope(stood)]
    returning = returned(mine) if len(mine) else pd.DataFrame(columns=RETURNED)
    agenda = _agenda(actions, effects, forecasts, mine)
    numbers = _numbers(actions, effects, forecasts, mine)
    told = {k: None if math.isnan(v) else v for k, v in numbers.items()}
    findings = _findings(actions, effects)
    seen = words.Seen(settings=book.settings, numbers=told, findings=findings, actions=actions,
                      effects=effects, forecasts=forecasts, returning=returning,
                      agenda=agenda)  # fmt: skip
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    share = numbers["n_done"] / len(actions) if len(actions) else None
    return Review(
        report="review", setting=setting, verdict=words.verdict(seen), metrics=told,
        exhibits=exhibits, findings=findings, gaps=tuple(_gaps(stood, exhibits)),
        method=_method(effects, actions), actions=actions, effects=effects, forecasts=forecasts,
        returning=returning, agenda=agenda,
        lead=Lead(name="lead.actions_done", kind="ratio", value=share, better="up"),
    )  # fmt: skip


def _scope(book: Book) -> str:
    return str(book.limits)


def _effects(tried: tuple[Judged, ...]) -> pd.DataFrame:
    rows = []
    for one in tried:
        found = one.found
        numbers: tuple[object, ...] = (math.nan,) * 6 + (False, 0, 0, one.of, ())
        if found is not None:
            n = ((found.n_treated_teams, found.n_comparison_teams) if one.of == "groups"
                 else (found.n_treated_units, found.n_comparison_units))  # fmt: skip
            numbers = (found.estimate, found.low, found.high, found.p, found.before_after,
                       found.detectable, found.chosen_worst, *n, one.of, found.reasons)  # fmt: skip
        rows.append((one.ids, one.note, one.scopes, one.metric, unit_of(one.metric), one.expected,
                     pd.Timestamp(one.since), one.verdict, *numbers, one.reason or "",
                     one.needs))  # fmt: skip
    return pd.DataFrame(rows, columns=EFFECTS)


def _numbers(
    actions: pd.DataFrame, effects: pd.DataFrame, forecasts: pd.DataFrame, said: pd.DataFrame
) -> dict[str, float]:
    states, verdicts = actions["state"].value_counts(), effects["verdict"].value_counts()
    found = {f"n_{name}": float(states.get(name, 0))
             for name in ("done", "late", "open", "dropped")}  # fmt: skip
    found |= {f"n_{name}": float(verdicts.get(name, 0))
              for name in ("worked", "did_not", "not_enough")}  # fmt: skip
    found["n_actions"], found["n_tried"] = float(len(actions)), float(len(effects))
    found["n_months"] = float(len(forecasts))
    came = float(forecasts["came"].sum())
    found["error"] = found["year_error"] = found["bias"] = math.nan
    if came > 0:
        off = (forecasts["said"] - forecasts["came"]).abs().sum()
        found["error"] = float(off) / came
        found["bias"] = float(forecasts["said"].sum()) / came - 1
        found["bias_size"] = abs(found["bias"])
        if forecasts["year_ago"].gt(0).all():
            off = (forecasts["year_ago"] - forecasts["came"]).abs().sum()
            found["year_error"] = float(off) / came
    found["n_runs"] = float(said["run"].nunique()) if len(said) else math.nan
    return found


def _agenda(
    actions: pd.DataFrame, effects: pd.DataFrame, forecasts: pd.DataFrame, said: pd.DataFrame
) -> pd.DataFrame:
    """Set the points of the meeting, each with no more things than its minutes hold."""
    late = actions[actions["state"] == "late"]
    last = said[said["as_of"] == said["as_of"].max()].dropna(subset=["finding"]) if len(said) else (
        said)  # fmt: skip
    last = last[last["report"] != "review"].drop_duplicates("finding")
    what: dict[str, list[object]] = {
        "late": [str(note) for note in late["note"].fillna(late["id"])],
        "effects": [str(note) for note in effects["note"]],
        "findings": list(zip(last["code"], last["evidence"], strict=True)),
        "forecasts": [str(month) for month in forecasts["month"].tail(1)],
        "decisions": [],
    }  # fmt: skip
    if not any(what.values()):
        return pd.DataFrame(columns=AGENDA)
    rows = []
    for point, (each, most) in _MINUTES.items():
        n = max(len(what[point]), 1) if point == "decisions" or what[point] else 0
        if n:
            rows.append((point, what[point][: most // each], min(each * n, most)))
    return pd.DataFrame(rows, columns=AGENDA)


def _findings(actions: pd.DataFrame, effects: pd.DataFrame) -> tuple[Finding, ...]:
    """Say what is late, and what was tried and did not work."""
    found = []
    late = actions[actions["state"] == "late"]
    if len(late):
        found.append(Finding(
            code="review.late", severity="watch",
            evidence={"n": len(late), "n_all": len(actions), "oldest": late["due_on"].min().date()},
            owner_role="ops", action="review.late.action", assumption="review.late.assumption",
            lesson="14_review",
        ))  # fmt: skip
    for row in effects[effects["verdict"] == "did_not"].to_dict("records"):
        found.append(Finding(
            code="review.did_not", severity="watch", subject=row["ids"][0],
            evidence={"what": row["note"], "metric": f"metric.{row['metric']}",
                      "n_treated": int(row["n_treated"]), "n_compared": int(row["n_compared"]),
                      "of": f"review.of_{row['of']}"},
            owner_role="manager", action="review.did_not.action",
            assumption="review.did_not.assumption", lesson="14_review", trust="firm",
        ))  # fmt: skip
    return tuple(found)


def _gaps(book: Book, exhibits: dict[str, Exhibit]) -> list[Gap]:
    """Say which exhibits have nothing to show, and why."""
    found = []
    for key, needs in (("states", "actions"), ("effects", "actions"), ("forecasts", "forecasts")):
        if key not in exhibits:
            reason = "no_rows" if book.has(needs) else "missing_table"
            found.append(Gap(what=f"what.{key}", reason=reason,
                             needs="" if reason == "no_rows" else needs))  # fmt: skip
    if "returning" not in exhibits:
        found.append(Gap(what="what.returning", reason="no_runs"))
    if "agenda" not in exhibits:
        found.append(Gap(what="what.agenda", reason="no_rows"))
    return found


def _method(effects: pd.DataFrame, actions: pd.DataFrame) -> Method:
    source = ["method.register"]
    source += ["method.effects"] if len(effects) else []
    return Method(source=tuple(source), assumptions=("method.effects_assume",),
                  n={"actions": len(actions), "tried": len(effects)},
                  blind_spots=("blind.spill_over",))  # fmt: skip
