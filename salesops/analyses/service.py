"""How satisfied are customers, what waits, what comes again, which large ones have bad cases?"""

import math
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from salesops.analyses.explained import explain
from salesops.analyses.result import Lead, Result, Setting
from salesops.book.book import Book
from salesops.book.shared import shared
from salesops.charts import service as pictures
from salesops.charts import service_page as words
from salesops.charts.exhibit import Exhibit
from salesops.charts.parts import Shown
from salesops.charts.table import TableView
from salesops.methods.intervals import difference, judge, wilson
from salesops.metrics import serviceframes as frames
from salesops.metrics.catalogue import find_metric
from salesops.metrics.largecustomers import bad_customers, in_force, renewed_by_cases
from salesops.model.finding import Finding, Gap, Method, Range
from salesops.model.settings import ServiceNorms

# Norms are broken where 99 in 100 samples of the same size would still break them.
Z99 = 2.5758
# Contracts that end within so many days are those whose renewal bad cases may cost.
AHEAD = 182
Numbers = dict[str, float]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Service(Result):
    """How one company, and scope, looks after its customers.

    Attributes
    ----------
    ratings, levels, waiting, ages, repeated, called, to_call
        See `metrics.serviceframes`: satisfaction by quarter, service levels kept, open cases and
        their ages, complaints that came again, call-backs made, and those to be made now. Empty
        where the data behind them is not there.
    customers, renewed
        See `metrics.largecustomers`: customers with running contracts and bad cases (with `owner`),
        and how often contracts were renewed after good and bad cases.
    """

    ratings: pd.DataFrame
    levels: pd.DataFrame
    waiting: pd.DataFrame
    ages: pd.DataFrame
    repeated: pd.DataFrame
    called: pd.DataFrame
    to_call: pd.DataFrame
    customers: pd.DataFrame
    renewed: pd.DataFrame

    def plot_ratings(self, ax: Axes | None = None) -> Axes:
        """Draw the share of satisfied customers, and of those who answered, by quarter."""
        return pictures.ratings(self.ratings, ax=ax)

    @property
    def waiting_table(self) -> TableView | Shown:
        """The open cases, oldest first."""
        return words.waiting_table(self.waiting)

    @property
    def to_call_table(self) -> TableView | Shown:
        """Who is to be called back."""
        return words.to_call_table(self.to_call, self.setting.book.settings)

    @property
    def customers_table(self) -> TableView | Shown:
        """All customers with running contracts and bad cases."""
        return words.customers_table(self.customers)


@shared
def service(book: Book, *, period: str = "latest") -> Service:
    """How satisfied are customers, what waits, what comes again, and which large ones suffer?

    Parameters
    ----------
    book
        The company, at its date and in its scope; its settings promise service levels and plan
        call-backs.
    period
        `2026-03`, `2026Q1`, `2026` or `latest`; a period that is over is seen from its end.

    Returns
    -------
    Service
        Frames, findings beyond norm, and what could not be seen.

    Raises
    ------
    BadPeriod
        The period is none of these.

    Notes
    -----
    Shares are of the last 91 days (repeat complaints of 364), so that few answers still say
    something, with Wilson ranges. Satisfaction stands beside the response rate: who answers is no
    random draw of the customers.

    Examples
    --------
    >>> from salesops.book.book import open_book
    >>> sorted(service(open_book("tests/tiny_company")).exhibits)[0]
    'backlog'
    """
    setting = Setting(book=book, period=book.period(period))
    stood = book if book.date <= setting.period.end else book.as_of(setting.period.end)
    shown = _shown(stood)
    numbers = _numbers(stood, shown)
    findings = _findings(stood, shown)
    told = {k: None if math.isnan(v) else v for k, v in numbers.items()}
    seen = words.Seen(settings=book.settings, numbers=told, findings=findings, **shown)
    exhibits = words.exhibits(seen, lambda name: explain(book, name, period=period))
    lead = Lead(name="lead.csat", kind="ratio", value=told["csat"], prior=told["prior_csat"],
                better="up")  # fmt: skip
    return Service(
        report="service", setting=setting, verdict=words.verdict(seen), metrics=told,
        exhibits=exhibits, findings=findings, method=_method(shown),
        gaps=tuple(_gaps(stood, exhibits)), lead=lead, **shown,
    )  # fmt: skip


def _shown(book: Book) -> dict[str, pd.DataFrame]:
    """Work out each frame once; empty where the data behind it is not there."""
    waiting = _owned(book, frames.waiting(book))
    return {
        "ratings": frames.ratings(book), "levels": frames.levels(book), "waiting": waiting,
        "ages": frames.ages(waiting), "repeated": frames.repeated(book),
        "called": frames.called(book), "to_call": _owned(book, frames.to_call(book)),
        "customers": _owned(book, bad_customers(book)), "renewed": renewed_by_cases(book),
    }  # fmt: skip


