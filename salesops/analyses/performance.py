"""How much is signed against target and pace, by whom, what could fill the gap, and why?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import performance as pictures
from salesops.charts import performance_page as words
from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.metrics.progress import TOLERANCE
from salesops.metrics.signed import has_contracts
from salesops.metrics.stateofplay import BY, StateOfPlay, state_of_play
from salesops.model.finding import Finding, Gap, Method

FALSE_DISCOVERY = 0.01
# Fewer won deals with a contract than this are said.
MATCHED = 0.95


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Performance(Result):
    """What one company or scope signed in a period, against what it was to sign.

    Attributes
    ----------
    groups
        One row for all together and one per team, person or region: `level` (`total`, `group`),
        `group`, `name`, `n` (signings and cancellations), `signed`, `plan` (target of the whole
        period, null without one), `due` (of it by now), `attained_rate`, `pace_rate` (0-1),
        `prior` (period before, same day), `year_ago` (see `metrics.yearago`), `behind_p` (see
        `metrics.progress.groups_of`). Money in company currency.
    days
        One row per day of the period: see `metrics.progress.daily`.
    reps
        One row per person who signed within a year or has a target: see
        `metrics.progress.ladder`, and `owner` (name).
    deals
        One row per open deal expected in the period, largest first, or per open deal where none
        is: `id`, `deal`, `customer`, `owner`, `stage`, `expected_close_on`, `amount`, `overdue`.
    bars, cells
        The bridge of the change and its segments: see `metrics.bridge.Bridge`.
    parts
        One row per type, product line, region and team: `split`, then as `groups`.
    customers
        One row per new customer: `customer`, `deal`, `owner`, `first_on`.
    """

    groups: pd.DataFrame
    days: pd.DataFrame
    reps: pd.DataFrame
    deals: pd.DataFrame
    bars: pd.DataFrame
    cells: pd.DataFrame
    parts: pd.DataFrame
    customers: pd.DataFrame

    def plot_groups(self, ax: Axes | None = None) -> Axes:
        """Draw what each group signed against its target."""
        return pictures.attainment(self.groups, ax=ax)

    def plot_days(self, ax: Axes | None = None) -> Axes:
        """Draw the course of the period."""
        return pictures.course(self.days, ax=ax)

    def plot_reps(self, ax: Axes | None = None) -> Axes:
        """Draw people by attainment."""
        return pictures.ladder(self.reps, ax=ax)

    def plot_bridge(self, ax: Axes | None = None) -> Axes:
        """Draw what brought the change about."""
        return pictures.bridge(self.bars, ax=ax)

    def split_table(self, split: str) -> TableView | Shown:
        """Give bookings by `type`, `product_line`, `region` or `team`, against plan and before."""
        rows = self.parts[self.parts["split"] == split]
        if not rows["n"].any() and rows["plan"].isna().all():
            # What is not on record, or nothing, takes no room on the page.
            return Shown("", Say(f"performance.none_{split}").text())
        rows = rows.sort_values("signed", ascending=False).rename(columns={"group": split})
        kind = "label" if split == "type" else "text"
        if split == "type":
            rows = rows.assign(type="type." + rows["type"].replace("", "unknown"))
        columns = {split: kind, "n_signings": "count", "signed": "money", "plan": "money",
                   "attained_rate": "ratio", "prior": "money", "year_ago": "money"}  # fmt: skip
        rows = rows.rename(columns={"n": "n_signings"})
        columns = {c: k for c, k in columns.items() if rows[c].notna().any()}
        caption = Say(f"performance.caption_{split}", {"n": int(rows["n_signings"].sum())})
        return TableView(frame=rows, columns=columns, caption=caption, most=12,
                         optional=frozenset({"prior", "n_signings"}))  # fmt: skip

    @property
    def ladder_table(self) -> TableView | Shown:
        """Everybody with what they signed and their target."""
        if self.reps.empty:
            return _nothing("performance.none_reps")
        columns = {"owner": "text", "n_signings": "count", "signed": "money", "plan": "money",
                   "attained_rate": "ratio", "prior_rate": "ratio",
                   "signed_year": "money"}  # fmt: skip
        rows = self.reps.rename(columns={"n": "n_signings"})
        columns = {c: k for c, k in columns.items() if rows[c].notna().any()}
        caption = Say("performance.caption_reps", {"n": len(rows)})
        beside = {"prior_rate", "signed_year"} if "plan" in columns else set()
        return TableView(frame=rows, columns=columns, caption=caption, most=60,
                         optional=frozenset(beside))  # fmt: skip

    @property
    def cells_table(self) -> TableView | Shown:
        """The bridge by segment."""
        if self.cells.empty:
            return _nothing("performance.none_cells")
        columns = {"segment": "text", "n_risk": "count", "prior_n_risk": "count",
                   "n_won": "count", "prior_n_won": "count", "won": "money",
                   "prior_won": "money"}  # fmt: skip
        effects = dict.fromkeys(("at_risk", "closing", "winning", "mean_amount"), "money_change")
        caption = Say("performance.caption_cells", {"n": len(self.cells)})
        return TableView(frame=self.cells, columns=columns | effects, caption=caption,
                         optional=frozenset(columns) - {"segment"})  # fmt: skip

    @property
    def customers_table(self) -> TableView | Shown:
        """The customers that signed for the first time."""
        if self.customers.empty:
            return Shown("", Say("performance.none_customers").text())
        columns = {"customer": "text", "deal": "text", "owner": "text", "first_on": "date"}
        fields = {"n": len(self.customers), "back": self.metrics["reactivated_customers"]}
        caption = Say("performance.caption_customers", fields)
        return TableView(frame=self.customers, columns=columns, caption=caption)


def _nothing(code: str) -> Shown:
    said = Say(code).text()
    return Shown(f"<p>{said}</p>", said)


@shared
def performance(book: Book, *, period: str = "latest", by: str = "none") -> Performance:
    """How much is signed against target and pace, by whom, and why more or less than before?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.
    by
        `team`, `user` or `region`; `none` takes teams, or people where there is one team.

    Returns
    -------
    Performance
        Frames, findings sorted by money at stake, and what could not be computed.

    Raises
    ------
    BadPeriod
        The period is none of these.
    ValueError
        `by` is none of these.

    Notes
    -----
    What is still likely comes from what earlier periods made of the deals that were open at the
    same day. Not to be believed in a period unlike those before.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = performance(open_book("tests/tiny_company"))
    >>> result.groups[["name", "signed", "plan"]].values.tolist()[1:]
    [['North/1', 40.0, 80.0], ['South/1', 0.0, 40.0]]
    """
    if by not in ("none", *BY):
        raise ValueError(f"by={by!r} is not known. Expected none, team, user or region.")
    setting = Setting(book=book, period=book.period(period))
    state = state_of_play(book, setting.period, by)
    facts = _facts(state)
    # One fold may stand under two figures.
    fold = cache(lambda name: explain(book, name, period=period))
    exhibits = words.exhibits(facts, fold)
    return Performance(
        report="performance",
        setting=setting,
        verdict=words.verdict(facts),
        run=words.run_bar(facts),
        metrics={k: None if math.isnan(v) else v for k, v in state.numbers.items()},
        exhibits=exhibits,
        findings=_findings(state),
        method=_method(state),
        gaps=(*_in_place(state, exhibits), *_gaps(state)),
        groups=state.groups, days=state.days, reps=state.reps, deals=state.deals,
        bars=facts.bars, cells=state.bridge.cells if state.bridge else pd.DataFrame(),
        parts=state.parts, customers=state.customers,
        lead=_lead(state),
    )  # fmt: skip


def _facts(state: StateOfPlay) -> words.Facts:
    """Hand the state of play to those who put it into words."""
    of, found = state.of, state.bridge
    compared = of.last_year or of.before
    return words.Facts(
        period=of.period, running=state.running, numbers=state.numbers, window=compared.window,
        alignment="aligned" if compared.aligned else "apart" if compared.apart else "same",
        by_year=of.last_year is not None, bridge_by_year=state.bridge_by_year,
        groups=state.groups, days=state.days, reps=state.reps, deals=state.deals,
        bars=found.bars if found else pd.DataFrame(columns=["bar", "kind", "amount"]),
        n_merged=found.n_merged if found else 0, split=found.by if found else "",
        plan_until=state.people_until, deals_due=state.deals_due,
    )  # fmt: skip


def _in_place(state: StateOfPlay, exhibits: Mapping[str, Exhibit]) -> list[Gap]:
    """Say for each exhibit that could not be made why there is none."""
    lacking = (state.unknown or "").partition(":")[2]
    reasons = {"attainment": "no_rows", "year_ago": "short_records", "ladder": "no_signers",
               "gap": "no_open_deals", "bridge": "short_records"}  # fmt: skip
    found = []
    for key, reason in reasons.items():
        if key in exhibits:
            continue
        missing = lacking and key != "gap"
        found.append(Gap(what=f"what.{key}", reason="missing_column" if missing else reason,
                         needs=lacking if missing else ""))  # fmt: skip
    return found


def _gaps(state: StateOfPlay) -> list[Gap]:
    """Say what else could not be computed."""
    book, numbers = state.of.book, state.numbers
    gaps = []
    if not book.has("targets"):
        gaps.append(Gap(what="what.plan", reason="missing_table", needs="targets"))
    elif not state.has("target"):
        gaps.append(Gap(what="what.plan", reason="no_target", needs="targets"))
    elif state.running and not state.has("due"):
        gaps.append(Gap(what="what.pace", reason="short_curve"))
    if state.running and not state.has("likely"):
        gaps.append(Gap(what="what.likely", reason="few_periods", needs="changes"))
    if state.of.last_year is None and state.of.compared_known and not state.unknown:
        gaps.append(Gap(what="what.year_before", reason="short_records"))
    if "upper_bound" in state.caveats.values():
        gaps.append(Gap(what="metric.new_customers", reason="upper_bound"))
    bare = state.of.here["amount"].isna().sum()
    if bare:
        gaps.append(Gap(what="what.signed_amount", reason="no_value", evidence={"n": int(bare)}))
    if state.has("contract_match") and numbers["contract_match"] < MATCHED:
        gaps.append(Gap(what="metric.contract_match", reason="contracts_partial",
                        evidence={"share": numbers["contract_match"]}))  # fmt: skip
    return gaps


def _findings(state: StateOfPlay) -> tuple[Finding, ...]:
    """The company, region or teams that are behind pace beyond chance and tolerance."""
    groups = state.groups
    # A person signs too little in a period to tell being late from bad luck.
    people = BY.get("user") == _grouped_by(state)
    tested = groups[groups["behind_p"].notna() & ((groups["level"] == "total") | (not people))]
    if tested.empty:
        return ()
    # Importing it takes a second, which a report without anything to test need not wait.
    from scipy.stats import false_discovery_control

    adjusted = false_discovery_control(tested["behind_p"].to_numpy(dtype=float))
    late = tested[adjusted < FALSE_DISCOVERY]
    found = [_behind(row, state) for _index, row in late.iterrows()]
    return tuple(sorted(found, key=lambda f: -(f.at_stake or 0)))


def _grouped_by(state: StateOfPlay) -> str:
    groups = state.groups.loc[state.groups["level"] == "group", "group"]
    return "owner_id" if set(groups) & set(state.reps["owner_id"]) else ""


def _behind(row: "pd.Series[Any]", state: StateOfPlay) -> Finding:
    total = row["level"] == "total"
    evidence: dict[str, Any] = {"signed": float(row["signed"]), "due": float(row["due"]),
                "pace": float(row["pace_rate"]), "n": int(row["n"]),
                "tolerance": TOLERANCE}  # fmt: skip
    if not total:
        evidence["group"] = str(row["group"])
    code = "performance.behind_pace" if total else "performance.group_behind_pace"
    return Finding(
        code=code,
        severity="act" if state.running else "watch",
        subject=str(row["group"]),
        evidence=evidence,
        at_stake=float(row["due"] - row["signed"]),
        assumption=f"{code}.assumption",
        owner_role="manager" if total and state.of.book.limits.is_company else "lead",
        action=f"{code}.action",
        lesson="06_performance",
        trust="firm",
    )


def _method(state: StateOfPlay) -> Method:
    of = state.of
    contracts = has_contracts(of.book)
    used = {"method.contracts": contracts, "method.won_deals": not contracts,
            "method.pace": state.has("due"), "method.likely": state.has("likely"),
            "method.bridge": state.bridge is not None}  # fmt: skip
    source = [code for code, told in used.items() if told]
    taken = ["method.credited"] if of.book.has("credits") else []
    taken += ["method.festival"] if of.last_year is not None else []
    blind = ["blind.settings_today"]
    if contracts and not of.book.is_tracked("contracts", "amount"):
        blind.append("blind.contract_cuts")
    n = {"signings": int(state.numbers["n"]), "deals_due": int(state.numbers["n_open"]),
         "reps": int(state.numbers["n_reps"]), "curve": of.curve.n if of.curve else 0}  # fmt: skip
    return Method(source=tuple(source), assumptions=tuple(taken), n=n,
                  blind_spots=tuple(blind))  # fmt: skip


def _lead(state: StateOfPlay) -> Lead:
    value, before = state.numbers["signed"], state.numbers["compared"]
    known = [None if math.isnan(v) else v for v in (value, before)]
    return Lead(name="lead.bookings", kind="money", value=known[0], prior=known[1], better="up")
