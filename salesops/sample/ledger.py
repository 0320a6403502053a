"""Cut the company at its last day: contracts, money, service and plans as tables."""

import numpy as np
import pyarrow as pa

from salesops.sample.aftersales import CATEGORIES, SEVERITIES
from salesops.sample.assemble import PRODUCT_LINES, hidden, person, until, words
from salesops.sample.company import Company
from salesops.sample.draws import NONE, Ints
from salesops.sample.log import History
from salesops.sample.money import CANCEL_REASONS, LINE_KINDS, OVERDUE_REASONS, TRIGGERS
from salesops.sample.tables import ids, table


def contracts(company: Company) -> dict[str, pa.Table]:
    """Lay out contracts, their lines, instalments, invoices and receipts."""
    rows, line, block = company["contracts"], company.timeline, company.block
    signed = rows.signed.to_numpy() <= line.end
    later = rows.renewed_by.to_numpy()
    renewal_signed = (later != NONE) & signed[np.maximum(later, 0)]
    cancelled = until(company, rows.cancelled)
    made = table(
        "contracts",
        {
            "id": ids("contracts", np.arange(len(rows)), block),
            "opportunity_id": ids("opportunities", rows.deal.to_numpy(), block),
            "account_id": ids("accounts", rows.account.to_numpy(), block),
            "owner_id": person(company, rows.last_owner.to_numpy()),
            "amount": rows.amount,
            "signed_on": rows.signed,
            "cancelled_on": cancelled,
            "starts_on": rows.starts,
            "ends_on": rows.ends,
            "delivered_on": until(company, rows.delivered),
            "accepted_on": until(company, rows.accepted),
            "renewed_by": ids("contracts", np.where(renewal_signed, later, NONE), block),
            "cancel_reason": words(
                CANCEL_REASONS, np.where(cancelled == NONE, NONE, rows.cancel_reason)
            ),
        },
    )
    lines, invoices, receipts = (company[n] for n in ("lines", "invoices", "receipts"))
    return {
        "contracts": made.filter(pa.array(signed)),
        "contract_lines": _of_contract(company, "contract_lines", lines.contract, {
            "kind": words(LINE_KINDS, lines.kind.to_numpy()), "amount": lines.amount,
            "months": lines.months,
        }),
        "invoices": _of_contract(company, "invoices", invoices.contract, {
            "issued_on": invoices.issued, "amount": invoices.amount,
        }, seen=invoices.issued.to_numpy() <= line.end),
        "receipts": _of_contract(company, "receipts", receipts.contract, {
            "instalment_id": ids("instalments", receipts.instalment.to_numpy(), block),
            "received_on": receipts.received, "amount": receipts.amount,
        }, seen=receipts.received.to_numpy() <= line.end),
    }  # fmt: skip


def _of_contract(
    company: Company,
    name: str,
    contract: "object",
    columns: dict[str, object],
    seen: "np.ndarray | None" = None,
) -> pa.Table:
    """Lay out rows that belong to contracts, without those of contracts not yet signed."""
    of = np.asarray(contract, np.int64)
    signed = company["contracts"].signed.to_numpy()[of] <= company.timeline.end
    n = len(of)
    whole = table(
        name,
        {
            "id": ids(name, np.arange(n), company.block),
            "contract_id": ids("contracts", of, company.block),
            **columns,
        },
    )
    return whole.filter(pa.array(signed if seen is None else signed & seen))


def instalments(company: Company, due: History) -> pa.Table:
    """Lay out what is to be paid when."""
    rows, line = company["instalments"], company.timeline
    n = len(rows)
    day = due.at_end(n, line.end_at)
    overdue = (day != NONE) & (day < line.end) & (rows.collected.to_numpy() > line.end)
    draws = company.draws("overdue reasons")
    named = overdue & draws.chance(0.6, n)
    reason = np.where(named, draws.whole(0, len(OVERDUE_REASONS) - 1, n), NONE)
    return _of_contract(company, "instalments", rows.contract, {
        "due_on": day, "original_due_on": rows.original_due,
        "trigger": words(TRIGGERS, rows.trigger.to_numpy()), "amount": rows.amount,
        "overdue_reason": words(OVERDUE_REASONS, reason),
    })  # fmt: skip


