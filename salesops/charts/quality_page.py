"""The words of the data-quality page: verdict, exhibits and tables, made of the frames."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts import quality as pictures
from salesops.charts.detail import Sentence
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.seen import SeenBase
from salesops.charts.table import TableView
from salesops.wording import label

# Span of days over the expected date -> its first and last day.
SPANS = {"not": (-(10**6), 0), "month": (1, 30), "quarter": (31, 90), "beyond": (91, 10**6)}
FIRST, FEW, FULL = 10, 5, 0.995


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: the result's frames, its numbers by name, and what held."""

    rules: pd.DataFrame
    fields: pd.DataFrame
    teams: pd.DataFrame
    months: pd.DataFrame
    entered: pd.DataFrame
    logged: pd.DataFrame
    pairs: pd.DataFrame
    overdue: pd.DataFrame
    mend: pd.DataFrame


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say how much can be believed, and what to mend first."""
    clauses = []
    if not math.isnan(seen.number("entry_rate")):
        clauses.append(Say("quality.verdict_entered", {"rate": seen.number("entry_rate")}))
    reported, credible = seen.number("reported"), seen.number("credible")
    if reported > 0:
        clauses.append(Say("quality.verdict_worth", {"reported": reported, "credible": credible}))
    n = int(seen.number("n_mend"))
    if n:
        fields = {"n": n, "first": min(n, FIRST), "amount": seen.number("mend_amount")}
        clauses.append(Say(_valued("quality.verdict_mend", fields), fields))
    return tuple(clauses) or (Say("quality.verdict_none"),)


def _valued(code: str, fields: Mapping[str, Any]) -> str:
    """Name the sentence with money, or the one that counts where no value is known."""
    return code if fields["amount"] == fields["amount"] else f"{code}_counted"


def exhibits(seen: Seen, behind: Callable[[str], Part]) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {
        "entered": _entered(seen, behind) if len(seen.entered) else None,
        "twice": _twice(seen),
        "over": _over(seen),
        "logged": _logged(seen, behind) if len(seen.logged) else None,
        "mend": _mend(seen),
    }
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _entered(seen: Seen, behind: Callable[[str], Part]) -> Exhibit:
    prior = seen.number("prior_entry_rate")
    fields = {"rate": seen.number("entry_rate"), "prior": prior}
    return Exhibit(
        key="entered", title=Say("quality.title_entered", fields),
        sub=Say("quality.sub_entered", fields) if prior == prior else None,
        behind=behind("entry_rate"), note=Say("quality.note_entered"),
        draw=lambda width: pictures.shares_figure(seen.entered, width),
    )  # fmt: skip


def _twice(seen: Seen) -> Exhibit | None:
    n_accounts = int(seen.number("n_accounts"))
    if not n_accounts:
        return None
    fields = {"n": int(seen.number("n_twice")), "n_accounts": n_accounts,
              "n_two_owners": int(seen.number("n_two_owners")),
              "share": seen.number("twice_share"), "amount": seen.number("twice_amount"),
              "norm": seen.settings.norms.duplicate_share}  # fmt: skip
    if not fields["n"]:
        return Exhibit(key="twice", title=Say("quality.title_twice_none", fields),
                       table=Sentence("quality.twice_none"))  # fmt: skip
    shown = seen.pairs.sort_values(["amount", "chance"], ascending=False, kind="stable")
    # Both names do not fit a column; the pairs stand below.
    columns = {"name": "text", "amount": "money"}
    return Exhibit(
        key="twice", title=Say(_valued("quality.title_twice", fields), fields),
        sub=Say("quality.sub_twice", fields),
        table=TableView(frame=shown, columns=columns, caption=Say("quality.twice_caption"),
                        most=FEW),
    )  # fmt: skip


def _over(seen: Seen) -> Exhibit | None:
    n_dated, n = int(seen.number("n_dated")), int(seen.number("n_over"))
    if not n_dated:
        return None
    fields = {"n": n, "n_dated": n_dated, "amount": seen.number("over_amount")}
    code = _valued("quality.title_over", fields) if n else "quality.title_over_none"
    return Exhibit(
        key="over", title=Say(code, fields),
        note=Say("quality.note_over", fields),
        draw=lambda width: pictures.spans_figure(seen.overdue, width),
    )  # fmt: skip


def _logged(seen: Seen, behind: Callable[[str], Part]) -> Exhibit:
    prior = seen.number("prior_logged_share")
    fields = {"share": seen.number("logged_share"), "prior": prior,
              "hours": seen.settings.norms.logging_hours}  # fmt: skip
    return Exhibit(
        key="logged", title=Say("quality.title_logged", fields),
        sub=Say("quality.sub_logged", fields) if prior == prior else None,
        behind=behind("logged_within_24h"), note=Say("quality.note_logged"),
        draw=lambda width: pictures.shares_figure(seen.logged, width),
    )  # fmt: skip


def _mend(seen: Seen) -> Exhibit | None:
    if seen.mend.empty:
        return None
    fields = {"first": min(FIRST, len(seen.mend)), "n": len(seen.mend),
              "amount": seen.number("mend_amount")}  # fmt: skip
    title = Say(_valued("quality.title_mend", fields), fields)
    return Exhibit(key="mend", title=title, span=2,
                   table=_listed(seen.mend.head(FIRST), FIRST))  # fmt: skip


def mend_table(mend: pd.DataFrame, *, most: int) -> TableView | Shown:
    """Give the open deals with something wrong, most value times faults first."""
    return said("quality.mend_none") if mend.empty else _listed(mend, most)


def _listed(mend: pd.DataFrame, most: int) -> "MendTable":
    columns = {"name": "text", "owner": "text", "amount": "money", "wrong": "text"}
    if mend["amount"].isna().all():
        del columns["amount"]
    frame = mend.assign(wrong=mend["faults"])
    return MendTable(frame=frame, columns=columns, most=most, optional=frozenset({"owner"}),
                     caption=Say("quality.mend_caption"))  # fmt: skip


class MendTable(TableView):
    """A table whose column `wrong` lists faults, in words of the language it is shown in."""

    def _css(self, column: str) -> str:
        return ' class="said"' if column == "wrong" else super()._css(column)

    def _plain(self, column: str, value: Any) -> str:
        if column != "wrong":
            return super()._plain(column, value)
        return label("quality.and").join(label(f"rule.{name}") for name in value)


def rules_table(rules: pd.DataFrame, fields: pd.DataFrame) -> TableView | Shown:
    """Give every rule with the records that break it, and every field with the empty ones."""
    told = rules.assign(rule="rule." + rules["rule"])
    empty = pd.DataFrame({
        "rule": "field." + fields["field"].astype(str), "dimension": "completeness",
        "table": fields["field"].astype(str).str.partition(".")[0], "n": fields["n"],
        "n_wrong": fields["n"] - fields["filled"], "share": 1 - fields["filled_share"],
    })  # fmt: skip
    parts = [part for part in (told, empty) if len(part)]
    if not parts:
        return said("quality.rules_none")
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sort_values(["share", "rule"], ascending=[False, True], na_position="last")
    frame = frame.assign(of_table="table." + frame["table"],
                         dimension="dimension." + frame["dimension"], n_of=frame["n"])  # fmt: skip
    columns = {"rule": "label", "of_table": "label", "dimension": "label", "n_of": "count",
               "n_wrong": "count", "share": "ratio"}  # fmt: skip
    return TableView(frame=frame, columns=columns, most=50, caption=Say("quality.rules_caption"),
                     optional=frozenset({"dimension", "of_table"}))  # fmt: skip


def groups_table(teams: pd.DataFrame, months: pd.DataFrame) -> TableView | Shown:
    """Give what is wrong by team, then by month, and kind of quality."""
    by_month = months.assign(group=pd.to_datetime(months["month"]).dt.strftime("%Y-%m"))
    frame = pd.concat([teams.rename(columns={"team": "group"}), by_month], ignore_index=True)
    if frame.empty:
        return said("quality.groups_none")
    shown = frame.assign(dimension="dimension." + frame["dimension"], n_of=frame["n"])
    columns = {"group": "text", "dimension": "label", "n_of": "count", "n_wrong": "count",
               "share": "ratio"}  # fmt: skip
    return TableView(frame=shown, columns=columns, most=100, caption=Say("quality.groups_caption"))


def pairs_table(pairs: pd.DataFrame) -> TableView | Shown:
    """Give the customers entered twice, most open value first."""
    if pairs.empty:
        return said("quality.twice_none")
    frame = pairs.sort_values(["amount", "chance"], ascending=False, kind="stable")
    columns = {"account": "text", "name": "text", "other": "text", "other_name": "text",
               "two_owners": "flag", "amount": "money"}  # fmt: skip
    return TableView(frame=frame, columns=columns, most=40, caption=Say("quality.pairs_caption"),
                     optional=frozenset({"account", "other", "two_owners"}))  # fmt: skip
