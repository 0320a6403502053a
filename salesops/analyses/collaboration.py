"""Where does work fall between people: hand-overs, leavers, leads, promises, duties, newcomers?"""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import collaboration as pictures
from salesops.charts import collaboration_page as words
from salesops.charts import collaboration_tables as tables
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.checks import collaborationframes as frames
from salesops.checks.judged import FALSE_DISCOVERY, examine
from salesops.checks.registry import checks_of
from salesops.metrics import collaboration_levels as levels
from salesops.metrics import collaboration_load as load
from salesops.metrics import collaboration_ramp as starts
from salesops.metrics.handovers import no_owner_log
from salesops.metrics.opendeals import open_deals, standing
from salesops.model.calendar import Period
from salesops.model.finding import Finding, Gap, Method

# Looked for by the diagnosis too, so that both say the same.
CHECKED = ("left_behind", "empty_claims", "weekend_leads")
# New people are compared with settled ones from this month on.
HALF_YEAR = 6


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Collaboration(Result):
    """How one company, and scope, works together.

    Attributes
    ----------
    handovers, waiting, stranded, claims, held, shared
        See `checks.collaborationframes`: hand-overs by team, deals that wait for their new owner,
        what leavers left, claims from the public pool by team, who holds which open deals,
        customers with several owners. Empty where the data behind them is not there.
    load, rules
        See `metrics.collaboration_load`: work by team, and leads replayed by other rules.
    levels, gaps_raci, acted
        See `metrics.collaboration_levels`: promises between departments, duties that lack
        somebody, and who wrote down touches in each stage.
    ramp, adoption, starts, cases
        See `metrics.collaboration_ramp`: newcomers by month, what teams write down, the first 30
        days of won and other deals, and three won deals without a name.
    """

    handovers: pd.DataFrame
    waiting: pd.DataFrame
    stranded: pd.DataFrame
    claims: pd.DataFrame
    held: pd.DataFrame
    shared: pd.DataFrame
    load: pd.DataFrame
    rules: pd.DataFrame
    levels: pd.DataFrame
    gaps_raci: pd.DataFrame
    acted: pd.DataFrame
    ramp: pd.DataFrame
    adoption: pd.DataFrame
    starts: pd.DataFrame
    cases: pd.DataFrame

    def plot_handovers(self, ax: Axes | None = None) -> Axes:
        """Draw the share of hand-overs that waited too long, by team."""
        return pictures.late_handovers(self.handovers, ax=ax)

    def plot_ramp(self, ax: Axes | None = None) -> Axes:
        """Draw how new people come up to speed."""
        return pictures.ramp(self.ramp, ax=ax)

    @property
    def handed_tables(self) -> Shown:
        """Deals that wait for their new owner, and claims from the public pool."""
        return tables.together(self.waiting_table, self.claims_table)

    @property
    def duty_tables(self) -> Shown:
        """What is whose duty, what lacks somebody, who acted, and what teams write down."""
        # Without a ramp page one has the gaps itself.
        gaps = () if self.metrics["ramp_n"] is None else (self.gaps_table,)
        return tables.together(self.duties_table, self.parties_table, *gaps, self.acted_table,
                               self.adoption_table)  # fmt: skip

    @property
    def start_tables(self) -> Shown:
        """How won deals began, and three of them."""
        return tables.together(self.starts_table, self.cases_table)

    @property
    def waiting_table(self) -> TableView | Shown:
        """The open deals that wait for their new owner."""
        if self.handovers.empty:
            return tables.said("collaboration.waiting_unknown")
        columns = {"name": "text", "left_by": "text", "owner": "text", "gap_days": "days",
                   "amount": "money"}  # fmt: skip
        return tables.table(self.waiting, "waiting", columns, most=20,
                            optional=frozenset({"left_by"}))  # fmt: skip

    @property
    def claims_table(self) -> TableView | Shown:
        """Claims from the public pool, by team."""
        columns = {"team": "text", "n_claims": "count", "n_cold": "count", "cold": "ratio"}
        frame = self.claims.rename(columns={"cold_share": "cold", "n": "n_claims"})
        return tables.table(frame, "claims", columns)

    @property
    def rules_table(self) -> TableView | Shown:
        """Leads replayed by other rules."""
        return tables.rules_table(self.rules)

    @property
    def duties_table(self) -> TableView | Shown:
        """What operations and the manager do, from the settings."""
        return tables.duties_table(self.setting.book.settings)

    @property
    def parties_table(self) -> TableView | Shown:
        """Who does, answers for, is asked and told of each duty."""
        return tables.parties_table(self.setting.book.settings)

    @property
    def gaps_table(self) -> TableView | Shown:
        """Duties that lack somebody."""
        if self.gaps_raci.empty and not self.setting.book.settings.raci:
            return tables.said("collaboration.parties_none")
        return tables.gaps_table(self.gaps_raci)

    @property
    def acted_table(self) -> TableView | Shown:
        """The role in charge of each stage beside the one that acted."""
        return tables.acted_table(self.acted)

    @property
    def adoption_table(self) -> TableView | Shown:
        """What teams write down, and how late."""
        frame = self.adoption.rename(columns={"active_share": "active", "in_time_share": "in_time",
                                              "prior_share": "before"})  # fmt: skip
        columns = {"team": "text", "people": "count", "touches_each": "decimal", "active": "ratio",
                   "in_time": "ratio", "before": "ratio"}  # fmt: skip
        return tables.table(frame, "adoption", columns, optional=frozenset({"people"}))

    @property
    def starts_table(self) -> TableView | Shown:
        """How often deals were won by what their first 30 days contained."""
        return tables.starts_table(self.starts)

    @property
    def cases_table(self) -> TableView | Shown:
        """Three won deals without a name."""
        return tables.cases_table(self.cases)


