"""The canonical tables: what a company is, whatever CRM it comes from.

Ids are texts. Money is `decimal(18, 2)` in the company's currency unless `currency` says
otherwise. Instants are UTC without a zone; they are cut into days in the company's zone.
Only `opportunities` is mandatory; an analysis says what a missing table would have added.
"""

from functools import cache

import ibis

from salesops.model.schema import (
    Column,
    Day,
    Flag,
    Instant,
    Money,
    Number,
    Table,
    Text,
    Whole,
    column,
    columns_of,
    event,
    key,
    known,
    moving,
    user,
)


class Accounts(Table):
    """Customers and prospects: one row per company that is or may be sold to."""

    id: Text = key()
    name: Text = column("Company name as entered.")
    industry: Text = column("Industry.")
    segment: Text = column("Customer segment, such as small, mid or key account.")
    region: Text = column("Sales region of the customer.")
    owner_id: Text = user("Person who looks after the account now.", kind="moving")
    parent_account_id: Text = key("Head of the group.", refers="accounts", mandatory=False)
    tax_id: Text = column("Tax registration number (统一社会信用代码).")
    phone: Text = column("Switchboard.")
    email: Text = column("General address.")
    domain: Text = column("Web domain.")
    potential: Money = column("Estimated yearly demand.", unit="money")
    customer_since: Day = event("Day of the first signing ever.")
    created_at: Instant = known()


class Contacts(Table):
    """People at the customers: one row per person."""

    id: Text = key()
    account_id: Text = key("Their company.", refers="accounts", mandatory=False)
    opportunity_id: Text = key("Deal they take part in.", refers="opportunities", mandatory=False)
    name: Text = column("Name.")
    title: Text = column("Position.")
    decision_role: Text = column("Part in the decision: decider, user, buyer, technical, coach.")
    phone: Text = column("Phone.")
    email: Text = column("E-mail.")
    created_at: Instant = known()


class Users(Table):
    """Own people: one row per person who sells, leads, helps or works after the sale."""

    id: Text = key()
    name: Text = column("Name.")
    team: Text = column("Team as a path, such as 华东/一组.", kind="moving")
    region: Text = column("Sales region of the person.", kind="moving")
    role: Text = column(
        "One of rep, lead, manager, sdr, presales, cs, marketing, delivery, legal, finance, ops, "
        "pool (the public pool 公海)."
    )
    manager_id: Text = user("Their manager.", kind="moving")
    hired_on: Day = known("First working day.")
    left_on: Day = event("Last working day.")


class Leads(Table):
    """Enquiries before they are a deal: one row per lead."""

    id: Text = key()
    name: Text = column("Person who asked.")
    company: Text = column("Their company as entered.")
    phone: Text = column("Phone.")
    email: Text = column("E-mail.")
    source: Text = column("Where it came from.")
    campaign: Text = column("Campaign.")
    status: Text = moving("Status in the CRM's words.")
    owner_id: Text = user("Person who works on it.", kind="moving")
    account_id: Text = column(
        "Account made of it.", kind="outcome", refers="accounts", follows="converted_at"
    )
    opportunity_id: Text = column(
        "Deal made of it.", kind="outcome", refers="opportunities", follows="converted_at"
    )
    created_at: Instant = known()
    assigned_at: Instant = event("Given to a person.")
    accepted_at: Instant = event("Taken on by that person.")
    first_touched_at: Instant = event("First outbound human touch.")
    qualified_at: Instant = event("Found to be a valid lead.")
    converted_at: Instant = event("Turned into a deal.")
    disqualified_reason: Text = moving("Why it is not a valid lead.")


class Opportunities(Table):
    """Deals: one row per opportunity, open or ended."""

    id: Text = key()
    account_id: Text = key("Customer.", refers="accounts", mandatory=False)
    owner_id: Text = user("Person who owns it.", kind="moving")
    partner_id: Text = key("Partner who brought it.", refers="accounts", mandatory=False)
    name: Text = column("Title.")
    type: Text = column("new, expansion or renewal.")
    stage: Text = moving("Stage id of the settings.")
    amount: Money = moving("Expected, or once won signed, value.", unit="money")
    currency: Text = column("Currency of the amount; empty is the company's.")
    created_at: Instant = known("When the deal was entered.")
    expected_close_on: Day = moving("Day on which the owner expects it to be signed.")
    closed_at: Instant = event("When it was won, lost or made void.")
    is_won: Flag = column(
        "True won, false lost, null open or void.", kind="outcome", follows="closed_at"
    )
    lost_reason: Text = column("Why it was lost.", kind="outcome", follows="closed_at")
    competitor: Text = moving("Main competitor.")
    source: Text = column("Where it came from.")
    product_line: Text = column("Product line.")
    forecast_category: Text = moving("commit, best_case or pipeline.")
    next_step: Text = moving("Agreed next step.")
    next_step_due_on: Day = moving("Day on which the next step is due.")


