"""Which CRM suits us, what does it cost, and on which weight does that hang?"""

import math
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.selectionfile import read_needs
from salesops.book.shared import shared
from salesops.charts import detail
from salesops.charts import selection as pictures
from salesops.charts import selection_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.metrics import selectionframes as frames
from salesops.metrics.catalogue import metric
from salesops.model.finding import Finding, Gap, Method
from salesops.model.selection import EXAMPLE, Needs

# A lead that hangs on less than this share of all weight is close.
CLOSE = 0.05
_KNOWN = ("users", "sellers", "deals_a_year", "working_days", "hour_pay")
_PROCESS = ("n_stages", "n_exits", "filled_fields")
_LESSON = "13_tools"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Selection(Result):
    """A choice of a CRM by the company's own needs.

    Attributes
    ----------
    ranked
        One row per candidate: `metrics.selectionframes.ranking`.
    scores
        One row per candidate and need: `metrics.selectionframes.scores`.
    costs
        One row per candidate: `metrics.selectionframes.costs`.
    fits
        One row per candidate: `metrics.selectionframes.fits`.
    flips
        One row per need, least change first: `metrics.selectionframes.flipping`.
    article
        One row per system that the article scores: `crm`, `said_score` (the article's opinion,
        0 to 10), `total` (the own; null where it is not compared).
    """

    ranked: pd.DataFrame
    scores: pd.DataFrame
    costs: pd.DataFrame
    fits: pd.DataFrame
    flips: pd.DataFrame
    article: pd.DataFrame
    seen: words.Seen = field(repr=False)

    def plot_ranked(self, ax: Axes | None = None) -> Axes:
        """Draw each candidate's points of ten."""
        return pictures.rank(self.ranked, ax=ax)

    def plot_costs(self, ax: Axes | None = None) -> Axes:
        """Draw three years of cost by part."""
        return pictures.cost(self.costs, ax=ax)

    def plot_flips(self, ax: Axes | None = None) -> Axes:
        """Draw the weights that put another first."""
        return pictures.flip(self.flips, ax=ax)

    @property
    def scores_table(self) -> TableView:
        """Every score with its weight and the points it brings."""
        return words.scores_table(self.seen)

    @property
    def costs_table(self) -> TableView:
        """Three years of cost by part."""
        return words.costs_table(self.seen)

    @property
    def weights_tables(self) -> Shown:
        """How often each is first by lot, then the weight that puts another first."""
        return detail.together(words.lots_table(self.seen), words.flips_table(self.seen))


@shared
def selection(book: Book, *, period: str = "latest", needs: str = EXAMPLE) -> Selection:
    """Which CRM suits us, what does it cost, and on which weight does that hang?

    Parameters
    ----------
    book
        The company, at its date and in its scope: people, deals, pay and stages are its own.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date: of it is what
        people enter. Deals are those of the 365 days to the book's date.
    needs
        Path of a filled-in needs.xlsx, or `example`: made-up candidates that show how it goes.

    Returns
    -------
    Selection
        Ranking by the own weights, three-year cost, fit, and the weights that change the ranking.

    Raises
    ------
    BadNeeds
        The file can't be used; all its faults with sheet, cell and remedy.
    BadPeriod
        The period is none of these.

    Notes
    -----
    A weighted sum says no more than its scores: where two are close, try both with real deals.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = selection(open_book("tests/tiny_company"))
    >>> result.article["said_score"].tolist()
    [9.8, 9.2, 8.7, 8.5, 8.3]
    """
    setting = Setting(book=book, period=book.period(period))
    told = read_needs(needs)
    seen, brought = _seen(book, setting, told)
    exhibits = words.exhibits(seen)
    total = seen.numbers["total"]
    return Selection(
        report="selection", setting=setting, verdict=words.verdict(seen), metrics=seen.numbers,
        exhibits=exhibits, findings=seen.findings, method=_method(seen),
        gaps=_gaps(seen, brought, exhibits),
        # Points of candidates that there are not stand in no index.
        lead=None if told.is_example else Lead(name="lead.selection", kind="score", value=total),
        ranked=seen.ranked, scores=seen.scores, costs=seen.costs, fits=seen.fits,
        flips=seen.flips, article=seen.article, seen=seen,
    )  # fmt: skip


def _seen(book: Book, setting: Setting, needs: Needs) -> tuple[words.Seen, frames.Brought]:
    """Lay out the frames, each worked out once."""
    known = frames.brought(book, needs, setting.period)
    cost, fit = frames.costs(needs, known), frames.fits(needs, known)
    scored = frames.scores(needs, cost, fit)
    ranked = frames.ranking(scored, cost, fit)
    flips = frames.flipping(scored, ranked)
    article = _article(needs, ranked)
    numbers = _numbers(needs, known, ranked, cost)
    numbers |= {**_of_flips(flips), "n_said": float(len(article))}
    rate = float(metric(book, "entry_rate", period=setting.period.text)["entry_rate"].iloc[0])
    numbers["entry_rate"] = None if math.isnan(rate) else rate
    found = () if needs.is_example else _findings(ranked, flips, cost)
    seen = words.Seen(
        settings=book.settings, numbers=numbers, findings=found, ranked=ranked, scores=scored,
        costs=cost, fits=fit, flips=flips, article=article, file=needs.file,
        fingerprint=needs.fingerprint, is_example=needs.is_example,
    )  # fmt: skip
    return seen, known