def _owned(book: Book, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the owner's name."""
    if not book.has("users.name"):
        return rows.assign(owner=rows["owner_id"])
    people = book.unscoped("users").select("id", "name").to_pandas().set_index("id")["name"]
    return rows.assign(owner=rows["owner_id"].map(people).fillna(rows["owner_id"]))


def _numbers(book: Book, shown: dict[str, pd.DataFrame]) -> Numbers:
    """Give the numbers of the sentences, nan where not known."""
    found = _rated(shown["ratings"])
    whole = shown["levels"][shown["levels"]["severity"] == ""].set_index("level")["share"]
    for name in frames.LEVELS:
        found[name] = float(whole.get(name, math.nan))
    has_open = find_metric("open_backlog").reason(book) is None
    waiting, to_call, called = shown["waiting"], shown["to_call"], shown["called"]
    found["n_open"] = float(len(waiting)) if has_open else math.nan
    found["n_late"] = float(waiting["is_late"].astype(bool).sum()) if has_open else math.nan
    found["n_due"], found["n_made"] = float(called["n"].sum()), float(called["n_made"].sum())
    found["call_back_rate"] = found["n_made"] / found["n_due"] if found["n_due"] else math.nan
    over = to_call["is_over"].astype(bool)
    found["n_to_call"], found["n_missed"] = float((~over).sum()), float(over.sum())
    running = len(in_force(book)) if len(shown["customers"]) or _has_money(book) else 0
    large = shown["customers"][shown["customers"]["is_large"].astype(bool)]
    known = _has_money(book) and book.has("tickets.account_id")
    found["n_running"] = float(running)
    found["n_large"] = float(len(large)) if known else math.nan
    found["large_money"] = float(large["money"].sum()) if known else math.nan
    groups = shown["renewed"].set_index("group")["n"] if len(shown["renewed"]) else pd.Series()
    found["n_bad_terms"] = float(groups.get("bad", math.nan))
    return found


def _has_money(book: Book) -> bool:
    needs = ("contracts.account_id", "contracts.amount", "contracts.signed_on")
    return all(book.has(need) for need in needs)


def _rated(ratings: pd.DataFrame) -> Numbers:
    """Give the last quarter's ratings, and the satisfied share of the quarter before."""
    names = {"csat": "csat", "csat_low": "low", "csat_high": "high", "n_rated": "n",
             "response_rate": "response_rate", "by_customer": "by_customer"}  # fmt: skip
    if ratings.empty:
        return {**dict.fromkeys(names, math.nan), "prior_csat": math.nan}
    now = ratings.iloc[-1]
    found = {name: float(now[column]) for name, column in names.items()}
    prior = float(ratings.iloc[-2]["csat"]) if len(ratings) > 1 else math.nan
    return {**found, "prior_csat": prior}


def _findings(book: Book, shown: dict[str, pd.DataFrame]) -> tuple[Finding, ...]:
    norms = book.settings.norms.service
    found = [
        *_slow(shown["levels"], norms), *_again(shown["repeated"], norms),
        *_uncalled(shown["called"], shown["to_call"], norms),
        *_leaving(book, shown["renewed"], shown["customers"]),
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda f: -(f.at_stake or 0.0)))


def _slow(levels: pd.DataFrame, norms: ServiceNorms) -> list[Finding]:
    """Name service levels that were kept more seldom than the norm, beyond chance."""
    found = []
    for row in levels[levels["severity"] == ""].to_dict("records"):
        low, high = wilson(row["share"] * row["n"], row["n"], z=Z99)
        if high < norms.in_time:
            found.append(Finding(
                code="service.slow", severity="watch", subject=str(row["level"]),
                evidence={"level": f"service.level_{row['level']}", "share": float(row["share"]),
                          "n": int(row["n"]), "norm": norms.in_time},
                owner_role="cs", action="service.slow.action",
                assumption="service.slow.assumption", lesson="11_after_sales",
                trust=judge(low, high, row["n"], against=norms.in_time),
            ))  # fmt: skip
    return found


def _again(repeated: pd.DataFrame, norms: ServiceNorms) -> list[Finding]:
    """Name products whose complaints come again oftener than the norm, beyond chance."""
    found = []
    for row in repeated[repeated["product_line"] != ""].to_dict("records"):
        low, high = wilson(row["n_again"], row["n"], z=Z99)
        if low > norms.repeat_share:
            found.append(Finding(
                code="service.repeats", severity="watch", subject=str(row["product_line"]),
                evidence={"line": str(row["product_line"]), "share": float(row["share"]),
                          "n_again": int(row["n_again"]), "n": int(row["n"]),
                          "norm": norms.repeat_share},
                owner_role="cs", action="service.repeats.action",
                assumption="service.repeats.assumption", lesson="11_after_sales",
                trust=judge(low, high, row["n"], against=norms.repeat_share),
            ))  # fmt: skip
    return found


