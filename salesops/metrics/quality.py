"""What records can't be right: rules by table and field, counted whole, by team and by month."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

import ibis
import pandas as pd
from ibis import _

from salesops.book.book import Book
from salesops.metrics.deals import one
from salesops.metrics.metric import Table
from salesops.metrics.opendeals import has_touches
from salesops.metrics.records import LOGGED, entries_due, logged
from salesops.metrics.workdays import local_day
from salesops.model.calendar import Period

Dimension: TypeAlias = Literal[
    "completeness", "validity", "uniqueness", "timeliness", "consistency"
]
DIMENSIONS: tuple[Dimension, ...] = (
    "completeness", "validity", "uniqueness", "timeliness", "consistency",
)  # fmt: skip
# Contract and deal, or instalments and contract, may differ by so much: rounding and small change.
CLOSE = 0.01
MONTHS = 12
_PHONE, _MAIL, _TAX = (
    r"^[0-9+()\-\s转xX.]{7,25}$",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "^[0-9A-Za-z]{8,20}$",
)
Condition: TypeAlias = Callable[[Table, Book], ibis.Value]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must not be in a record.

    Attributes
    ----------
    id
        Its words are `rule.<id>`.
    dimension
        Which kind of quality it is of.
    table, field
        Where it looks.
    needs
        Columns without which it can't, as `table.column`.
    of
        Which rows it speaks of.
    wrong
        Which of them are wrong; null is not wrong.
    """

    id: str
    dimension: Dimension
    table: str
    field: str
    needs: tuple[str, ...]
    of: Condition
    wrong: Condition


def _open(rows: Table, _book: Book) -> ibis.Value:
    return rows.outcome == "open"


def _filled(column: str) -> Condition:
    return lambda rows, _book: (rows[column].strip() != "").fill_null(False)


def _unlike(column: str, pattern: str) -> Condition:
    return lambda rows, _book: ~rows[column].strip().re_search(pattern)


def _apart(one_: ibis.Value, other: ibis.Value) -> ibis.Value:
    gap = (one_ - other).abs().cast("float64")
    return gap > CLOSE * ibis.greatest(one_.abs().cast("float64"), 1.0)


RULES: tuple[Rule, ...] = (
    Rule(id="no_value", dimension="validity", table="opportunities", field="amount",
         needs=("opportunities.amount",), of=lambda t, _b: t.amount.notnull(),
         wrong=lambda t, _b: t.amount <= 0),
    Rule(id="ends_first", dimension="validity", table="opportunities", field="closed_at",
         needs=("opportunities.closed_at", "opportunities.created_at"),
         of=lambda t, _b: t.closed_at.notnull() & t.created_at.notnull(),
         wrong=lambda t, _b: t.closed_at < t.created_at),
    Rule(id="bad_tax_id", dimension="validity", table="accounts", field="tax_id",
         needs=("accounts.tax_id",), of=_filled("tax_id"), wrong=_unlike("tax_id", _TAX)),
    Rule(id="bad_phone", dimension="validity", table="accounts", field="phone",
         needs=("accounts.phone",), of=_filled("phone"), wrong=_unlike("phone", _PHONE)),
    Rule(id="bad_contact_phone", dimension="validity", table="contacts", field="phone",
         needs=("contacts.phone",), of=_filled("phone"), wrong=_unlike("phone", _PHONE)),
    Rule(id="bad_mail", dimension="validity", table="contacts", field="email",
         needs=("contacts.email",), of=_filled("email"), wrong=_unlike("email", _MAIL)),
    Rule(id="bad_lead_phone", dimension="validity", table="leads", field="phone",
         needs=("leads.phone",), of=_filled("phone"), wrong=_unlike("phone", _PHONE)),
    Rule(id="date_over", dimension="timeliness", table="opportunities", field="expected_close_on",
         needs=("opportunities.expected_close_on",),
         of=lambda t, b: _open(t, b) & t.expected_close_on.notnull(),
         wrong=lambda t, b: t.expected_close_on < b.date),
    Rule(id="step_over", dimension="timeliness", table="opportunities", field="next_step_due_on",
         needs=("opportunities.next_step_due_on",),
         of=lambda t, b: _open(t, b) & t.next_step_due_on.notnull(),
         wrong=lambda t, b: t.next_step_due_on < b.date),
    Rule(id="undated_end", dimension="consistency", table="opportunities", field="closed_at",
         needs=("opportunities.closed_at",), of=lambda t, _b: t.outcome.isin(["won", "lost"]),
         wrong=lambda t, _b: t.closed_at.isnull()),
    Rule(id="stage_against_won", dimension="consistency", table="opportunities", field="is_won",
         needs=("opportunities.is_won",), of=lambda t, _b: t.entered_won_.notnull(),
         wrong=lambda t, _b: ((t.kind_ == "won") & ~t.entered_won_)
         | ((t.kind_ != "won") & t.entered_won_)),
    Rule(id="unknown_account", dimension="consistency", table="opportunities", field="account_id",
         needs=("opportunities.account_id", "accounts.name"),
         of=lambda t, _b: t.account_id.notnull(), wrong=lambda t, _b: t.known_.isnull()),
    Rule(id="other_amount", dimension="consistency", table="contracts", field="amount",
         needs=("contracts.amount", "contracts.opportunity_id", "opportunities.amount"),
         of=lambda t, _b: t.amount.notnull() & t.deal_amount_.notnull(),
         wrong=lambda t, _b: _apart(t.amount, t.deal_amount_)),
    Rule(id="other_sum", dimension="consistency", table="contracts", field="instalments",
         needs=("contracts.amount", "instalments.amount"),
         of=lambda t, _b: t.amount.notnull() & t.agreed_.notnull() & t.cancelled_on.isnull(),
         wrong=lambda t, _b: _apart(t.amount, t.agreed_)),
)  # fmt: skip


