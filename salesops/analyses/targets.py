"""What is to be signed, by whom, how likely is it, and what would it take?"""

import math
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import detail
from salesops.charts import targets_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.checks.judged import examine
from salesops.checks.registry import checks_of
from salesops.methods.territory import explained_by_potential
from salesops.metrics import targetframes as frames
from salesops.metrics.fairness import fairness
from salesops.metrics.goals import goal
from salesops.metrics.needs import Funnel, needed, own_funnel
from salesops.metrics.outlook import Outlook, outlook
from salesops.metrics.pay import PaySheet, pay_period, pay_sheet
from salesops.metrics.productivity import past_of
from salesops.metrics.signed import missing_for_signed
from salesops.metrics.whatif import WhatIf, what_if
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Method
from salesops.model.sensitivity import Sensitivity

# Looked for by the diagnosis too, so that both say the same.
CHECKED = ("no_target", "target_sums", "unfair_quota", "pay_cliffs")
# A target that is missed more often than this is said to be out of reach.
REACH = 0.2


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Targets(Result):
    """What is to be signed in a period, and how it stands.

    Attributes
    ----------
    nodes
        One row per node of the tree: `level`, `key`, `name`, `depth`, `n_people`, `plan`, `signed`,
        `middle`, `low`, `high` (by the period's end, with the people there now; 80 %), `chance`,
        `chance_now` (of the quarter in progress), `from_open` (open deals, won as often as deals
        are), `potential_plan` (what the node's share of all
        potential would carry of the target). Of people only the one in scope.
    people
        `metrics.fairness.fairness`, with `name_`.
    needs
        One row per thing that it takes: `what` (`heads`, `pipeline`, `opportunities`, `leads`),
        `have`, `need`.
    months
        `metrics.needs.needed`: what it takes month by month.
    payouts
        One row per attainment: `attained`, `paid` (share of the variable pay), `pay` (money of one
        person), `next_point` (what one further point of attainment adds).
    sheet
        The pay sheet of the one person in scope; empty in any other scope.
    what_if
        Answers: `.chance(growth=…, hires=…, wins=…)`; null without enough of a past.
    """

    nodes: pd.DataFrame
    people: pd.DataFrame
    needs: pd.DataFrame
    months: pd.DataFrame
    payouts: pd.DataFrame
    sheet: pd.DataFrame
    what_if: WhatIf | None
    seen: words.Seen = field(repr=False)

    @property
    def what_if_picture(self) -> Shown:
        """Growth, hiring and win rate as one picture."""
        return detail.in_detail(words.what_if_exhibit(self.seen))

    @property
    def nodes_table(self) -> TableView | Shown:
        """The tree of targets."""
        return words.nodes_table(self.nodes)

    @property
    def months_table(self) -> TableView | Shown:
        """What it takes month by month."""
        return words.months_table(self.months)

    @property
    def tree_tables(self) -> Shown:
        """The tree of targets, then what it takes month by month."""
        return detail.together(self.nodes_table, self.months_table)

    @property
    def pay_tables(self) -> Shown:
        """The pay plan, then the pay sheet of the one person in scope."""
        return detail.together(self.plan_table, self.sheet_table)

    @property
    def sensitivity(self) -> Sensitivity:
        """Who may see it: a report with somebody's pay sheet that person and who sees pay."""
        return super().sensitivity if self.sheet.empty else "hr"

    @property
    def people_table(self) -> TableView | Shown:
        """Quota, potential and work per person."""
        return words.people_table(self.people)

    @property
    def plan_table(self) -> TableView | Shown:
        """The pay plan on one page."""
        return words.plan_table(self.payouts, self.setting.book.settings)

    @property
    def sheet_table(self) -> TableView | Shown:
        """The pay sheet of the one person in scope."""
        return words.sheet_table(self.sheet, self.metrics)

    def sliders(self) -> object:
        """Ask what-if by sliders, in JupyterLab.

        Raises
        ------
        ImportError
            ipywidgets is not installed: `pip install "salesops[lab]"`.
        """
        from salesops.charts.sliders import sliders

        asked = None if self.what_if is None else self.what_if.chance
        return sliders(asked, self.metrics["before"] or 0.0)

    def plot_what_if(self, width: int = 700) -> Figure:
        """Draw the chance over growth, hiring and win rate."""
        shown = words.what_if_exhibit(self.seen)
        if isinstance(shown, Shown):
            raise ValueError(shown.plain)
        return shown.figure(width)