@shared
def collaboration(book: Book, *, period: str = "latest") -> Collaboration:
    """Where does work fall between people: hand-overs, leavers, leads, promises, newcomers?

    Parameters
    ----------
    book
        The company, at its date and in its scope; its settings name roles, duties and promises.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`, the month that holds the book's date.

    Returns
    -------
    Collaboration
        Frames, findings beyond norm, and what could not be seen.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    Counts are of the 365 days up to the end of the period, so that few hand-overs still say
    something. People are compared only within teams of at least five; who leaves open work
    behind is named, since somebody has to call those customers.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> result = collaboration(open_book("tests/tiny_company"))
    >>> sorted(result.exhibits)[0]
    'handovers'
    """
    setting = Setting(book=book, period=book.period(period))
    stood = standing(book, setting.period)
    shown = _shown(stood)
    findings, gaps = _findings(stood, setting.period, shown)
    numbers = _numbers(stood, shown, findings)
    seen = words.Seen(
        settings=book.settings, numbers=numbers, handovers=shown["handovers"],
        stranded=shown["stranded"], load=shown["load"], levels=shown["levels"],
        gaps=shown["gaps_raci"], ramp=shown["ramp"], held=shown["held"], shared=shown["shared"],
        findings=findings, tolerated=load.TOLERATED,
    )  # fmt: skip
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    lead = Lead(name="lead.late_handovers", kind="ratio", value=numbers["late_share"],
                prior=numbers["prior_late_share"], better="down")  # fmt: skip
    return Collaboration(
        report="collaboration", setting=setting, verdict=words.verdict(seen), metrics=numbers,
        exhibits=exhibits, findings=findings, method=_method(shown),
        gaps=(*_gaps(stood, shown), *gaps), lead=lead,
        **{name: frame for name, frame in shown.items() if not name.startswith("_")},
    )  # fmt: skip