def _rows(book: Book, table: str) -> Table:
    """Give a table with whose it is, its month, and what its rules compare."""
    if table == "opportunities":
        return _deals(book)
    if table == "contracts":
        return _contracts(book)
    rows = book.table(table)
    if "owner_id" not in rows.columns:
        owners = book.accounts.select(of_="id", owner_id="owner_id")
        rows = rows.left_join(owners, rows.account_id == owners.of_).drop("of_")
    people = book.table("users").select(person_="id", team="team")
    rows = rows.left_join(people, rows.owner_id == people.person_).drop("person_")
    return rows.mutate(month=local_day(book, rows.created_at).truncate("M"))


def _deals(book: Book) -> Table:
    rows = book.without_renewals().attributed("opportunities")
    # A book's `is_won` follows the stage; what was entered beside it is known of today alone.
    entered = book.store.tables["opportunities"].select("is_won", "stage", entered_="id")
    if book.instant < book.store.latest:
        entered = entered.filter(ibis.literal(False))
    kinds = [(entered.stage == s.id, s.kind) for s in book.settings.stages]
    kind = ibis.cases(*kinds, else_=ibis.null("string"))
    entered = entered.select("entered_", kind_=kind, entered_won_="is_won")
    rows = rows.left_join(entered, rows.id == entered.entered_)
    known = book.unscoped("accounts").select(known_="id")
    rows = rows.left_join(known, rows.account_id == known.known_)
    return rows.mutate(team=rows.event_team, month=local_day(book, rows.created_at).truncate("M"))


def _contracts(book: Book) -> Table:
    rows = book.attributed("contracts")
    deals = book.unscoped("opportunities").select(deal_="id", deal_amount_="amount")
    rows = rows.left_join(deals, rows.opportunity_id == deals.deal_).drop("deal_")
    parts = book.unscoped("instalments").group_by(of_="contract_id").agg(agreed_=_.amount.sum())
    rows = rows.left_join(parts, rows.id == parts.of_).drop("of_")
    return rows.mutate(team=rows.event_team, month=rows.signed_on.truncate("M"))


def lacking(rule: Rule, book: Book) -> str | None:
    """Name the column without which a rule can't look; nothing where it can."""
    return next((need for need in rule.needs if not book.has(need)), None)


def broken_rules(book: Book, by: str = "") -> pd.DataFrame:
    """How many records break each rule?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    by
        `team` (of the owner), `month` (of creation or signing), or nothing.

    Returns
    -------
    pandas.DataFrame
        One row per rule that can be looked at, and group: `rule`, `dimension`, `table`, `field`,
        `group` (null without one), `n` (rows that it speaks of), `n_wrong`.
    """
    parts = []
    for table in dict.fromkeys(rule.table for rule in RULES):
        rules = [r for r in RULES if r.table == table and lacking(r, book) is None]
        if not rules or not book.has(table):
            continue
        rows = _rows(book, table)
        sums = {}
        for rule in rules:
            spoken = rule.of(rows, book).fill_null(False)
            sums[f"n:{rule.id}"] = one(spoken).sum()
            wrong = spoken & rule.wrong(rows, book).fill_null(False)
            sums[f"wrong:{rule.id}"] = one(wrong).sum()
        if by:
            found = rows.group_by(group=rows[by]).agg(**sums).order_by("group")
        else:
            found = rows.agg(**sums)
        parts += _laid_down(found.to_pandas(), rules)
    columns = ["rule", "dimension", "table", "field", "group", "n", "n_wrong"]
    return pd.DataFrame(parts, columns=columns).astype({"n": "int64", "n_wrong": "int64"})


