"""The words of the page on a choice of a CRM: verdict, exhibits and tables, made of the frames."""

from dataclasses import dataclass

import pandas as pd

from salesops.charts import selection as pictures
from salesops.charts.exhibit import Exhibit, Say
from salesops.charts.parts import Shown
from salesops.charts.process_design import said
from salesops.charts.seen import SeenBase
from salesops.charts.table import TableView

MOST = 8
# Leads smaller than this are none.
LEVEL = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen(SeenBase):
    """What the page speaks of: the result's frames, and from which file they come."""

    ranked: pd.DataFrame
    scores: pd.DataFrame
    costs: pd.DataFrame
    fits: pd.DataFrame
    flips: pd.DataFrame
    article: pd.DataFrame
    file: str
    fingerprint: str
    is_example: bool

    @property
    def is_ranked(self) -> bool:
        """Whether somebody is first."""
        return self.number("total") == self.number("total")

    def told(self, *names: str) -> dict[str, object]:
        """Give numbers by name, as fields of a sentence."""
        return {name: self.number(name) for name in names}

    def of_first(self) -> dict[str, object]:
        """Give what sentences say of the first and the second."""
        names = self.ranked["crm"].tolist()
        fields = self.told("total", "second_total", "lead", "cost", "entry_cost", "entry_part",
                           "per_field", "fit", "near", "any")  # fmt: skip
        second = names[1] if self.number("second_total") == self.number("second_total") else ""
        return {**fields, "crm": names[0], "second": second}


def verdict(seen: Seen) -> tuple[Say, ...]:
    """Say who is first, by how much, and what would change that."""
    made_up = (Say("selection.verdict_example"),) if seen.is_example else ()
    if not seen.is_ranked:
        all_out = bool(seen.ranked["is_out"].all())
        return (*made_up, Say("selection.verdict_out" if all_out else "selection.verdict_unknown"))
    fields = seen.of_first()
    if not fields["second"]:
        return (*made_up, Say("selection.verdict_alone", fields))
    if seen.number("lead") < LEVEL:
        return (*made_up, Say("selection.verdict_level", fields))
    return (*made_up, Say("selection.verdict", fields), _hinge(seen))


def _hinge(seen: Seen) -> Say:
    """Say at which weight another is first."""
    if seen.flips.empty or seen.flips["flips_at"].isna().all():
        return Say("selection.verdict_safe")
    return Say("selection.verdict_flip", nearest(seen.flips))


def nearest(flips: pd.DataFrame) -> dict[str, str | float]:
    """Give the fields of the least change of one weight that puts another first."""
    row = flips.iloc[0]
    return {"wanted": str(row["wanted"]), "now": float(row["weight_of_all"]),
            "at": float(row["flips_at"]), "rival": str(row["rival"])}  # fmt: skip


def exhibits(seen: Seen) -> dict[str, Exhibit]:
    """Give page one as far as its numbers are known."""
    found = {"rank": _rank(seen), "cost": _cost(seen), "fit": _fit(seen), "flip": _flip(seen),
             "article": _article(seen)}  # fmt: skip
    return {key: exhibit for key, exhibit in found.items() if exhibit is not None}


def _rank(seen: Seen) -> Exhibit | None:
    if not seen.is_ranked and not seen.ranked["is_out"].all():
        return None
    shown, fields = seen.ranked.head(MOST), seen.of_first()
    code = "selection.title_rank_none"
    if seen.is_ranked:
        code = "selection.title_rank" if fields["second"] else "selection.title_rank_alone"
    from_file = {"n": len(seen.ranked), "n_needs": seen.count("n_needs"), "file": seen.file}
    note = "selection.note_rank_example" if seen.is_example else "selection.note_rank"
    return Exhibit(
        key="rank", title=Say(code, fields), note=Say(note, from_file),
        sub=Say("selection.sub_rank", fields) if seen.is_ranked else None,
        draw=lambda width: pictures.rank_figure(shown, width),
    )  # fmt: skip


def _cost(seen: Seen) -> Exhibit | None:
    if seen.costs["three_years"].isna().any():
        return None
    shown = seen.costs.sort_values("three_years", kind="stable").head(MOST)
    cheapest, dearest = shown.iloc[0], seen.costs.loc[seen.costs["three_years"].idxmax()]
    fields = {
        "crm": cheapest["crm"], "cost": float(cheapest["three_years"]),
        "entry": float(cheapest["entry"]), "other": dearest["crm"],
        "most": float(dearest["three_years"]),
        **seen.told("users", "sellers", "deals_a_year", "hour_pay"),
    }  # fmt: skip
    return Exhibit(
        key="cost", title=Say("selection.title_cost", fields),
        sub=Say("selection.sub_cost", fields), note=Say("selection.note_cost"),
        draw=lambda width: pictures.cost_figure(shown, width),
    )  # fmt: skip