def offers(company: Company) -> dict[str, pa.Table]:
    """Lay out quotes and shared results."""
    rows, block, end = company["quotes"], company.block, company.timeline.end_at
    seen = rows.issued.to_numpy() <= end
    quotes = table(
        "quotes",
        {
            "id": ids("quotes", np.arange(len(rows)), block),
            "opportunity_id": ids("opportunities", rows.deal.to_numpy(), block),
            "amount": rows.amount,
            "discount": rows.discount.to_numpy(),
            "issued_at": rows.issued,
            "accepted_at": rows.accepted,
        },
    )
    shared = company["credits"]
    closed = company["deals"].closed.to_numpy()[shared.deal.to_numpy()] <= end
    credits_ = table(
        "credits",
        {
            "opportunity_id": ids("opportunities", shared.deal.to_numpy(), block),
            "user_id": person(company, shared.user.to_numpy()),
            "share": shared.share.to_numpy(),
        },
    )
    return {"quotes": quotes.filter(pa.array(seen)), "credits": credits_.filter(pa.array(closed))}


def tickets(company: Company) -> pa.Table:
    """Lay out the cases after the sale."""
    rows, end = company["tickets"], company.timeline.end_at
    closed = hidden(rows.closed, end)
    line_of = company["contracts"].groupby("account")["product"].first()
    product = line_of.reindex(rows.account).to_numpy()
    return table(
        "tickets",
        {
            "id": ids("tickets", np.arange(len(rows)), company.block),
            "account_id": ids("accounts", rows.account.to_numpy(), company.block),
            "opened_at": rows.opened,
            "first_response_at": hidden(rows.answered, end),
            "closed_at": closed,
            "product_line": words(PRODUCT_LINES, product),
            "category": words(CATEGORIES, rows.category.to_numpy()),
            "severity": words(SEVERITIES, rows.severity.to_numpy()),
            "csat": np.where(closed == NONE, NONE, rows.csat),
            "is_repeat": rows.is_repeat.to_numpy(),
        },
    )


def plans(company: Company) -> dict[str, pa.Table]:
    """Lay out targets, forecasts and the register."""
    rows, line = company["targets"], company.timeline
    rows = rows[(rows["set"] <= line.end).to_numpy()]
    key = np.array([_key(company, level, key) for level, key in
                    zip(rows.level, rows.key, strict=True)], dtype=object)  # fmt: skip
    targets = table(
        "targets",
        {
            "period": rows.period.to_numpy(),
            "level": rows.level.to_numpy(),
            "key": key,
            "metric": rows.metric.to_numpy(),
            "amount": _cents(rows.amount.to_numpy()),
            "set_at": np.asarray(rows["set"], np.int64) * 86_400 + 17 * 3600,
        },
    )
    said, acts = company["forecasts"], company["actions"]
    forecasts = table(
        "forecasts",
        {
            "id": ids("forecasts", np.arange(len(said)), company.block),
            "period": said.period.to_numpy(),
            "level": np.full(len(said), "team", dtype=object),
            "key": said.team.to_numpy(),
            "user_id": person(company, said.user.to_numpy()),
            "category": said.category.to_numpy(),
            "amount": said.amount.to_numpy(),
            "entered_at": said.entered,
        },
    )
    actions = table(
        "actions",
        {
            "id": ids("actions", np.arange(len(acts)), company.block),
            "kind": np.full(len(acts), "decision", dtype=object),
            "metric": acts.metric.to_numpy(),
            "scope": acts.scope.to_numpy(),
            "owner_id": person(company, acts.owner.to_numpy()),
            "created_at": acts.created,
            "due_on": acts.due,
            "status": np.full(len(acts), "done", dtype=object),
            "done_on": acts.done,
            "baseline": acts.baseline.to_numpy(float),
            "expected_effect": acts.expected_effect.to_numpy(float),
            "note": acts.note.to_numpy(),
        },
    )
    return {"targets": targets, "forecasts": forecasts, "actions": actions}


def _cents(amounts: Ints) -> Ints:
    return np.asarray(amounts, np.int64) * 100


def _key(company: Company, level: str, key: object) -> str | None:
    if level != "user":
        return str(key) or None
    return str(person(company, np.array([key]))[0].as_py())
