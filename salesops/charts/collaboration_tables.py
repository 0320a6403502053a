"""The tables of collaboration: what stands in the detail, and the lists that stand in for a log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts.exhibit import Say
from salesops.charts.parts import Shown, marked
from salesops.charts.table import TableView
from salesops.model.settings import Settings
from salesops.wording import label
from salesops.wording.catalogue import entries
from salesops.wording.language import current_language

FEW = 6
# What a case may have had in its first 30 days.
CONTENTS = ("seen", "soon", "often", "quoted", "contacts")


def said(code: str) -> Shown:
    """Give one sentence in place of a table."""
    text = Say(code)
    return Shown(f'<p class="quiet small">{marked(text.text())}</p>', text.text())


def table(
    frame: pd.DataFrame, name: str, columns: dict[str, str], *, most: int = 15,
    optional: frozenset[str] = frozenset(), **told: Any,
) -> TableView | Shown:  # fmt: skip
    """Give rows as a table under `collaboration.<name>_caption`, or its sentence for none."""
    if frame.empty:
        return said(f"collaboration.{name}_none")
    # What nobody recorded has no column.
    kept = {c: kind for c, kind in columns.items() if not frame[c].isna().all()}
    caption = Say(f"collaboration.{name}_caption", {"n": len(frame), **told})
    return TableView(frame=frame, columns=kept, caption=caption, most=most, optional=optional)


def together(*parts: TableView | Shown) -> Shown:
    """Put tables below each other; a sentence for none stands only where there is no table."""
    views = [part for part in parts if isinstance(part, TableView)]
    if not views:
        return next(part for part in parts if isinstance(part, Shown))
    pages = (f'<div class="out">{view.html()}</div>' for view in views)
    return Shown("".join(pages), "\n\n".join(view.text() for view in views))


def coded(frame: pd.DataFrame, prefix: str, *columns: str) -> pd.DataFrame:
    """Turn values of columns into codes of their words; those without one stay as entered."""
    known = [c for c in columns if c in frame.columns]
    return frame.assign(**{c: prefix + "." + frame[c].astype(str) for c in known})


def worded(code: str, entered: str) -> str:
    """Give the code of a word, or where the catalogues have none what the settings say."""
    return code if code in entries() else entered


@dataclass(frozen=True)
class Later:
    """A table that is made when it is shown, in the language that holds then."""

    make: Callable[[], TableView | Shown]

    def html(self) -> str:
        """Give the table, or the sentence in its place."""
        made = self.make()
        return made.html() if isinstance(made, TableView) else made.page


def levels_frame(levels: pd.DataFrame) -> pd.DataFrame:
    """Name each service level for its table."""
    names = [worded(f"level.{what}", what) for what in levels["what"]]
    return levels.assign(promise=names, kept=levels["kept_share"], before=levels["prior_share"])


def gaps_table(gaps: pd.DataFrame) -> TableView | Shown:
    """Give the duties that lack somebody."""
    if gaps.empty:
        return said("collaboration.raci_none")
    named = [worded(f"raci.{duty}", duty) if isinstance(duty, str) else None
             for duty in gaps["duty"]]  # fmt: skip
    frame = coded(gaps, "raci_gap", "gap").assign(duty=named)
    columns = {"duty": "cause", "gap": "label", "role": "role", "n_duties": "count"}
    return table(frame, "raci", columns)


def acted_table(acted: pd.DataFrame) -> TableView | Shown:
    """Give per stage the role in charge beside the one that wrote down most."""
    if acted.empty or not acted["n"].sum():
        return said("collaboration.acted_none")
    columns = {"stage": "stage", "role": "role", "own_share": "ratio", "acted": "role",
               "acted_share": "ratio", "n": "count"}  # fmt: skip
    return table(acted, "acted", columns)


def duties_table(settings: Settings) -> TableView | Shown:
    """Give what operations and the manager do, as the settings list it."""
    zh = current_language() == "zh"
    rows = [(duty.role, f"every.{duty.every}", duty.what.zh if zh else duty.what.en)
            for duty in settings.duties]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["role", "every", "duty"])
    return table(frame, "duties", {"duty": "text", "every": "label", "role": "role"})


def parties_table(settings: Settings) -> TableView | Shown:
    """Give who is responsible, answers, is asked and is told, duty by duty."""
    rows = []
    for duty, parts in settings.raci.items():
        of: dict[str, list[str]] = {letter: [] for letter in "RACI"}
        for role, letter in parts.items():
            of[letter].append(label(f"role.{role}"))
        rows.append(
            (
                label(f"raci.{duty}", otherwise=duty),
                *(" / ".join(of[letter]) or None for letter in "RACI"),
            )
        )
    frame = pd.DataFrame(rows, columns=["duty", "does", "answers", "asked", "told"])
    kinds = dict.fromkeys(frame.columns, "text")
    return table(frame, "parties", kinds, optional=frozenset({"asked", "told"}), most=30)


def starts_table(starts: pd.DataFrame) -> TableView | Shown:
    """Give how often deals were won by what their first 30 days contained."""
    columns = {"content": "label", "n": "count", "won_rate": "ratio", "n_others": "count",
               "others_rate": "ratio"}  # fmt: skip
    return table(coded(starts, "content", "content"), "starts", columns)


def cases_table(cases: pd.DataFrame) -> TableView | Shown:
    """Give three won deals without a name."""
    if cases.empty or cases[list(CONTENTS)].isna().all(axis=None):
        return said("collaboration.cases_none")
    columns = {"case": "text", "source": "text", "amount": "money", "days": "days", "seen": "flag",
               "soon": "flag", "often": "flag", "quoted": "flag", "contacts": "flag"}  # fmt: skip
    return table(cases, "cases", columns, optional=frozenset({"source", "contacts", "often"}))


def rules_table(rules: pd.DataFrame) -> TableView | Shown:
    """Give how leads would have been spread by other rules."""
    known = rules[rules["n"] > 0] if len(rules) else rules
    columns = {"rule": "label", "moved_share": "ratio", "ahead": "decimal",
               "crowded_share": "ratio"}  # fmt: skip
    n = int(known["n"].max()) if len(known) else 0
    return table(coded(known, "rule", "rule"), "rules", columns, n_leads=n)