def _article(needs: Needs, ranked: pd.DataFrame) -> pd.DataFrame:
    said = [(one.name, one.said) for one in needs.candidates if one.said is not None]
    frame = pd.DataFrame(said, columns=["crm", "said_score"]).astype({"said_score": "float64"})
    own = ranked.set_index("crm")["total"]
    frame["total"] = frame["crm"].map(own).astype("float64")
    return frame.sort_values("said_score", ascending=False, kind="stable", ignore_index=True)


def _numbers(
    needs: Needs, known: frames.Brought, ranked: pd.DataFrame, cost: pd.DataFrame
) -> dict[str, float | None]:
    left = ranked[~ranked["is_out"].astype(bool)]
    is_ranked = len(left) > 0 and bool(left["total"].notna().all())
    first = left.iloc[0] if is_ranked else None
    own = None if first is None else cost.set_index("crm").loc[first["crm"]]
    second = float(left["total"].iloc[1]) if first is not None and len(left) > 1 else math.nan
    found = {
        **{name: getattr(known, name) for name in (*_KNOWN, *_PROCESS)},
        "n_candidates": len(needs.compared), "n_needs": len(needs.needs),
        "n_draws": frames.DRAWS,
        "second_total": second, **dict.fromkeys(
            ("total", "lead", "near", "any", "fit", "cost", "entry_cost", "entry_part",
             "per_field"), math.nan),
    }  # fmt: skip
    if first is not None and own is not None:
        found |= {
            "total": first["total"], "lead": first["total"] - second,
            "near": first["near_weights"], "any": first["any_weights"], "fit": first["fit"],
            "cost": own["three_years"], "entry_cost": own["entry"], "per_field": own["per_field"],
            "entry_part": own["entry"] / own["three_years"] if own["three_years"] else math.nan,
        }  # fmt: skip
    return {name: None if value != value else float(value) for name, value in found.items()}


def _of_flips(flips: pd.DataFrame) -> dict[str, float | None]:
    if flips.empty or flips["flips_at"].isna().all():
        return {"flips_from": None, "flips_at": None}
    told = words.nearest(flips)
    return {"flips_from": float(str(told["now"])), "flips_at": float(str(told["at"]))}


def _findings(ranked: pd.DataFrame, flips: pd.DataFrame, cost: pd.DataFrame) -> tuple[Finding, ...]:
    """Say where the choice hangs on one weight, and where time costs more than money."""
    found = []
    first = ranked["crm"].iloc[0]
    if len(flips) and abs(flips["shift"].iloc[0]) < CLOSE:
        told = words.nearest(flips)
        found.append(Finding(
            code="selection.close", severity="watch", subject=str(first), owner_role="ops",
            evidence={"crm": str(first), **told}, action="selection.close.action",
            assumption="selection.close.assumption", lesson=_LESSON,
        ))  # fmt: skip
    own = cost.set_index("crm").loc[first]
    if ranked["place"].iloc[0] == 1 and own["entry"] > own["paid_out"]:
        entry = float(own["entry"])
        found.append(Finding(
            code="selection.entry_dear", severity="note", subject=str(first), owner_role="ops",
            evidence={"crm": first, "entry": entry, "paid_out": float(own["paid_out"]),
                      "minutes": float(own["entry_minutes"])},
            at_stake=entry, action="selection.entry_dear.action",
            assumption="selection.entry_dear.assumption", lesson=_LESSON,
        ))  # fmt: skip
    return tuple(found)


def _gaps(seen: words.Seen, known: frames.Brought, exhibits: dict[str, Exhibit]) -> tuple[Gap, ...]:
    """Say that figures are made up, what nobody tells of the company, and what that leaves out."""
    gaps = [Gap(what="what.needs", reason="made_up_needs")] if seen.is_example else []
    missing = [name for name in _KNOWN if math.isnan(getattr(known, name))]
    if "cost" not in exhibits:
        gaps += [Gap(what="what.cost", reason="not_told",
                     evidence={"item": f"selection.item_{name}"}) for name in missing]  # fmt: skip
    if "rank" not in exhibits:
        gaps.append(Gap(what="what.rank", reason="score_unknown"))
    if "flip" not in exhibits:
        reason = "score_unknown" if "rank" not in exhibits else "none_to_flip"
        gaps.append(Gap(what="what.flip", reason=reason))
    if "article" not in exhibits:
        gaps.append(Gap(what="what.article", reason="no_said"))
    if math.isnan(known.filled_fields):
        gaps.append(Gap(what="what.fields_met", reason="no_rows"))
    if math.isnan(known.users):
        gaps.append(Gap(what="what.users_met", reason="not_told",
                        evidence={"item": "selection.item_users"}))  # fmt: skip
    return tuple(gaps)


def _method(seen: words.Seen) -> Method:
    return Method(
        source=("method.selection_total", "method.selection_cost", "method.selection_fit",
                "method.selection_draws"),
        assumptions=("method.selection_assumed",),
        n={"candidates": seen.count("n_candidates"), "needs": seen.count("n_needs"),
           "draws": seen.count("n_draws")},
        blind_spots=("blind.selection_scores", "blind.selection_unsaid"),
    )  # fmt: skip