def _fit(seen: Seen) -> Exhibit:
    shown = seen.fits.sort_values("fit", ascending=False, kind="stable").head(MOST)
    fields = {"crm": shown["crm"].iloc[0], "fit": float(shown["fit"].iloc[0]),
              **seen.told("n_stages", "users", "filled_fields", "entry_rate")}  # fmt: skip
    columns = {"crm": "own", "stages_met": "ratio", "exits_met": "ratio", "users_met": "ratio",
               "fields_met": "ratio", "fit": "ratio"}  # fmt: skip
    asked = {column: kind for column, kind in columns.items() if shown[column].notna().any()}
    table = TableView(frame=shown, columns=asked, caption=Say("selection.fit_caption"))
    return Exhibit(
        key="fit", title=Say("selection.title_fit", fields), table=table,
        sub=Say("selection.sub_fit", fields), note=Say("selection.note_fit"),
    )  # fmt: skip


def _flip(seen: Seen) -> Exhibit | None:
    if seen.flips.empty:
        return None
    shown = seen.flips.head(MOST)
    if shown["flips_at"].isna().all():
        title = Say("selection.title_flip_none", {"n": len(seen.flips)})
    else:
        fields = nearest(seen.flips)
        up = seen.flips["shift"].iloc[0] > 0
        title = Say("selection.title_flip_up" if up else "selection.title_flip_down", fields)
    return Exhibit(key="flip", title=title, note=Say("selection.note_flip"),
                   draw=lambda width: pictures.flip_figure(shown, width))  # fmt: skip


def _article(seen: Seen) -> Exhibit | None:
    if seen.article.empty:
        return None
    fields = {"n": len(seen.article), "low": float(seen.article["said_score"].min()),
              "high": float(seen.article["said_score"].max())}  # fmt: skip
    columns = {"crm": "own", "said_score": "decimal", "total": "decimal"}
    table = TableView(frame=seen.article, columns=columns, most=MOST,
                      caption=Say("selection.article_caption"))  # fmt: skip
    return Exhibit(key="article", title=Say("selection.title_article", fields), table=table,
                   note=Say("selection.note_article"))  # fmt: skip


def scores_table(seen: Seen) -> TableView:
    """Give every score with its weight and the points it brings, need by need."""
    columns = {"wanted": "own", "crm": "own", "weight_of_all": "ratio", "score": "decimal",
               "points": "decimal"}  # fmt: skip
    code = "selection.scores_caption_example" if seen.is_example else "selection.scores_caption"
    caption = Say(code, {"file": seen.file, "fingerprint": seen.fingerprint})
    return TableView(frame=seen.scores, columns=columns, most=200, caption=caption)


def costs_table(seen: Seen) -> TableView:
    """Give three years of cost by part, and what a filled field costs."""
    columns = {"crm": "own", "licence": "money", "once": "money", "entry": "money",
               "three_years": "money", "entry_minutes": "decimal", "useful_fields": "decimal",
               "per_field": "exact"}  # fmt: skip
    seldom = frozenset({"licence", "once", "useful_fields"})
    fields = seen.told("users", "sellers", "deals_a_year", "working_days", "hour_pay")
    return TableView(frame=seen.costs, columns=columns, most=60, optional=seldom,
                     caption=Say("selection.costs_caption", fields))  # fmt: skip


def lots_table(seen: Seen) -> TableView | Shown:
    """Give how often each is first where weights are drawn."""
    if not seen.is_ranked:
        return said("selection.lots_none")
    columns = {"crm": "own", "total": "decimal", "near_weights": "ratio", "any_weights": "ratio",
               "short_of": "own"}  # fmt: skip
    if seen.ranked["short_of"].isna().all():
        del columns["short_of"]
    caption = Say("selection.lots_caption", {"n": seen.count("n_draws")})
    return TableView(frame=seen.ranked, columns=columns, most=60, caption=caption)


def flips_table(seen: Seen) -> TableView | Shown:
    """Give the weight to write for another to be first, need by need."""
    if seen.flips.empty:
        return said("selection.flips_none")
    columns = {"wanted": "own", "weight": "decimal", "flips_at_weight": "decimal",
               "shift": "exact_points", "rival": "own"}  # fmt: skip
    return TableView(frame=seen.flips, columns=columns, most=60,
                     caption=Say("selection.flips_caption"))  # fmt: skip
