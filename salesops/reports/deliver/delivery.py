"""A delivery: what goes to its recipients, and what the operator is told of trouble."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from salesops.reports.cardfiles import CardFile
from salesops.reports.deliver.digest import digest_of, send_digest
from salesops.reports.deliver.letter import Letter
from salesops.reports.deliver.recipients import Audience
from salesops.reports.deliver.record import Report, Run, read_run
from salesops.reports.deliver.sending import Dispatch, Post, Sent
from salesops.reports.jobs import Job
from salesops.reports.moments import Moment
from salesops.reports.plan import CompanyPlan, Entry


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of a delivery.

    Attributes
    ----------
    sent
        To whom what went, and what was kept from whom.
    digest
        What the operator is told; null where nothing went wrong.
    told
        What became of telling it.
    """

    sent: Sent
    digest: Letter | None
    told: tuple[Dispatch, ...] = ()

    @property
    def dispatches(self) -> tuple[Dispatch, ...]:
        """Everything that went, or did not."""
        return (*self.sent.dispatches, *self.told)

    def n(self, *states: str) -> int:
        """Count the dispatches in these states."""
        return sum(one.state in states for one in self.dispatches)


def deliver(post: Post, names: Sequence[str] | None = (), *, dry_run: bool = False) -> Delivery:
    """Send a run to recipients, then tell the operator what went wrong.

    Parameters
    ----------
    post
        The run and its audience.
    names
        Recipients; none named: all but the operator; null: nobody but the operator.
    dry_run
        Settle what would go to whom; nothing is sent and nothing is written.
    """
    if names is None:
        sent = Sent(run=post.run, dispatches=(), refused=())
    else:
        sent = post.ready(names) if dry_run else post.send(names)
    told = () if dry_run else send_digest(sent, post)
    return Delivery(sent=sent, digest=digest_of(sent, post), told=told)


def post_of_entry(
    company: CompanyPlan, entry: Entry, moment: Moment, *, run: Path | None,
    cards: Sequence[CardFile],
) -> Post:  # fmt: skip
    """Make ready to send what an entry made at a scheduled time.

    Parameters
    ----------
    run
        Folder of its run; null where it makes the card alone.
    cards
        Its cards.
    """
    reports = tuple(_as_report(card, entry) for card in cards)
    if run is None:
        made = Run(folder=company.out / "cards", id="cards", occasion=f"{entry.name} {moment.text}",
                   plan=entry.name, reports=reports, scheduled=moment.text)  # fmt: skip
    else:
        record = read_run(run)
        made = replace(record, reports=(*reports, *record.reports))
    return Post.of(made, _known(company.audience), root=company.out)


def post_of_nothing(company: CompanyPlan, entry: Entry, when: str) -> Post:
    """Make ready to tell the operator of an entry that could not be begun at a time."""
    run = Run(folder=company.out / "unbegun", id="", occasion=f"{entry.name} {when}",
              plan=entry.name, reports=(), scheduled=when)  # fmt: skip
    company.out.mkdir(parents=True, exist_ok=True)
    return Post.of(run, _known(company.audience), root=company.out)


def _known(audience: Audience) -> Audience:
    """Give the whole path of the plan: what the operator is told holds from anywhere."""
    return replace(audience, where=str(Path(audience.where).absolute()))


def _as_report(card: CardFile, entry: Entry) -> Report:
    """Give a card the form of a report: all of it stands in the message itself."""
    head, day, month, *due = card.lines
    key = hashlib.blake2b("\n".join(card.lines).encode(), digest_size=12).hexdigest()
    # It is made for the whole group, and says nothing of single people.
    facts = {"title": head, "verdict": [day, month], "notes": due, "sensitivity": "team"}
    job = Job(report="card", scope=card.scope, lang=card.lang, parameters={})
    return Report(job=job, key=key, files={}, facts=facts, failure=None, to=entry.recipients)