@shared
def targets(book: Book, *, period: str = "latest") -> Targets:
    """What is to be signed, by whom, how likely is it, and what would it take?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026`, `2026Q1`, `2026-03` or `latest`: the year in progress, in the scope of one person
        the pay period.

    Returns
    -------
    Targets
        The tree with chances, fairness of quotas, what the target takes, the pay plan.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    Chances are drawn: see `methods.attaining`. Nobody's own chance or pay is in any report but the
    one whose scope is that person.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> targets(open_book("tests/tiny_company")).payouts["paid"].round(2).tolist()
    [0.5, 0.8, 0.9, 1.0, 1.15, 1.3, 1.75]
    """
    setting = Setting(book=book, period=_year(book, period))
    judged = examine(book, setting.period, checks_of(CHECKED))
    seen = _seen(book, setting.period, judged.findings)
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=setting.period.text))
    m = seen.numbers
    gaps = [*_gaps(book, setting.period, exhibits), *(g for g in judged.gaps)]
    return Targets(
        report="targets", setting=setting, verdict=words.verdict(seen), metrics=m,
        exhibits=exhibits, findings=seen.findings, method=_method(seen), gaps=tuple(gaps),
        lead=Lead(name="lead.chance", kind="ratio", value=m["chance"], better="up"),
        nodes=seen.nodes, people=seen.people, needs=seen.needs, months=seen.months,
        payouts=seen.payouts, sheet=seen.sheet, what_if=_answers(book, setting.period), seen=seen,
    )  # fmt: skip


def _year(book: Book, text: str) -> Period:
    """Give the period: by default the year in progress, of one person the pay period."""
    if text != "latest":
        return book.period(text)
    if book.limits.user != "all":
        return pay_period(book)
    return book.running("year")


def _answers(book: Book, period: Period) -> WhatIf | None:
    if missing_for_signed(book) is not None:
        return None
    return what_if(book, period, goal(book, period))


def _seen(book: Book, period: Period, findings: tuple[Finding, ...]) -> words.Seen:
    """Lay out the frames, each worked out once."""
    known = missing_for_signed(book) is None
    ahead = outlook(book, period) if known else None
    now = outlook(book, book.running("quarter")) if known else None
    people = _named(book, fairness(book))
    nodes = _nodes(book, ahead, now)
    funnel, months = _asked(book, period, ahead)
    answers = _answers(book, period)
    sheet = pay_sheet(book, pay_period(book))
    payouts = frames.payouts(book)
    numbers = _numbers(
        {"plan": goal(book, period)}, _of_root(nodes), _of_funnel(funnel, months),
        _of_people(people), frames.cost(book), _of_sheet(sheet), _of_answers(answers),
    )  # fmt: skip
    return words.Seen(
        settings=book.settings, numbers=numbers,
        findings=(*_short(book, numbers, period), *findings),
        nodes=nodes, people=people, months=months, payouts=payouts, curve=frames.curve(book),
        needs=frames.needs(book, months, funnel, numbers["to_go"] or 0.0),
        sheet=pd.DataFrame() if sheet is None else sheet.deals,
        what_if=pd.DataFrame() if answers is None else answers.grid(),
    )  # fmt: skip


def _nodes(book: Book, ahead: Outlook | None, now: Outlook | None) -> pd.DataFrame:
    columns = ["level", "key", "name", "depth", "n_people", "plan", "signed", "middle", "low",
               "high", "chance", "chance_now", "potential_plan", "from_open"]  # fmt: skip
    if ahead is None:
        return pd.DataFrame(columns=columns)
    frame = ahead.nodes
    frame = frame.assign(chance_now=math.nan if now is None else now.nodes["chance"])
    limits = book.limits
    # A node of a scope that is the scope itself says the same twice.
    inside = {"company"}
    inside |= {"region", "team"} if limits.user == "all" and limits.team == "all" else set()
    frame = frame[frame["level"].isin(inside)].copy()
    if (frame["level"] == "region").sum() <= 1:
        frame = frame[frame["level"] != "region"]
    if (frame["level"] == "team").sum() <= 1:
        frame = frame[frame["level"] != "team"]
    order = frames.in_tree_order(frame)
    frame = frame.loc[order].reset_index(drop=True)
    deep = {"company": 0, "region": 1, "team": 2 if "region" in set(frame["level"]) else 1}
    whose = Setting(book=book, period=book.period("latest")).whose
    frame["name"] = frame["key"].where(frame["level"] != "company", whose)
    frame["depth"] = frame["level"].map(deep)
    frame["potential_plan"] = frames.carried(book, frame)
    frame["from_open"] = frames.from_open_deals(book, frame)
    return frame[columns]


def _named(book: Book, people: pd.DataFrame) -> pd.DataFrame:
    names = book.people().set_index("id")["name"]
    return people.assign(name_=people["person"].map(names).fillna(people["person"]))