def _shown(book: Book) -> dict[str, pd.DataFrame]:
    """Work out each frame once; empty where the data behind it is not there."""
    none = pd.DataFrame()
    has_log = no_owner_log(book) is None and book.has("activities.user_id")
    now, before = (frames.handed_over(book, back) if has_log else none for back in (0, 1))
    people = load.sellers(book)
    leads = load.routed_leads(book) if _has_leads(book) else load.no_leads()
    shares = load.even_shares(leads, people)
    firsts = starts.first_days(book) if book.has("opportunities.created_at") else none
    tracked = book.tracked.get("accounts", {}).get("owner_id")
    has_pool = tracked is not None and tracked.how == "log" and book.has("activities.account_id")
    return {
        "handovers": frames.handovers_by_team(book, now, before) if len(now) else none,
        "waiting": frames.waiting_deals(book, now) if len(now) else none,
        "stranded": frames.stranded(book) if has_log and book.has("users.left_on") else none,
        "claims": frames.claims_by_team(book) if has_pool else none,
        "held": frames.held_by_person(book),
        "shared": frames.shared_customers(book),
        "load": load.load_by_team(book, leads, shares),
        "rules": load.replayed(leads, people) if len(leads) and _answered(leads) else none,
        "levels": levels.service_levels(book),
        "gaps_raci": levels.raci_gaps(book),
        "acted": levels.who_acted(book) if _has_stages(book) else none,
        "ramp": starts.ramp(book),
        "adoption": starts.adoption(book) if book.has("activities.logged_at") else none,
        "starts": starts.compared_starts(firsts) if len(firsts) else none,
        "cases": starts.cases(firsts) if len(firsts) else none,
        "_shares": shares, "_leads": leads,
    }  # fmt: skip


def _has_leads(book: Book) -> bool:
    return book.has("leads.owner_id") and book.has("leads.created_at")


def _answered(leads: pd.DataFrame) -> bool:
    return bool(leads["answered_at"].notna().any())


def _has_stages(book: Book) -> bool:
    told = book.tracked.get("opportunities", {}).get("stage")
    logged = told is not None and told.how == "log"
    return logged and book.has("activities.opportunity_id")


def _findings(
    book: Book, period: Period, shown: dict[str, pd.DataFrame]
) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
    """Give what the checks of working together found, and teams whose leads go to one person."""
    judged = examine(book, period, checks_of(CHECKED))
    # What leavers left is told of among the hand-overs.
    gaps = tuple(gap for gap in judged.gaps if gap.what != "check.left_behind")
    return (*judged.findings, *_uneven(load.beyond_even(shown["_shares"]))), gaps


def _uneven(spread: pd.DataFrame) -> tuple[Finding, ...]:
    """Name teams where one person gets far more leads than an even share, beyond chance."""
    if spread.empty:
        return ()
    from scipy.stats import false_discovery_control

    holds = spread[false_discovery_control(spread["p"].to_numpy()) < FALSE_DISCOVERY]
    return tuple(
        Finding(
            code="collaboration.uneven_leads", severity="watch", subject=str(row["team"]),
            evidence={"team": str(row["team"]), "times": float(row["most_times"]),
                      "most": int(row["most"]), "even": float(row["even"]),
                      "n_leads": int(row["n_leads"]), "people": int(row["people"])},
            owner_role="ops", action="collaboration.uneven_leads.action",
            assumption="collaboration.uneven_leads.assumption", lesson="04_customer_base",
            trust="firm",
        )
        for row in holds.to_dict("records")
    )  # fmt: skip


