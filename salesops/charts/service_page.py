"""The words of the service page: verdict, exhibits and tables, made of the frames."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from salesops.charts import service as pictures
from salesops.charts.because import BecauseTable
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.seen import SeenBase
from salesops.charts.table import TableView
from salesops.model.settings import Settings
from salesops.wording import current_language, label

FIRST, LINES, PRODUCTS = 5, 60, 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: the result's frames, its numbers by name, and what held."""

    ratings: pd.DataFrame
    levels: pd.DataFrame
    waiting: pd.DataFrame
    ages: pd.DataFrame
    repeated: pd.DataFrame
    called: pd.DataFrame
    to_call: pd.DataFrame
    customers: pd.DataFrame
    renewed: pd.DataFrame


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say how satisfied customers are, what waits, and which large ones had bad cases."""
    clauses = []
    if seen.number("csat") >= 0:
        clauses.append(Say("service.verdict_csat", _csat(seen)))
    if seen.number("n_large") > 0:
        clauses.append(Say("service.verdict_large", {
            "n": seen.count("n_large"), "money": seen.number("large_money")}))  # fmt: skip
    if seen.number("sla_resolution") >= 0:
        clauses.append(Say("service.verdict_solved", {"share": seen.number("sla_resolution")}))
    elif seen.number("n_open") >= 0:
        clauses.append(Say("service.verdict_open", {
            "n": seen.count("n_open"), "n_late": seen.count("n_late")}))  # fmt: skip
    if not clauses and seen.number("n_due") > 0:
        clauses.append(Say("service.verdict_called", {
            "n": seen.count("n_made"), "n_due": seen.count("n_due")}))  # fmt: skip
    return tuple(clauses[:2]) or (Say("service.verdict_none"),)


def _csat(seen: Seen) -> dict[str, float]:
    return {"share": seen.number("csat"), "low": seen.number("csat_low"),
            "high": seen.number("csat_high"), "n": seen.count("n_rated"),
            "answered": seen.number("response_rate")}  # fmt: skip


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {
        "ratings": _ratings(seen, behind), "levels": _levels(seen, behind),
        "backlog": _backlog(seen, behind), "repeats": _repeats(seen, behind),
        "customers": _customers(seen), "call_backs": _call_backs(seen, behind),
        "renewed": _renewed(seen),
    }  # fmt: skip
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _ratings(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    if not seen.number("csat") >= 0:
        return None
    fields = _csat(seen) | {"prior": seen.number("prior_csat"),
                            "by_customer": seen.number("by_customer")}  # fmt: skip
    known = not math.isnan(fields["prior"])
    return Exhibit(
        key="ratings", title=Say("service.title_ratings", fields), behind=behind("csat"),
        sub=Say("service.sub_ratings" if known else "service.sub_ratings_new", fields),
        note=Say("service.note_ratings"),
        draw=lambda width: pictures.ratings_figure(seen.ratings, width),
    )  # fmt: skip


def _levels(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    if seen.levels.empty:
        return None
    norm = seen.settings.norms.service.in_time
    answered, solved = (seen.number(n) for n in ("sla_first_response", "sla_resolution"))
    fields = {"answered": answered, "solved": solved}
    code = "service.title_levels"
    if math.isnan(answered):
        code = "service.title_levels_solved"
    elif math.isnan(solved):
        code = "service.title_levels_answered"
    return Exhibit(
        key="levels", title=Say(code, fields), note=Say("service.note_levels", {"norm": norm}),
        behind=behind("sla_first_response" if math.isnan(solved) else "sla_resolution"),
        draw=lambda width: pictures.levels_figure(seen.levels, width, norm=norm),
    )  # fmt: skip


def _backlog(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    if not seen.number("n_open") > 0:
        return None
    fields = {"n": seen.count("n_open"), "n_late": seen.count("n_late"),
              "oldest": float(seen.waiting["age_days"].max())}  # fmt: skip
    return Exhibit(
        key="backlog", title=Say("service.title_backlog", fields), behind=behind("open_backlog"),
        note=Say("service.note_backlog"),
        draw=lambda width: pictures.ages_figure(seen.ages, width),
    )  # fmt: skip


def _repeats(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    if seen.repeated.empty:
        return None
    frame, norm = seen.repeated.head(PRODUCTS + 1), seen.settings.norms.service.repeat_share
    whole = frame.iloc[0]
    fields: dict[str, object] = {"share": float(whole["share"]), "n_again": int(whole["n_again"]),
              "n": int(whole["n"])}  # fmt: skip
    held = [f.subject for f in seen.findings if f.code == "service.repeats"]
    code = "service.title_repeats"
    if held:
        code = "service.title_repeats_line"
        row = frame[frame["product_line"] == held[0]].iloc[0]
        fields |= {"line": held[0], "share": float(row["share"])}
    return Exhibit(
        key="repeats", title=Say(code, fields), behind=behind("repeat_rate"),
        note=Say("service.note_repeats", {"norm": norm}),
        draw=lambda width: pictures.shares_figure(
            frame, width, norm=norm, head=label("service.head_again"),
            names=[line or label("service.all") for line in frame["product_line"]],
            bad=[line in held for line in frame["product_line"]]),
    )  # fmt: skip


def _customers(seen: Seen) -> Exhibit | None:
    if not seen.number("n_running") > 0 or math.isnan(seen.number("n_large")):
        return None
    large = seen.customers[seen.customers["is_large"].astype(bool)]
    fields = {"n": seen.count("n_large"), "money": seen.number("large_money"),
              "n_running": seen.count("n_running")}  # fmt: skip
    share = seen.settings.norms.service.large_share
    if large.empty:
        return Exhibit(key="customers", title=Say("service.title_customers_none", fields), span=2,
                       table=_customer_table(seen.customers, FIRST),
                       note=Say("service.note_customers", {"share": share}))  # fmt: skip
    return Exhibit(
        key="customers", title=Say("service.title_customers", fields), span=2,
        table=_customer_table(large, FIRST), note=Say("service.note_customers", {"share": share}),
    )  # fmt: skip


def _customer_table(frame: pd.DataFrame, most: int) -> BecauseTable:
    columns = {"customer": "text", "owner": "text", "money": "money", "ends_on": "date",
               "because": "text"}  # fmt: skip
    return BecauseTable(stem="service", frame=frame, columns=columns, most=most,
                        caption=Say("service.customers_caption"),
                        optional=frozenset({"ends_on"}))  # fmt: skip


def _call_backs(seen: Seen, behind: Callable[[str], Part]) -> Exhibit | None:
    if seen.called.empty:
        return None
    norm = seen.settings.norms.service.called_back
    fields = {"n": seen.count("n_made"), "n_due": seen.count("n_due")}
    held = {f.subject for f in seen.findings if f.code == "service.call_backs"}
    return Exhibit(
        key="call_backs", title=Say("service.title_called", fields),
        behind=behind("call_back_rate"),
        sub=Say("service.sub_called", {
            "n": seen.count("n_to_call"), "n_missed": seen.count("n_missed")}),
        note=Say("service.note_called", {"norm": norm}),
        draw=lambda width: pictures.shares_figure(
            seen.called, width, norm=norm, head=label("service.head_made"),
            names=rules_named(seen.settings, seen.called["rule"]),
            bad=[rule in held for rule in seen.called["rule"]]),
    )  # fmt: skip


def _renewed(seen: Seen) -> Exhibit | None:
    at = seen.renewed.set_index("group")["share"] if len(seen.renewed) else pd.Series(dtype=float)
    bad, good = float(at.get("bad", math.nan)), float(at.get("good", math.nan))
    if math.isnan(bad) or math.isnan(good):
        return None
    fields = {"bad": bad, "good": good, "n": seen.count("n_bad_terms")}
    held = any(f.code == "service.bad_cases_leave" for f in seen.findings)
    code = "service.title_renewed_less" if held else "service.title_renewed"
    return Exhibit(
        key="renewed", title=Say(code, fields), note=Say("service.note_renewed"),
        draw=lambda width: pictures.shares_figure(
            seen.renewed, width, norm=math.nan, head=label("service.head_renewed"),
            names=[label(f"service.cases_{group}") for group in seen.renewed["group"]],
            bad=[held and group == "bad" for group in seen.renewed["group"]]),
    )  # fmt: skip


def rules_named(settings: Settings, rules: Iterable[str]) -> list[str]:
    """Give the names of call-back rules in the current language."""
    zh = current_language() == "zh"
    names = {rule.id: rule.name.zh if zh else rule.name.en for rule in settings.call_backs}
    return [names.get(rule, rule) for rule in rules]


def waiting_table(waiting: pd.DataFrame) -> TableView | Shown:
    """Give the open cases, oldest first."""
    if waiting.empty:
        return said("service.waiting_none")
    columns = {"id": "text", "customer": "text", "owner": "text", "product_line": "text",
               "severity": "text", "age_days": "days", "is_late": "flag"}  # fmt: skip
    kept = {c: kind for c, kind in columns.items() if not waiting[c].isna().all()}
    return TableView(frame=waiting, columns=kept, most=LINES,
                     caption=Say("service.waiting_caption"),
                     optional=frozenset({"owner", "product_line"}))  # fmt: skip


def to_call_table(to_call: pd.DataFrame, settings: Settings) -> TableView | Shown:
    """Give who is to be called back, the earliest end first."""
    if to_call.empty:
        return said("service.to_call_none")
    frame = to_call.assign(rule=rules_named(settings, to_call["rule"]))
    columns = {"customer": "text", "owner": "text", "rule": "text", "until_on": "date",
               "is_over": "flag", "amount": "money"}  # fmt: skip
    return TableView(frame=frame, columns=columns, most=LINES,
                     caption=Say("service.to_call_caption"),
                     optional=frozenset({"amount"}))  # fmt: skip


def customers_table(customers: pd.DataFrame) -> TableView | Shown:
    """Give all customers with running contracts and bad cases, most money first."""
    if customers.empty:
        return said("service.customers_none")
    return _customer_table(customers, LINES)