def _asked(book: Book, period: Period, ahead: Outlook | None) -> tuple[Funnel | None, pd.DataFrame]:
    past = past_of(book)
    if ahead is None or past is None or math.isnan(ahead.nodes["plan"].iloc[0]):
        return None, pd.DataFrame()
    funnel = own_funnel(book)
    if math.isnan(funnel.size) or not funnel.win_rate > 0:
        return None, pd.DataFrame()
    return funnel, needed(book, past, period, float(ahead.nodes["plan"].iloc[0]), funnel)


def _of_root(nodes: pd.DataFrame) -> dict[str, float]:
    columns = ("plan", "signed", "middle", "low", "high", "chance", "chance_now")
    if nodes.empty:
        return dict.fromkeys(columns[1:], math.nan) | {"short": math.nan, "carried": math.nan}
    root, teams = nodes.iloc[0], nodes[nodes["level"] == "team"]
    carried = float((teams["plan"] - teams["middle"]).max()) if len(teams) else math.nan
    found = {column: float(root[column]) for column in columns}
    return {**found, "short": found["plan"] - found["middle"], "carried": carried}


def _of_funnel(funnel: Funnel | None, months: pd.DataFrame) -> dict[str, float]:
    heads = ("heads_need", "heads_have")
    if funnel is None or months.empty:
        return dict.fromkeys(("to_go", "win_rate", "size", "cycle_days", *heads), math.nan)
    need, have = (float(months[c].mean()) for c in ("heads", "staff"))
    return {
        "heads_need": float(math.ceil(need - 0.05)), "heads_have": float(round(have)),
        "to_go": float(months["to_sign"].sum()), "win_rate": funnel.win_rate,
        "size": funnel.size, "cycle_days": funnel.cycle_days,
    }  # fmt: skip


def _of_people(people: pd.DataFrame) -> dict[str, float]:
    fit = explained_by_potential(people["attained"], people["potential"]) if len(people) else None
    if fit is None:
        return {"explained": math.nan, "explained_p": math.nan}
    return {"explained": fit.share, "explained_p": fit.p}


def _of_sheet(sheet: PaySheet | None) -> dict[str, float]:
    columns = ("quota", "attained", "earned", "next_amount", "next_pay")
    return {c: math.nan if sheet is None else float(getattr(sheet, c)) for c in columns}


def _of_answers(answers: WhatIf | None) -> dict[str, float]:
    if answers is None:
        return {"before": math.nan, "growth": math.nan}
    return {"before": answers.before, "growth": answers.goal / answers.before - 1}


def _numbers(*parts: dict[str, float]) -> dict[str, float | None]:
    """Lay the numbers together; what is not known is null."""
    found = {name: value for part in parts for name, value in part.items()}
    return {k: None if math.isnan(v) else v for k, v in found.items()}


def _short(book: Book, numbers: dict[str, float | None], period: Period) -> tuple[Finding, ...]:
    """Say where the target is out of reach of the people there; of one person it is not said."""
    chance, short = numbers["chance"], numbers["short"]
    if book.limits.user != "all":
        return ()
    if chance is None or short is None or chance >= REACH or short <= 0:
        return ()
    return (Finding(
        code="targets.short", severity="act",
        evidence={"plan": numbers["plan"], "middle": numbers["middle"], "short": short,
                  "chance": chance, "period": period.text},
        at_stake=short, owner_role="manager", action="targets.short.action", lesson="02_goals",
        assumption="targets.short.assumption", trust="firm",
    ),)  # fmt: skip


def _gaps(book: Book, period: Period, exhibits: dict[str, Exhibit]) -> list[Gap]:
    """Say which exhibits have nothing to show, and why."""
    gaps = []
    missing = missing_for_signed(book)
    for key in ("short", "tree", "fair", "takes"):
        if key in exhibits:
            continue
        if missing is not None:
            gaps.append(Gap(what=f"what.{key}", reason="missing_column",
                            needs=missing.removeprefix("missing:")))  # fmt: skip
        elif past_of(book) is None:
            gaps.append(Gap(what=f"what.{key}", reason="short_past", needs=""))
        elif key == "fair" and not book.has("accounts.potential"):
            gaps.append(Gap(what="what.fair", reason="missing_column", needs="accounts.potential"))
        elif key in ("tree", "takes") and math.isnan(goal(book, period)):
            gaps.append(Gap(what=f"what.{key}", reason="no_target", needs=""))
        else:
            gaps.append(Gap(what=f"what.{key}", reason="no_rows", needs=""))
    if not book.settings.pay.on_target:
        gaps.append(Gap(what="what.payout", reason="no_variable_pay", needs=""))
    return gaps


def _method(seen: words.Seen) -> Method:
    source = ["method.attaining", "method.fairness", "method.needed"]
    n = {"people": int(seen.nodes["n_people"].iloc[0]) if len(seen.nodes) else 0}
    return Method(source=tuple(source), assumptions=("method.attaining_assumed",), n=n,
                  blind_spots=("blind.nobody_new",))  # fmt: skip
