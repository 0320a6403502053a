"""What an entry of a plan made goes out, or is told why it does not; the run stays as it is."""

import shlex
import socket
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from salesops.cli.progress import tell_line
from salesops.model.errors import SalesopsError
from salesops.reports.cardfiles import CardFile
from salesops.reports.events import Delivered
from salesops.reports.moments import Moment
from salesops.reports.plan import CompanyPlan, Entry

if TYPE_CHECKING:
    from salesops.cli.planrunning import Way
    from salesops.reports.deliver.delivery import Delivery
    from salesops.reports.deliver.sending import Dispatch


def send_entry(
    company: CompanyPlan, entry: Entry, moment: Moment, *, run: Path | None,
    cards: Sequence[CardFile], way: "Way",
) -> tuple[int, int]:  # fmt: skip
    """Send what an entry made to the recipients that it names, and trouble to the operator.

    Parameters
    ----------
    run
        Folder of its run; null where it makes the card alone.
    cards
        Its cards.
    way
        How it is told, and whether anything is sent.

    Returns
    -------
    tuple
        How many messages did not go out, and how many may not have arrived.
    """
    if not (entry.recipients or company.plan.delivery.operator):
        return 0, 0
    try:
        return _sent(company, entry, moment, run=run, cards=cards, way=way)
    except (SalesopsError, OSError, sqlite3.Error) as error:
        way.err.print(f"The reports are made. Nothing was sent: {error}", markup=False,
                      soft_wrap=True)  # fmt: skip
        return max(1, len(entry.recipients)), 0


def tell_unbegun(
    company: CompanyPlan, entry: Entry, when: str, error: Exception, way: "Way"
) -> None:
    """Tell the operator that an entry could not be begun: who waits for it reads no terminal.

    Parameters
    ----------
    when
        The time for which it is.
    error
        What stood against it.
    """
    if way.no_send or not company.plan.delivery.operator:
        return
    try:
        told = _unbegun(company, entry, when, error)
    except (SalesopsError, OSError, sqlite3.Error) as unsent:
        way.err.print(f"The operator was not told: {unsent}", markup=False, soft_wrap=True)
        return
    for one in told:
        if one.state != "before":
            way.err.print(f"The operator was told: {one.name} ({one.address}) {one.state} "
                          f"{one.told}".rstrip(), markup=False, soft_wrap=True)  # fmt: skip


def _unbegun(
    company: CompanyPlan, entry: Entry, when: str, error: Exception
) -> "tuple[Dispatch, ...]":
    from salesops.reports.deliver.delivery import post_of_nothing
    from salesops.reports.deliver.digest import send_unbegun
    from salesops.reports.deliver.sending import check_installed

    check_installed()
    reason = str(error) if isinstance(error, SalesopsError) else f"{type(error).__name__}: {error}"
    return send_unbegun(post_of_nothing(company, entry, when), reason,
                        where=f"{socket.gethostname()} · {company.path}")  # fmt: skip


def _sent(
    company: CompanyPlan, entry: Entry, moment: Moment, *, run: Path | None,
    cards: Sequence[CardFile], way: "Way",
) -> tuple[int, int]:  # fmt: skip
    # They load what a run without recipients never needs.
    from salesops.cli.sending import delivery_lines
    from salesops.reports.deliver.delivery import deliver, post_of_entry
    from salesops.reports.deliver.sending import check_installed

    check_installed()
    post = post_of_entry(company, entry, moment, run=run, cards=cards)
    # No name would mean everybody.
    names = entry.recipients or None
    delivery = deliver(post, names, dry_run=way.no_send)
    if way.as_json:
        _tell(delivery, entry, way)
    else:
        for line in delivery_lines(delivery, post):
            way.say(line)
    if way.no_send:
        return 0, 0
    unsent, unsure = delivery.n("failed"), delivery.n("unsure")
    if unsent:
        words = ["--plan", str(company.path), "--name", entry.name, "--at", moment.text]
        command = shlex.join(["salesops", "run", *words])
        way.err.print(f"Not all went out. To send the rest: {command}", markup=False,
                      soft_wrap=True)  # fmt: skip
    return unsent, unsure


def _tell(delivery: "Delivery", entry: Entry, way: "Way") -> None:
    for one in delivery.dispatches:
        event = Delivered(
            plan=entry.name, run=delivery.sent.run.id, recipient=one.name, address=one.address,
            channel=one.channel, state=one.state, told=one.told,
            reports=tuple(sent.report for sent in one.entries),
        )  # fmt: skip
        tell_line(way.out, event)