class Changes(Table):
    """Field history: one row per change of one field of one row."""

    entity: Text = column("Canonical table that changed.", mandatory=True)
    entity_id: Text = key("Id of the row that changed.")
    field: Text = column("Column that changed; _row for birth and removal.", mandatory=True)
    old_value: Text = column("Value before, as canonical text (ISO dates, point decimal).")
    new_value: Text = column("Value after, as canonical text.")
    changed_at: Instant = column(
        "When it changed, or was first seen.", kind="known_at", mandatory=True
    )
    changed_after: Instant = column(
        "Null from a log; from snapshots the previous import: the change lies in between."
    )
    changed_by: Text = user("Person who changed it.")
    seq: Whole = column("Order of changes at the same instant.")


class Tracked(Table):
    """Which fields have a history: one row per table and field; no row means no history."""

    entity: Text = column("Canonical table.", mandatory=True)
    field: Text = column("Column.", mandatory=True)
    since: Instant = column("From when on its changes are known.")
    how: Text = column("log (each change) or snapshot (differences between imports).")


class Activities(Table):
    """Touches: one row per call, meeting, mail, chat, visit or demo."""

    id: Text = key()
    kind: Text = column("call, meeting, email, chat, visit, demo or other.")
    direction: Text = column("outbound, inbound or two_way.")
    opportunity_id: Text = key("Deal.", refers="opportunities", mandatory=False)
    account_id: Text = key("Customer.", refers="accounts", mandatory=False)
    lead_id: Text = key("Lead.", refers="leads", mandatory=False)
    contact_id: Text = key("Person at the customer.", refers="contacts", mandatory=False)
    user_id: Text = user("Person who did it.")
    occurred_at: Instant = column("When it happened.")
    logged_at: Instant = known("When it was entered.")
    minutes: Number = column("Length.", unit="minutes")
    outcome: Text = column("Result in the CRM's words.")


class Quotes(Table):
    """Offers: one row per quote."""

    id: Text = key()
    opportunity_id: Text = key("Deal.", refers="opportunities", mandatory=False)
    amount: Money = column("Offered value after discount.", unit="money")
    discount: Number = column("Share taken off the list price, 0–1.", unit="share")
    issued_at: Instant = known("When it was sent.")
    accepted_at: Instant = event("When it was accepted.")


class Contracts(Table):
    """Signed business: one row per contract."""

    id: Text = key()
    opportunity_id: Text = key("Deal.", refers="opportunities", mandatory=False)
    account_id: Text = key("Customer.", refers="accounts", mandatory=False)
    owner_id: Text = user("Owner when it was signed.")
    amount: Money = column("Signed value on the tax basis of the settings.", unit="money")
    signed_on: Day = known("Day of signing.")
    cancelled_on: Day = event("Day on which it was cancelled.")
    starts_on: Day = column("First day of the term.")
    ends_on: Day = column("Last day of the term.")
    delivered_on: Day = event("Day of delivery.")
    accepted_on: Day = event("Day on which the customer signed acceptance (验收).")
    renewed_by: Text = column("Contract that renews this one.", kind="outcome", refers="contracts")
    cancel_reason: Text = column("Why it was cancelled.", kind="outcome", follows="cancelled_on")


class ContractLines(Table):
    """What a contract is made of: one row per line."""

    id: Text = key()
    contract_id: Text = key("Contract.", refers="contracts")
    kind: Text = column("subscription, maintenance, licence, hardware or service.")
    amount: Money = column("Value of the line.", unit="money")
    months: Number = column("Term; null where it does not recur.", unit="months")


class Credits(Table):
    """Who a result is credited to (业绩分成): one row per deal or contract and person."""

    opportunity_id: Text = key("Deal.", refers="opportunities", mandatory=False)
    contract_id: Text = key("Contract.", refers="contracts", mandatory=False)
    user_id: Text = user("Person.")
    share: Number = column("Share, 0–1; the shares of one result sum to 1.", unit="share")


class Instalments(Table):
    """What is to be paid when: one row per agreed payment."""

    id: Text = key()
    contract_id: Text = key("Contract.", refers="contracts")
    due_on: Day = moving("Day on which it is due now; null while its trigger has not happened.")
    original_due_on: Day = column("Day on which it was due first.")
    trigger: Text = column("signing, delivery, acceptance, retention or date.")
    amount: Money = column("Value due.", unit="money")
    overdue_reason: Text = moving("Why it is late, as entered.")


class Receipts(Table):
    """Money that came in: one row per receipt; refunds are negative."""

    id: Text = key()
    contract_id: Text = key("Contract.", refers="contracts", mandatory=False)
    instalment_id: Text = key("Instalment.", refers="instalments", mandatory=False)
    received_on: Day = known("Day on the bank statement.")
    amount: Money = column("Value received.", unit="money")


