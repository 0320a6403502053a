"""The one-page table of the process as drawn, and the tables of the detail."""

import html
from dataclasses import dataclass
from typing import Any

import pandas as pd

from salesops.charts.exhibit import Say
from salesops.charts.parts import Shown, framed, marked
from salesops.charts.process import stage_name
from salesops.charts.table import TableView
from salesops.model.settings import Phase, Settings, Words
from salesops.wording import current_language, label

_HEADS = (("stage", ""), ("key_actions", "opt"), ("tool", "opt"), ("owner_role", ""),
          ("measured_by", "opt"), ("exit_criteria", ""))  # fmt: skip
_NONE = "—"
_WIDTHS = "".join(f'<col style="width:{share}%"{css}>' for share, css in
                  ((12, ""), (21, ' class="opt"'), (18, ' class="opt"'), (11, ""),
                   (15, ' class="opt"'), (23, "")))  # fmt: skip


@dataclass(frozen=True, eq=False)
class DesignTable:
    """Stage, key action, tool, owner, metric and exit, as the settings say."""

    settings: Settings

    def html(self) -> str:
        """Give one row per stage up to the contract, and one for after-sales."""
        heads = "".join(f'<th scope="col"{_css(css)}>{html.escape(label(f"column.{code}"))}</th>'
                        for code, css in _HEADS)  # fmt: skip
        body = "".join(self._row(cells) for cells in self.rows())
        return (f'<div class="plan"><table><colgroup>{_WIDTHS}</colgroup>'
                f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>")  # fmt: skip

    def rows(self) -> list[tuple[str, ...]]:
        """Give the cells as words in the current language; a dash where nothing is said."""
        found: list[tuple[str, ...]] = []
        for stage in self.settings.stages:
            if stage.kind not in ("open", "won"):
                continue
            name = stage_name(stage.id)
            if stage.valid_from is not None:
                since = Say("process.valid_from", {"date": stage.valid_from}).text()
                name = f"{name} {since}"
            found.append((name, _words(stage.key_actions), _words(stage.tool),
                          _role(stage.owner_role), _metric(stage.metric),
                          _words(stage.exit_criteria)))  # fmt: skip
        phase = self.settings.after_sales
        if phase is not None:
            found.append(_phase(phase))
        return found

    @staticmethod
    def _row(cells: tuple[str, ...]) -> str:
        shown = "".join(f"<td{_css(css)}>{html.escape(cell)}</td>"
                        for cell, (_code, css) in zip(cells, _HEADS, strict=True))  # fmt: skip
        return f"<tr>{shown}</tr>"

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        plain = "\n".join(" | ".join(cells) for cells in self.rows())
        return {"text/html": framed(self.html()), "text/plain": plain}


def _css(name: str) -> str:
    return f' class="{name}"' if name else ""


def _words(words: Words | None) -> str:
    if words is None:
        return _NONE
    return words.zh if current_language() == "zh" else words.en


def _role(role: str | None) -> str:
    return label("process.nobody") if role is None else label(f"role.{role}")


def _metric(metric: str | None) -> str:
    # A company may name a number of its own.
    return _NONE if metric is None else label(f"metric.{metric}", otherwise=metric)


def _phase(phase: Phase) -> tuple[str, ...]:
    return (_words(phase.name), _words(phase.key_actions), _words(phase.tool),
            _role(phase.owner_role), _metric(phase.metric), _NONE)  # fmt: skip


def said(code: str) -> Shown:
    """Give one sentence in place of a table."""
    text = Say(code)
    return Shown(f'<p class="quiet small">{marked(text.text())}</p>', text.text())


def moves_table(moves: pd.DataFrame) -> TableView | Shown:
    """Give the direct moves between stages, most frequent first."""
    if moves.empty:
        return said("process.moves_none")
    frame = moves.rename(columns={"source": "from_stage", "target": "to_stage", "n": "n_moves"})
    frame = frame.assign(move="move." + frame["kind"].astype(str))
    columns = {"from_stage": "stage", "to_stage": "stage", "move": "label", "n_moves": "count",
               "amount": "money", "median_days": "days"}  # fmt: skip
    caption = Say("process.moves_caption", {"n": int(moves["n"].sum())})
    return TableView(frame=frame, columns=columns, optional=frozenset({"amount"}), most=25,
                     caption=caption)  # fmt: skip


def skips_table(skipped: pd.DataFrame) -> TableView | Shown:
    """Give the open deals that skipped a stage, largest first."""
    if skipped.empty:
        return said("process.skipped_none")
    columns = {"id": "text", "name": "text", "owner": "text", "stage": "stage", "missed": "stage",
               "amount": "money"}  # fmt: skip
    caption = Say("process.skipped_caption", {"n": len(skipped)})
    return TableView(frame=skipped, columns=columns, caption=caption,
                     optional=frozenset({"id", "stage"}))  # fmt: skip


def fields_table(fields: pd.DataFrame, full: float) -> TableView | Shown:
    """Give the fields that are filled less often than `full`, a share."""
    rest = fields[fields["filled_share"] < full]
    if rest.empty:
        return said("process.fields_none")
    frame = rest.assign(field="field." + rest["field"].astype(str))
    columns = {"field": "label", "required": "flag", "n": "count", "filled_share": "ratio",
               "prior_share": "ratio"}  # fmt: skip
    counts = {"n": len(fields), "n_full": len(fields) - len(rest)}
    return TableView(frame=frame, columns=columns, most=30,
                     caption=Say("process.fields_caption", counts))  # fmt: skip
