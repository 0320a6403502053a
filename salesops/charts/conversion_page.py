"""The words of the conversion report's page: verdict and exhibits, made of its frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from salesops.charts import conversion as pictures
from salesops.charts.exhibit import Exhibit, Part, Say
from salesops.model.calendar import Period
from salesops.model.finding import Finding


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What the page is made of; the frames are those of the Result.

    Attributes
    ----------
    basis
        `leads`, or `deals` where there are none.
    horizon, longer
        Days within which one becomes a customer.
    recent
        Days of the leads whose answers are shown.
    norm
        Share of leads never contacted that is normal.
    period_of
        Turns a cohort's text into its period.
    behind
        By exhibit, what is folded under it.
    """

    basis: str
    side: str
    horizon: int
    longer: int
    recent: Period
    norm: float
    cohorts: pd.DataFrame
    totals: pd.DataFrame
    sources: pd.DataFrame
    curve: pd.DataFrame
    times: pd.DataFrame
    speed: pd.DataFrame
    waits: pd.DataFrame
    owners: pd.DataFrame
    reasons: pd.DataFrame
    reasons_of: str
    statuses: pd.DataFrame
    findings: Sequence[Finding]
    periods: Mapping[str, Period]
    behind: Mapping[str, Part] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Give the end of the codes whose words differ between leads and deals."""
        return "" if self.basis == "leads" else "_deals"

    def finding(self, code: str) -> Finding | None:
        """Give the first finding of a code."""
        return next((f for f in self.findings if f.code == f"conversion.{code}"), None)


def verdict(told: Told) -> tuple[Say, ...]:
    """Say in one sentence how many become customers, and what stands in the way."""
    return (_first_clause(told), *_second_clause(told))


def _first_clause(told: Told) -> Say:
    row = told.totals.iloc[0]
    kind = told.kind
    if row["n"] == 0:
        n = int(told.cohorts["n"].sum())
        return Say(f"conversion.verdict_young{kind}", {"n": n, "days": told.horizon})
    if row["rate"] != row["rate"]:
        return Say("conversion.verdict_unlinked", {"n": int(told.sources["n"].sum())})
    dealt = told.sources["n_opportunity"].sum()
    if row["n_signed"] == 0 and dealt > 0:
        n = int(told.sources["n"].sum())
        return Say("conversion.verdict_dealt", {"n": n, "n_opportunity": int(dealt)})
    if row["n_signed"] == 0:
        return Say(f"conversion.verdict_none{kind}", {"n": int(row["n"]), "days": told.horizon})
    fields = {"rate": row["rate"], "days": told.horizon, "n": int(row["n"])}
    if row["prior_rate"] != row["prior_rate"]:
        return Say(f"conversion.verdict_new{kind}", fields)
    return Say(f"conversion.verdict{kind}", {
        "rate": row["rate"], "days": told.horizon, "prior_rate": row["prior_rate"],
        "trust": row["trust"],
    })  # fmt: skip


def _second_clause(told: Told) -> tuple[Say, ...]:
    weak, untouched = told.finding("weak_source"), told.finding("never_touched")
    off = told.finding("days_off")
    if weak and untouched:
        fields = {c: weak.evidence[c] for c in ("source", "lead_share", "signed_share")}
        share = untouched.evidence["untouched_share"]
        return (Say("conversion.verdict_weak_untouched", {**fields, "untouched_share": share}),)
    if weak:
        fields = {c: weak.evidence[c] for c in ("source", "lead_share", "signed_share")}
        return (Say("conversion.verdict_weak", fields),)
    if untouched:
        fields = {c: untouched.evidence[c] for c in ("n_untouched", "untouched_share", "norm")}
        return (Say("conversion.verdict_untouched", fields),)
    if off:
        fields = {c: off.evidence[c] for c in ("off_hours", "work_hours")}
        return (Say("conversion.verdict_off", fields),)
    if len(told.owners):
        n, k = int(told.owners["n"].sum()), int(told.owners["n_untouched"].sum())
        return (Say("conversion.verdict_touched", {"n": n, "n_untouched": k}),) if n else ()
    named = told.sources[told.sources["source"] != "unnamed"]
    return (_most(told, named.loc[named["n"].idxmax()], "verdict"),) if len(named) else ()


def _most(told: Told, row: pd.Series, where: str = "title") -> Say:
    """Say from where most come."""
    fields = {"source": row["source"], "n": int(row["n"]), "share": row["lead_share"]}
    return Say(f"conversion.{where}_most{told.kind}", fields)


def exhibits(told: Told) -> dict[str, Exhibit]:
    """Give the exhibits of page one, as far as their numbers exist."""
    made = (_cohorts(told), _sources(told), _response(told), _untouched(told), _reasons(told))
    return {exhibit.key: exhibit for exhibit in made if exhibit is not None}


def _cohorts(told: Told) -> Exhibit | None:
    frame = told.cohorts
    if frame.empty or (frame["is_mature"] & frame["rate"].isna()).all():
        return None
    known = frame[frame["rate"].notna()]
    row = told.totals.iloc[0]
    days = {"days": told.horizon}
    if known.empty:
        title = Say(f"conversion.title_young{told.kind}", {"n": int(frame["n"].sum()), **days})
    else:
        last = known.iloc[-1]
        fields = {"cohort": told.periods[last["cohort"]], "rate": last["rate"], **days}
        has_prior = last["prior_rate"] == last["prior_rate"]
        code = f"conversion.title_cohorts{'' if has_prior else '_new'}{told.kind}"
        more = {"prior_rate": last["prior_rate"]} if has_prior else {"n": int(last["n"])}
        title = Say(code, fields | more)
    now = {"n": int(row["n"]), "n_signed": row["n_signed"], **days}
    before = {"prior_n": int(row["prior_n"]), "prior_signed": row["prior_signed"]}
    if row["n"] == 0:
        sub = Say("conversion.sub_cohorts_none", days)
    elif row["prior_n"]:
        sub = Say(f"conversion.sub_cohorts{told.kind}", now | before)
    else:
        sub = Say(f"conversion.sub_cohorts_new{told.kind}", now)
    return Exhibit(
        key="cohorts", title=title, sub=sub, span=2, behind=told.behind.get("cohorts"),
        note=Say(f"conversion.note_cohorts{told.kind}", {**days, "longer": told.longer}),
        draw=lambda width: pictures.cohorts_figure(
            frame, width, horizon=told.horizon, longer=told.longer, deals=told.basis == "deals"
        ),
    )  # fmt: skip


def _sources(told: Told) -> Exhibit | None:
    frame = told.sources
    if frame.empty or not frame["n"].sum():
        return None
    weak = told.finding("weak_source")
    worst = weak.subject if weak else ""
    named = frame[frame["source"] != "unnamed"]
    paid = named[(named["n_accounts"] >= 30) & (named["n_signed"] > 0)]
    if weak:
        fields = {c: weak.evidence[c] for c in ("source", "lead_share", "signed_share")}
        title = Say("conversion.title_weak", fields)
    elif len(paid):
        best = paid.loc[paid["rate"].idxmax()]
        fields = {"source": best["source"], "rate": best["rate"]}
        title = Say(f"conversion.title_best{told.kind}", fields)
    elif len(named):
        title = _most(told, named.loc[named["n"].idxmax()])
    else:
        title = Say(f"conversion.title_unnamed{told.kind}", {"n": int(frame["n"].sum())})
    signed = frame["n_signed"].sum()
    amount = frame["amount"].sum(min_count=1)
    counts = {"n": int(frame["n"].sum())}
    if signed == signed and signed > 0:
        more = {"n_signed": int(signed), "amount": amount}
        sub = Say(f"conversion.sub_sources{told.kind}", counts | more)
    else:
        sub = Say(f"conversion.sub_sources_none{told.kind}", counts)
    return Exhibit(
        key="sources", title=title, sub=sub, behind=told.behind.get("sources"),
        note=Say(f"conversion.note_sources{told.kind}", {"days": told.horizon}),
        draw=lambda width: pictures.sources_figure(
            frame, width, worst=worst, deals=told.basis == "deals"
        ),
    )  # fmt: skip


def _response(told: Told) -> Exhibit | None:
    if told.curve.empty:
        return _statuses(told)
    waits = told.waits.set_index("group")
    off, work = waits.loc["off"], waits.loc["work"]
    day = told.curve.set_index("hours").loc[24.0]
    both = off["median_hours"] == off["median_hours"] and work["median_hours"] > 0
    if told.finding("days_off") and both:
        title = Say("conversion.title_off", {"off_hours": off["median_hours"],
                                             "work_hours": work["median_hours"]})  # fmt: skip
    elif day["prior_share"] == day["prior_share"]:
        title = Say("conversion.title_day", {"share": day["answered_share"],
                                             "prior_share": day["prior_share"]})  # fmt: skip
    else:
        title = Say("conversion.title_day_new", {"share": day["answered_share"]})
    speed = told.speed.iloc[0]
    if speed["difference"] == speed["difference"]:
        sure = speed["low"] > 0 or speed["high"] < 0
        code = "conversion.sub_speed" if sure else "conversion.sub_speed_unsure"
        fields = {c: speed[c] for c in ("fast_rate", "slow_rate", "low", "high")}
        sub = Say(code, fields)
    else:
        sub = Say("conversion.sub_speed_none")
    return Exhibit(
        key="response", title=title, sub=sub, behind=told.behind.get("response"),
        note=Say("conversion.note_response", {"n": int(waits.loc["all", "n"]),
                                              "n_settled": int(told.times["n"].sum())}),
        draw=lambda width: pictures.response_figure(told.curve, told.times, width),
    )  # fmt: skip


def _statuses(told: Told) -> Exhibit | None:
    """Where no answers are recorded: how the leads stand."""
    named = told.statuses[told.statuses["status"] != "unnamed"]
    if named.empty:
        return None
    counts = named.groupby("status")["n"].sum().sort_values(ascending=False)
    total = int(told.statuses["n"].sum())
    top = {"status": str(counts.index[0]), "status_n": int(counts.iloc[0])}
    return Exhibit(
        key="response", title=Say("conversion.title_statuses", {"n": total, **top}),
        sub=Say("conversion.sub_statuses", {"days": told.recent.days}),
        note=Say("conversion.note_statuses"),
        draw=lambda width: pictures.statuses_figure(told.statuses, width),
    )  # fmt: skip


def _untouched(told: Told) -> Exhibit | None:
    if told.owners.empty:
        return _load(told)
    frame = told.owners
    n, k = int(frame["n"].sum()), int(frame["n_untouched"].sum())
    over = told.finding("never_touched")
    shown, rest = pictures.owners_shown(frame)
    return Exhibit(
        key="untouched", behind=told.behind.get("untouched"),
        title=Say("conversion.title_untouched" if over else "conversion.title_touched",
                  {"n_untouched": k, "untouched_share": k / n, "norm": told.norm}),
        sub=Say("conversion.sub_untouched", {"n": n, "days": told.recent.days}),
        note=Say("conversion.note_owners", {
            "n": len(rest), "k": int(rest["n_untouched"].sum()), "leads": int(rest["n"].sum()),
        }) if len(rest) else Say("conversion.note_owners_all"),
        draw=lambda width: pictures.owners_figure(shown, width, norm=told.norm),
    )  # fmt: skip


def _load(told: Told) -> Exhibit | None:
    """Where no answers are recorded: whose leads they are, and how most of them stand."""
    named = told.statuses[told.statuses["owner_id"] != "nobody"]
    if named.empty:
        return None
    by_owner = named.groupby("owner")["n"].sum().sort_values(ascending=False)
    fields = {"owner": str(by_owner.index[0]), "n": int(by_owner.iloc[0]),
              "total": int(told.statuses["n"].sum())}  # fmt: skip
    return Exhibit(
        key="untouched", title=Say("conversion.title_load", fields),
        sub=Say("conversion.sub_load", {"days": told.recent.days}),
        note=Say("conversion.note_load"),
        draw=lambda width: pictures.load_figure(told.statuses, width),
    )  # fmt: skip


def _reasons(told: Told) -> Exhibit | None:
    frame = told.reasons
    if frame.empty:
        return None
    top, n = frame.iloc[0], int(frame["n"].sum())
    kind = "" if told.reasons_of == "leads" else "_deals"
    fields = {"n": n, "days": told.recent.days, "prior_n": int(frame["prior_n"].sum())}
    return Exhibit(
        key="reasons", sub=Say(f"conversion.sub_reasons{kind}", fields),
        title=Say(f"conversion.title_reasons{kind}",
                  {"reason": top["reason"], "share": top["share"], "n": n}),
        note=Say("conversion.note_reasons", {"days": told.recent.days}),
        draw=lambda width: pictures.reasons_figure(frame, width, deals=bool(kind)),
    )  # fmt: skip