def _laid_down(frame: pd.DataFrame, rules: list[Rule]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for record in frame.to_dict("records"):
        for rule in rules:
            n, wrong = (record[f"{side}:{rule.id}"] for side in ("n", "wrong"))
            counts = (0 if pd.isna(n) else int(n), 0 if pd.isna(wrong) else int(wrong))
            rows.append((rule.id, rule.dimension, rule.table, rule.field, record.get("group"),
                         *counts))  # fmt: skip
    return rows


def entries(book: Book, period: Period, by: str = "") -> pd.DataFrame:
    """How much of what has to be entered is: fields of deals, and touches logged in time?

    Returns
    -------
    pandas.DataFrame
        One row for fields and one for touches, and by `team` where asked: `rule` (`entered` or
        `logged`), `dimension`, `table`, `field`, `group`, `n`, `n_wrong`.
    """
    rows = entries_due(book, period)
    of_touch = rows.what == LOGGED
    rows = rows.mutate(rule=ibis.ifelse(of_touch, "logged", "entered"))
    keys = ["rule", *([by] if by else [])]
    counts = rows.group_by(keys).agg(n=_.count(), n_wrong=one(~rows.is_entered).sum())
    frame = counts.order_by(keys).to_pandas().rename(columns={by: "group"} if by else {})
    is_touch = frame["rule"] == "logged"
    frame["dimension"] = is_touch.map({True: "timeliness", False: "completeness"})
    frame["table"] = is_touch.map({True: "activities", False: "opportunities"})
    frame["field"] = is_touch.map({True: "logged_at", False: "required"})
    if not by:
        frame["group"] = None
    return frame[["rule", "dimension", "table", "field", "group", "n", "n_wrong"]]


def to_mend(book: Book, required: tuple[str, ...], twice: Collection[str] = ()) -> pd.DataFrame:
    """Which open deals have most wrong, by value?

    Parameters
    ----------
    book
        The company, at its date and in its scope.
    required
        Columns that an open deal must have.
    twice
        Customers that are entered twice.

    Returns
    -------
    pandas.DataFrame
        One row per open deal with something wrong, most value times faults first: `id`, `name`,
        `owner_id`, `team`, `amount` (its own currency), `faults` (names of rules,
        `missing_<column>`, and `twice` for its customer), `n_faults`.
    """
    rows = _deals(book)
    rules = [r for r in RULES if r.table == "opportunities" and lacking(r, book) is None]
    rows = rows.filter(rows.outcome == "open")
    flags = {f"wrong:{r.id}": (r.of(rows, book) & r.wrong(rows, book)).fill_null(False)
             for r in rules}  # fmt: skip
    for column in required:
        value = rows[column]
        empty = value.isnull()
        if value.type().is_string():
            empty = empty | (value.strip() == "").fill_null(False)
        flags[f"wrong:missing_{column}"] = empty
    flags["wrong:twice"] = rows.account_id.isin(list(twice)).fill_null(False)
    frame = rows.select("id", "name", "team", "amount", owner_id=rows.event_owner_id,
                        **flags).to_pandas()  # fmt: skip
    names = [c for c in frame.columns if c.startswith("wrong:")]
    faults = [tuple(c.removeprefix("wrong:") for c, v in zip(names, row, strict=True) if v)
              for row in frame[names].itertuples(index=False, name=None)]  # fmt: skip
    frame = frame.drop(columns=names).assign(faults=faults, n_faults=[len(f) for f in faults])
    frame = frame[frame["n_faults"] > 0]
    frame["amount"] = frame["amount"].astype("float64")
    order = frame["amount"].fillna(0.0) * frame["n_faults"]
    frame = frame.assign(order_=order).sort_values(["order_", "n_faults", "id"],
                                                   ascending=[False, False, True])  # fmt: skip
    return frame.drop(columns="order_").reset_index(drop=True)


def late_logs(book: Book, period: Period) -> pd.DataFrame:
    """Count by team how many touches of a period were logged in time: `team`, `n`, `in_time`."""
    if has_touches(book) is not None or not book.has("activities.logged_at"):
        return pd.DataFrame({"team": [], "n": [], "in_time": []})
    rows = logged(book, period)
    counts = rows.group_by("team").agg(n=_.count(), in_time=one(_.is_in_time).sum())
    return counts.order_by("team").to_pandas()
