"""The words of the collection page: verdict, its bar and the exhibits, made of the frames."""

from collections.abc import Mapping

import pandas as pd

from salesops.charts import collection as pictures
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.table import TableView
from salesops.charts.verdict import RunBar, Share
from salesops.model.calendar import Period

Numbers = Mapping[str, float | None]
MOST = 10


def _have(numbers: Numbers, *names: str) -> bool:
    return all(numbers.get(name) is not None for name in names)


def _pick(numbers: Numbers, *names: str) -> dict[str, float | None]:
    return {name: numbers[name] for name in names}


def verdict(m: Numbers) -> tuple[Say, ...]:
    """Say in one sentence what came in against plan, and what is late."""
    return (*_first_clause(m), *_second_clause(m))


def _first_clause(m: Numbers) -> tuple[Say, ...]:
    if _have(m, "received", "target"):
        told = dict(_pick(m, "received", "target", "cash_attainment"))
        if not m["short"]:
            return (Say("collection.verdict_met", told),)
        told |= _pick(m, "short", "likely")
        likely = "collection.verdict_short" if m["likely"] is None else "collection.verdict_likely"
        return (Say(likely, told),)
    if m["due"]:
        return (Say("collection.verdict_due", _pick(m, "due", "collected", "due_collection")),)
    if _have(m, "contract_collection"):
        told = _pick(m, "signed", "signed_received", "contract_collection", "signed_n")
        return (Say("collection.verdict_signed", told),)
    if _have(m, "won_amount"):
        return (Say("collection.verdict_won", _pick(m, "won_n", "won_amount")),)
    return (Say("collection.verdict_nothing", _pick(m, "won_n")),)


def _second_clause(m: Numbers) -> tuple[Say, ...]:
    if not _have(m, "overdue"):
        return (Say("collection.verdict_unknown"),)
    if not m["overdue"]:
        return (Say("collection.verdict_none_late"),)
    if not m["overdue_long"]:
        return (Say("collection.verdict_late", _pick(m, "overdue", "overdue_n")),)
    return (Say("collection.verdict_long", _pick(m, "overdue", "overdue_long")),)


def run_bar(m: Numbers) -> RunBar | None:
    """Give the verdict as a bar: received, still expected, and what is missing to the target."""
    if not _have(m, "received", "target") or not m["target"]:
        return None
    target, received = float(m["target"] or 0), max(float(m["received"] or 0), 0.0)
    shares = [_share("got", "received", m, received, "collection.bar_of_target",
                     _pick(m, "target", "cash_attainment"))]  # fmt: skip
    if m["pace_amount"] is not None and m["pace_amount"] < target:
        shares.append(_share("tick", "pace_amount", m, float(m["pace_amount"])))
    if m["likely"]:
        shares.append(_share("likely", "likely", m, float(m["likely"]), "collection.bar_range",
                             _pick(m, "likely_low", "likely_high")))  # fmt: skip
    if m["short"]:
        shares.append(_share("short", "short", m, float(m["short"]), "collection.bar_to_find", {}))
    return RunBar(title=Say("collection.bar", _pick(m, "target")), shares=tuple(shares))


def _share(
    mark: str, name: str, m: Numbers, size: float, note: str = "",
    fields: Mapping[str, float | None] | None = None,
) -> Share:  # fmt: skip
    said = Say(note, dict(fields or {})) if note else None
    return Share(mark=mark, name=Say(f"collection.bar_{name}"),  # type: ignore[arg-type]
                 value=Say("collection.bar_value", {"value": m[name]}), size=size,
                 note=said)  # fmt: skip


def due_exhibit(period: Period, m: Numbers, periods: pd.DataFrame, behind: Part) -> Exhibit:
    """What fell due and what was received for it, against plan and the periods before."""
    told = {"period": period} | _pick(m, "due", "due_collection", "prior_rate", "due_n")
    if not m["due"]:
        title = Say("collection.title_due_none", {"period": period})
    elif _have(m, "prior_rate"):
        title = Say("collection.title_due", told)
    else:
        title = Say("collection.title_due_new", told)
    if _have(m, "received", "target"):
        code = "collection.sub_due" if _have(m, "prior_received") else "collection.sub_due_new"
        names = ("received", "target", "cash_attainment", "elapsed_share", "prior_received")
        sub = Say(code, _pick(m, *names))
    elif _have(m, "received", "prior_received"):
        sub = Say("collection.sub_due_unplanned", _pick(m, "received", "prior_received"))
    else:
        sub = Say("collection.sub_due_undated", _pick(m, "collected", "due"))
    return Exhibit(
        key="cash_due", title=title, sub=sub, behind=behind,
        note=Say("collection.note_due", {"n": int(m["due_n"] or 0)}),
        draw=lambda width: pictures.due_figure(periods, period, width),
    )  # fmt: skip