class Invoices(Table):
    """Invoices: one row per invoice."""

    id: Text = key()
    contract_id: Text = key("Contract.", refers="contracts", mandatory=False)
    issued_on: Day = known("Day of issue.")
    amount: Money = column("Value invoiced.", unit="money")


class Tickets(Table):
    """After-sales cases: one row per ticket."""

    id: Text = key()
    account_id: Text = key("Customer.", refers="accounts", mandatory=False)
    opened_at: Instant = known("When it was opened.")
    first_response_at: Instant = event("First answer by a person.")
    closed_at: Instant = event("When it was solved.")
    product_line: Text = column("Product line.")
    category: Text = column("Category.")
    severity: Text = column("Severity in the company's words.")
    csat: Whole = column(
        "Satisfaction, 1–5; null without an answer.",
        unit="score",
        kind="outcome",
        follows="closed_at",
    )
    is_repeat: Flag = column("True where the same complaint came before.")


class Targets(Table):
    """Plan: one row per month, level, key and metric."""

    period: Text = column("Month, such as 2026-03.", mandatory=True)
    level: Text = column("company, region, team or user.", mandatory=True)
    key: Text = column("Region, team path or user id; empty for the company.")
    metric: Text = column("Metric id, such as bookings.", mandatory=True)
    amount: Money = column("Target in the metric's unit.", unit="money")
    set_at: Instant = known("When it was set.")


class Actions(Table):
    """The register of the review: one row per action, snag or decision."""

    id: Text = key()
    kind: Text = column("action, snag or decision.")
    finding_id: Text = column("Finding that it answers.")
    code: Text = column("Code of that finding, such as service.slow.")
    metric: Text = column("Id of the metric that should change, such as win_rate.")
    scope: Text = column("Scope in text form, such as team:华东/一组.")
    owner_id: Text = user("Person who does it.")
    created_at: Instant = known()
    due_on: Day = column("Day by which it is to be done.")
    status: Text = moving("open, done, late or dropped.")
    done_on: Day = event("Day on which it was done, or dropped.")
    baseline: Number = column("Value of the metric before.")
    expected_effect: Number = column("Change that was hoped for.")
    note: Text = column("Free text.")


class Forecasts(Table):
    """What people said would come: one row per statement."""

    id: Text = key()
    period: Text = column("Month or quarter, such as 2026Q2.")
    level: Text = column("company, region, team or user.")
    key: Text = column("Region, team path or user id; empty for the company.")
    user_id: Text = user("Person who said it.")
    category: Text = column("commit, best_case or pipeline.")
    amount: Money = column("Value that was said.", unit="money")
    entered_at: Instant = known("When it was said.")


class Fx(Table):
    """Exchange rates: one row per currency and day."""

    currency: Text = column("ISO code.", mandatory=True)
    on: Day = known("Day from which the rate holds.")
    rate: Number = column("Company currency for one unit.")


TABLES: dict[str, type[Table]] = {
    "accounts": Accounts, "contacts": Contacts, "users": Users, "leads": Leads,
    "opportunities": Opportunities, "changes": Changes, "tracked": Tracked,
    "activities": Activities, "quotes": Quotes, "contracts": Contracts,
    "contract_lines": ContractLines, "credits": Credits, "instalments": Instalments,
    "receipts": Receipts, "invoices": Invoices, "tickets": Tickets, "targets": Targets,
    "actions": Actions, "forecasts": Forecasts, "fx": Fx,
}  # fmt: skip

# The event that ends a row; before it, fields without a history are not known in the past.
FINISHED_AT: dict[str, str] = {
    "opportunities": "closed_at",
    "leads": "converted_at",
    "tickets": "closed_at",
    "actions": "done_on",
}


@cache
def facts(table: str) -> dict[str, Column]:
    """Look up what each column of a canonical table means.

    Examples
    --------
    >>> facts("opportunities")["amount"].unit
    'money'
    """
    return columns_of(TABLES[table])


@cache
def ibis_schema(table: str) -> ibis.Schema:
    """Give the Ibis schema of a canonical table.

    Examples
    --------
    >>> str(ibis_schema("receipts")["amount"])
    'decimal(18, 2)'
    """
    return ibis.schema({name: column.dtype for name, column in facts(table).items()})


@cache
def known_at(table: str) -> str | None:
    """Name the column from which on a row is known; None where it is known with its parent.

    Examples
    --------
    >>> known_at("activities"), known_at("instalments")
    ('logged_at', None)
    """
    names = [name for name, column in facts(table).items() if column.kind == "known_at"]
    return names[0] if names else None


def user_columns(table: str) -> tuple[str, ...]:
    """Name the columns of a table that hold a person's id.

    Examples
    --------
    >>> user_columns("accounts")
    ('owner_id',)
    """
    return tuple(name for name, column in facts(table).items() if column.refers == "users")
