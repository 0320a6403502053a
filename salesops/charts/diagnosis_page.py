"""The words of the diagnosis page: verdict, exhibits and tables, made of the frames."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from salesops.charts import diagnosis as pictures
from salesops.charts.diagnosis_parts import Changes, ToDo
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.table import TableView
from salesops.model.calendar import Period
from salesops.model.finding import Finding

Numbers = Mapping[str, float | None]
TOP = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What the page speaks of."""

    period: Period
    earlier: Period
    numbers: Numbers
    pains: pd.DataFrame
    checks: pd.DataFrame
    since: pd.DataFrame
    breaks: pd.DataFrame
    credible: pd.DataFrame
    findings: tuple[Finding, ...]
    due: Mapping[str, dt.date]
    known_before: bool

    def pick(self, *names: str) -> dict[str, float | None]:
        """Give numbers by name."""
        return {name: self.numbers[name] for name in names}


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say in one sentence how much is wrong, what it costs and where most of it lies."""
    m = seen.numbers
    if not m["n_seen"]:
        return (Say("diagnosis.verdict_blind", {"n": int(m["n_checks"] or 0)}),)
    counts = {"n_bad": int(m["n_bad"] or 0), "n_seen": int(m["n_seen"] or 0)}
    if not m["n_bad"]:
        return (Say("diagnosis.verdict_good", counts),)
    if not m["middle"]:
        return (Say("diagnosis.verdict_found", counts), *_worst(seen))
    money = seen.pick("middle")
    return (Say("diagnosis.verdict_money", counts | money), *_worst(seen))


def _worst(seen: Seen) -> tuple[Say, ...]:
    bad = seen.pains[seen.pains["worst"] != ""]
    first = bad.sort_values("middle", ascending=False, na_position="last", kind="stable").iloc[0]
    told = {"pain": f"pain.{first['pain']}", "check": f"check.{first['worst']}"}
    if first["middle"] == first["middle"] and first["middle"] > 0:
        return (Say("diagnosis.verdict_most", told | {"middle": float(first["middle"])}),)
    return (Say("diagnosis.verdict_first", told),)


def exhibits(seen: Seen, folded: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {"pains": _pains(seen)}
    if len(seen.breaks):
        found["breaks"] = _breaks(seen, folded("broken_share"))
    if len(seen.credible):
        found["credible"] = _credible(seen, folded("credible_pipeline"))
    found["top"] = _top(seen)
    if seen.known_before:
        found["since"] = _since(seen)
    return found


def _pains(seen: Seen) -> Exhibit:
    red = int((seen.pains["status"] == "act").sum())
    watched = int((seen.pains["status"] == "watch").sum())
    told = {"red": red, "watched": watched}
    title = Say("diagnosis.title_pains" if red or watched else "diagnosis.title_pains_good", told)
    blind = int(seen.numbers["n_checks"] or 0) - int(seen.numbers["n_seen"] or 0)
    sized = "" if seen.numbers["middle"] else "_unsized"
    names = ("n_seen", "prior_n_bad", "low", "high")
    sub = Say(f"diagnosis.sub_pains{sized}" if seen.known_before else "diagnosis.sub_pains_new",
              seen.pick(*names) | {"n": int(seen.numbers["n_findings"] or 0)})  # fmt: skip
    note = Say("diagnosis.note_pains_blind" if blind else "diagnosis.note_pains", {"blind": blind})
    return Exhibit(key="pains", title=title, sub=sub, note=note, span=2,
                   draw=lambda width: pictures.pains_figure(seen.pains, width))  # fmt: skip


def _breaks(seen: Seen, behind: Part) -> Exhibit:
    names = ("broken", "n_deals", "broken_share")
    title = Say("diagnosis.title_breaks", seen.pick(*names))
    known = seen.numbers.get("prior_broken_share") is not None
    counted = seen.pick("prior_broken_share", "n_deals") if known else seen.pick("n_deals")
    sub = Say("diagnosis.sub_breaks" if known else "diagnosis.sub_breaks_new", counted)
    return Exhibit(key="breaks", title=title, sub=sub, behind=behind,
                   note=Say("diagnosis.note_breaks"),
                   draw=lambda width: pictures.breaks_figure(seen.breaks, width))  # fmt: skip


def _credible(seen: Seen, behind: Part) -> Exhibit:
    title = Say("diagnosis.title_credible", seen.pick("reported", "credible_pipeline"))
    n = int(seen.credible["n"].sum())
    return Exhibit(key="credible", title=title, behind=behind,
                   sub=Say("diagnosis.sub_credible", {"n": n}),
                   note=Say("diagnosis.note_credible"),
                   draw=lambda width: pictures.credible_figure(seen.credible, width))  # fmt: skip


def _top(seen: Seen) -> Exhibit:
    first = seen.findings[:TOP]
    n = len(seen.findings)
    title = Say("diagnosis.title_top" if first else "diagnosis.title_top_none",
                {"shown": len(first), "n": n})  # fmt: skip
    return Exhibit(key="top", title=title, table=ToDo(first, seen.due))


def _since(seen: Seen) -> Exhibit:
    counts = seen.since["change"].value_counts()
    told = {name: int(counts.get(name, 0)) for name in ("worse", "better", "same")}
    moved = told["worse"] + told["better"]
    return Exhibit(
        key="since", title=Say("diagnosis.title_since" if moved else "diagnosis.title_since_same",
                               told),
        sub=Say("diagnosis.sub_since", {"earlier": seen.earlier}), table=Changes(seen.since),
    )  # fmt: skip


def rows_table(rows: pd.DataFrame) -> TableView:
    """How many records each finding speaks of."""
    counted = rows.groupby(["check", "subject", "table"], sort=False).size()
    frame = counted.rename("n").reset_index()
    frame["check"] = "check." + frame["check"].astype(str)
    frame["table"] = "table." + frame["table"].astype(str)
    return TableView(
        frame=frame, columns={"check": "label", "subject": "text", "table": "label", "n": "count"},
        caption=Say("diagnosis.rows_caption", {"n": len(rows)}), most=40,
    )  # fmt: skip


def warnings_table(record: pd.DataFrame) -> TableView:
    """Each warning: how many deals it marks, and how often it came true."""
    frame = record.assign(warning="warning." + record["warning"].astype(str))
    columns = {"warning": "label", "n_now": "count", "amount_now": "money", "n": "count",
               "precision": "ratio", "low": "ratio", "high": "ratio", "base": "ratio"}  # fmt: skip
    return TableView(frame=frame, columns=columns, caption=Say("diagnosis.warnings_caption"),
                     optional=frozenset({"low", "high"}))  # fmt: skip