def ageing_exhibit(m: Numbers, frame: pd.DataFrame, behind: Part) -> Exhibit:
    """How old what is unpaid is, against what is normal and the period before."""
    beyond = frame.set_index("bucket").loc["beyond"]
    too_long = bool(beyond["amount"] > beyond["norm_amount"])
    if not m["overdue"]:
        title = Say("collection.title_ageing_none")
    elif too_long:
        title = Say("collection.title_ageing_beyond", _pick(m, "overdue_long", "norm_long"))
    elif not m["overdue_long"]:
        title = Say("collection.title_ageing_short", _pick(m, "overdue"))
    else:
        title = Say("collection.title_ageing", _pick(m, "overdue", "overdue_long"))
    names = ("overdue", "norm_overdue", "prior_overdue", "days_overdue")
    code = "collection.sub_ageing" if _have(m, "prior_overdue") else "collection.sub_ageing_new"
    sub = Say(code, _pick(m, *names)) if m["overdue"] else None
    return Exhibit(
        key="cash_ageing", title=title, sub=sub, behind=behind,
        note=Say("collection.note_ageing", {
            "n": int(frame["n"].sum()), **_pick(m, "norm_first_share", "norm_long_share")}),
        draw=lambda width: pictures.ageing_figure(frame, width, worst="beyond" if too_long else ""),
    )  # fmt: skip


def overdue_exhibit(m: Numbers, late: pd.DataFrame, behind: Part) -> Exhibit:
    """The largest overdue instalments with owner and cause."""
    if late.empty:
        title = said = Say("collection.title_overdue_none")
    else:
        all_shown = len(late) <= MOST
        title = Say("collection.title_overdue_all" if all_shown else "collection.title_overdue",
                    _pick(m, "top_n", "top_amount", "top_share"))  # fmt: skip
        said = Say("collection.sub_overdue_unknown", _pick(m, "unknown_amount"))
        if m["cause_amount"] is not None:
            told = {"cause": _largest_cause(late)} | _pick(m, "cause_amount", "unknown_amount")
            said = Say("collection.sub_overdue", told)
    columns = {"debtor": "name", "unpaid_amount": "money", "overdue_days": "days",
               "owner": "name", "cause": "cause"}  # fmt: skip
    frame = late.head(MOST).rename(columns={"unpaid": "unpaid_amount", "customer": "debtor"})
    table = TableView(frame=frame, columns=columns, most=MOST, caption=said,
                      optional=frozenset({"overdue_days"}))  # fmt: skip
    return Exhibit(key="cash_overdue", title=title, table=table, span=2, behind=behind)


def _largest_cause(late: pd.DataFrame) -> str:
    """Name the known cause that most overdue money has; unknown where none is known."""
    known = late[late["cause"] != "cause.unknown"].groupby("cause")["unpaid"].sum()
    return str(known.idxmax()) if len(known) else "cause.unknown"


def coming_exhibit(m: Numbers, frame: pd.DataFrame, behind: Part) -> Exhibit:
    """What is expected within 30, 60 and 90 days; what is owed by then where nothing is learnt."""
    first, last = frame.iloc[0], frame.iloc[-1]
    if first["expected"] == first["expected"]:
        title = Say("collection.title_coming", {"expected": first["expected"],
                                                "owed": first["owed"]})  # fmt: skip
        told = {"expected": last["expected"], "low": last["low"], "high": last["high"],
                "came": first["prior_came"]}  # fmt: skip
        sub = Say("collection.sub_coming", told)
        tried = {"share": m["held_share"], "n": int(m["held_n"] or 0)}
        note = Say("collection.note_coming" if m["held_n"] else "collection.note_coming_untried",
                   tried)  # fmt: skip
    else:
        title = Say("collection.title_owed", {"owed": last["owed"], "n": int(last["n"])})
        sub = Say("collection.sub_owed", {"owed": first["owed"], "n": int(first["n"])})
        note = Say("collection.note_owed")
    return Exhibit(key="cash_coming", title=title, sub=sub, note=note, behind=behind,
                   draw=lambda width: pictures.coming_figure(frame, width))  # fmt: skip


def standing_exhibit(m: Numbers, frame: pd.DataFrame, behind: Part) -> Exhibit:
    """What is signed and not due, delivered and not accepted, and held back."""
    items = frame.set_index("item")["amount"]
    days = {"days": m["unaccepted_days"]}
    if items.get("unaccepted_long"):
        title = Say("collection.title_unaccepted", days | {
            "amount": items["unaccepted"], "long": items["unaccepted_long"]})  # fmt: skip
    elif items["retention"]:
        told = {"amount": m["not_yet_due"], "retention": items["retention"]}
        title = Say("collection.title_standing", told)
    else:
        title = Say("collection.title_not_due", {"amount": m["not_yet_due"]})
    if _have(m, "prior_not_yet_due"):
        sub = Say("collection.sub_standing", _pick(m, "not_yet_due", "prior_not_yet_due"))
    else:
        sub = Say("collection.sub_standing_new", _pick(m, "not_yet_due"))
    worst = "unaccepted_long" if items.get("unaccepted_long") else ""
    shown = frame[(frame["n"] > 0) | (frame["prior_amount"] > 0)]
    return Exhibit(
        key="cash_standing", title=title, sub=sub, behind=behind,
        note=Say("collection.note_standing", days),
        draw=lambda width: pictures.standing_figure(shown, width, worst=worst),
    )  # fmt: skip