def _numbers(
    book: Book, shown: dict[str, pd.DataFrame], findings: tuple[Finding, ...]
) -> dict[str, float | None]:
    """Give the numbers of the sentences, null where not known."""
    found: dict[str, float] = {"n_open": float(shown["held"]["n_deals"].sum())}
    if not len(shown["held"]):
        found["n_open"] = float(open_deals(book).count().to_pyarrow().as_py())
    handed, left, claims = shown["handovers"], shown["stranded"], shown["claims"]
    first = handed.iloc[0] if len(handed) else None
    for name, column in (("n_handed", "n"), ("n_late", "n_late"), ("late_share", "late_share"),
                         ("prior_late_share", "prior_late_share"),
                         ("gap_days", "gap_days")):  # fmt: skip
        found[name] = math.nan if first is None else float(first[column])
    for name, column in (("left_deals", "n_deals"), ("left_late", "n_late"),
                         ("left_open", "n_open"), ("left_amount", "amount")):  # fmt: skip
        found[name] = float(left[column].sum()) if len(left) else math.nan
    for name, column in (("n_claims", "n"), ("n_cold", "n_cold")):
        found[name] = float(claims[column].sum()) if len(claims) else math.nan
    found["n_claimers"] = float(sum(f.code == "diagnosis.empty_claims" for f in findings))
    for name in ("assign_hours", "accept_hours"):
        leads = shown["_leads"]
        found[name] = load.middle(leads[name]) if len(leads) else math.nan
    found["n_duties"] = float(len(book.settings.raci))
    found |= _ramp_numbers(shown["ramp"])
    return {name: None if math.isnan(value) else value for name, value in found.items()}


def _ramp_numbers(ramp: pd.DataFrame) -> dict[str, float]:
    """Give how far newcomers are in their sixth month."""
    rows = ramp[ramp["month"] == HALF_YEAR] if len(ramp) else ramp
    if not len(rows):
        return {"ramp_share": math.nan, "ramp_month": math.nan, "ramp_n": math.nan}
    row = rows.iloc[0]
    return {"ramp_share": float(row["share"]), "ramp_month": float(HALF_YEAR),
            "ramp_n": float(row["n"])}  # fmt: skip


def _gaps(book: Book, shown: dict[str, pd.DataFrame]) -> tuple[Gap, ...]:
    """Say which parts can't be seen, and what data would show them."""
    found = []
    if not len(shown["handovers"]):
        reason = no_owner_log(book)
        if reason is not None:
            found.append(Gap(what="what.handovers", reason=reason, needs="changes"))
        elif not book.has("activities.user_id"):
            found.append(Gap(what="what.handovers", reason="missing_table", needs="activities"))
        else:
            found.append(Gap(what="what.handovers", reason="no_rows"))
    for key, frame, needs in (
        ("stranded", "stranded", "users.left_on"), ("routing", "_leads", "leads"),
        ("load", "load", "users"), ("raci_acted", "acted", "activities"),
        ("ramp", "ramp", "users.hired_on"),
    ):  # fmt: skip
        if not len(shown[frame]):
            table, _dot, column = needs.partition(".")
            reason = "no_rows"
            if not book.has(table):
                reason = "missing_table"
            elif column and not book.has(needs):
                reason = "missing_column"
            found.append(Gap(what=f"what.{key}", reason=reason,
                             needs="" if reason == "no_rows" else needs))  # fmt: skip
    if not len(shown["levels"]):
        found.append(Gap(what="what.levels", reason="no_service_level"))
    if not len(shown["gaps_raci"]) and not book.settings.raci:
        found.append(Gap(what="what.raci", reason="no_raci"))
    return tuple(found)


def _method(shown: dict[str, pd.DataFrame]) -> Method:
    source = ["method.handed_over"] if len(shown["handovers"]) else []
    source += ["method.even_leads"] if len(shown["_leads"]) else []
    source += ["method.ramp"] if len(shown["ramp"]) else []
    source += ["method.levels"] if len(shown["levels"]) else []
    n = {"handed": int(shown["handovers"].iloc[0]["n"]) if len(shown["handovers"]) else 0,
         "leads": len(shown["_leads"])}  # fmt: skip
    blind = ("blind.settings_today", "blind.only_recorded", "blind.lead_owner_now")
    return Method(source=tuple(source) or ("method.held",), n=n, blind_spots=blind)