def _uncalled(
    called: pd.DataFrame, to_call: pd.DataFrame, norms: ServiceNorms
) -> list[Finding]:  # fmt: skip
    """Name rules whose call-backs were made more seldom than the norm, beyond chance."""
    found = []
    for row in called.to_dict("records"):
        low, high = wilson(row["n_made"], row["n"], z=Z99)
        if high >= norms.called_back:
            continue
        mine = to_call[to_call["rule"] == row["rule"]]
        found.append(Finding(
            code="service.call_backs", severity="watch", subject=str(row["rule"]),
            evidence={"rule": str(row["rule"]), "n": int(row["n"]),
                      "n_made": int(row["n_made"]), "norm": norms.called_back,
                      "n_to_call": len(mine)},
            at_stake=float(mine["amount"].sum()) if mine["amount"].notna().any() else None,
            owner_role="cs", action="service.call_backs.action",
            assumption="service.call_backs.assumption", lesson="11_after_sales",
            trust=judge(low, high, row["n"], against=norms.called_back),
        ))  # fmt: skip
    return found


def _leaving(book: Book, renewed: pd.DataFrame, customers: pd.DataFrame) -> list[Finding]:
    """Say where contracts after bad cases are renewed more seldom than after good ones."""
    at = renewed.set_index("group") if len(renewed) else renewed
    if not {"bad", "good"} <= set(at.index) or not min(at.loc["bad", "n"], at.loc["good", "n"]):
        return []
    good, bad = at.loc["good"], at.loc["bad"]
    counts = (good["n_renewed"], good["n"], bad["n_renewed"], bad["n"])
    low, high = difference(*counts, z=Z99)
    if not low > 0:
        return []
    edge = pd.Timestamp(book.date) + pd.Timedelta(days=AHEAD)
    soon = customers[pd.to_datetime(customers["ends_on"]) <= edge]
    money, gap = float(soon["money"].sum()), float(good["share"] - bad["share"])
    bounds = difference(*counts)
    return [Finding(
        code="service.bad_cases_leave", severity="watch",
        evidence={"bad": float(bad["share"]), "good": float(good["share"]), "n": int(bad["n"]),
                  "n_customers": len(soon)},
        at_stake=money,
        recoverable=Range(low=money * bounds[0], middle=money * gap, high=money * bounds[1]),
        owner_role="cs", action="service.bad_cases_leave.action",
        assumption="service.bad_cases_leave.assumption", lesson="11_after_sales",
        trust=judge(low, high, int(bad["n"])),
    )]  # fmt: skip


def _gaps(book: Book, exhibits: dict[str, Exhibit]) -> list[Gap]:
    """Say which exhibits have nothing to show, and why."""
    needs = {
        "ratings": find_metric("csat").needs, "levels": find_metric("sla_resolution").needs,
        "backlog": find_metric("open_backlog").needs, "repeats": find_metric("repeat_rate").needs,
        "customers": ("contracts.account_id", "contracts.amount", "tickets.account_id"),
        "call_backs": find_metric("call_back_rate").needs,
        "renewed": (*find_metric("renewal_rate").needs, "tickets.account_id"),
    }  # fmt: skip
    plain = {"levels": "sla_resolution", "call_backs": "call_back_rate"}
    found = []
    for key, wanted in needs.items():
        if key in exhibits:
            continue
        lacking = next((need for need in wanted if not book.has(need)), None)
        if lacking is not None:
            table, _dot, column = lacking.partition(".")
            reason = "missing_column" if column and book.has(table) else "missing_table"
            told = lacking if reason == "missing_column" else table
            found.append(Gap(what=f"what.service_{key}", reason=reason, needs=told))
            continue
        told_by = find_metric(plain[key]).reason(book) if key in plain else None
        found.append(Gap(what=f"what.service_{key}", reason=told_by or "no_rows"))
    return found


def _method(shown: dict[str, pd.DataFrame]) -> Method:
    n = {"ratings": int(shown["ratings"]["n"].sum()) if len(shown["ratings"]) else 0,
         "open_cases": len(shown["waiting"])}  # fmt: skip
    source = ["method.service_spans"]
    source += ["method.call_backs"] if len(shown["called"]) else []
    return Method(source=tuple(source), assumptions=("method.renewed_no_cause",), n=n,
                  blind_spots=("blind.who_answers", "blind.unlogged_touches"))  # fmt: skip
