"""Sending a run: who gets what is settled first, then it is sent, then the operator is told."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from salesops.model.errors import SalesopsError
from salesops.reports.deliver.addresses import (
    Address,
    address_of,
    is_mail_address,
    is_name,
    resolve,
)
from salesops.reports.deliver.allowed import Refusal, Share, share_of
from salesops.reports.deliver.chats import Payload, body_of
from salesops.reports.deliver.letter import Letter, letter_of
from salesops.reports.deliver.mail import Mail, mail_of
from salesops.reports.deliver.outbox import Entry, Outbox, State
from salesops.reports.deliver.outcome import NotSent, Passing, Unsure
from salesops.reports.deliver.post import Chat, chat_of, payloads_of, send_chat
from salesops.reports.deliver.recipients import Audience
from salesops.reports.deliver.record import Run
from salesops.reports.deliver.retry import patiently
from salesops.reports.deliver.smtp import Server, read_server, send_mail
from salesops.reports.masking import Masker

Pause = Callable[[float], None]
BROKEN_OFF = "it was broken off while it was sent"
MISSING = "missing"  # key of the note that a report could not be made


@dataclass(eq=False, kw_only=True)
class NoDelivery(SalesopsError, RuntimeError):
    """What sending needs is not installed."""

    package: str

    def __str__(self) -> str:
        return (
            f"Reports are sent by means of {self.package}, which is not installed.\n"
            "Expected: the extra `deliver`.\n"
            "Install it with: pip install 'salesops[deliver]'"
        )


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """What goes, or went, to one address.

    Attributes
    ----------
    name
        Recipient.
    address
        As the plan writes it.
    channel
        `mail`, `wecom`, `dingtalk`, `feishu`, `slack`, `teams` or `other`.
    letter
        What is said.
    mail, payloads
        The form that it takes there.
    size
        Bytes of it.
    entries
        Its lines in the outbox.
    state
        `ready`, `sent`, `before` where all was sent already, `failed` or `unsure`.
    told
        Why it failed, or what did not go with it.
    """

    name: str
    address: str
    channel: str = ""
    letter: Letter | None = None
    mail: Mail | None = None
    payloads: Sequence[Payload] = ()
    size: int = 0
    entries: Sequence[Entry] = ()
    state: str = "ready"
    told: str = ""
    server: Server | None = field(default=None, repr=False)
    chat: Chat | None = None
    to: str = field(default="", repr=False)
    sender: str = ""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of a sending: every dispatch, and what was kept from whom."""

    run: Run
    dispatches: tuple[Dispatch, ...]
    refused: tuple[Refusal, ...]

    def of(self, state: str) -> tuple[Dispatch, ...]:
        """Give the dispatches in a state."""
        return tuple(one for one in self.dispatches if one.state == state)


def check_installed() -> None:
    """Refuse to begin where a package is missing.

    Raises
    ------
    NoDelivery
        With its name.
    """
    for package in ("apprise", "requests", "tenacity"):
        if find_spec(package) is None:
            raise NoDelivery(package=package)


@dataclass(kw_only=True)
class Post:
    """Sends a run to its audience.

    Attributes
    ----------
    run, audience
        What, and to whom.
    outbox
        What was sent before.
    masker
        Keeps secrets out of all that is said.
    again
        Send also that of which it is not known whether it arrived.
    pause
        Waits for some seconds.
    """

    run: Run
    audience: Audience
    outbox: Outbox
    masker: Masker
    again: bool = False
    pause: Pause = time.sleep

    @classmethod
    def of(cls, run: Run, audience: Audience, *, root: Path | None = None,
           again: bool = False) -> "Post":  # fmt: skip
        """Make ready to send; addresses are looked up here, so that they can be masked."""
        named = [audience.delivery.server,
                 *(to for one in audience.recipients.values() for to in one.to)]  # fmt: skip
        values = []
        for name in named:
            with suppress(SalesopsError):
                values.append(resolve(name) if is_name(name) else "")
        masker = Masker.of_environment(resolved=[v for v in values if not is_mail_address(v)])
        # `latest` is a copy beside the runs.
        outbox = Outbox(root or run.folder.parent)
        return cls(run=run, audience=audience, outbox=outbox, masker=masker, again=again)

    def ready(self, names: Sequence[str] = ()) -> Sent:
        """Settle what would go to whom; nothing is sent and nothing is written."""
        shares = self._shares(names)
        dispatches = [self._ready(share, to) for share in shares for to in share.recipient.to]
        refused = tuple(refusal for share in shares for refusal in share.refused)
        kept = tuple(d for d in dispatches if d.entries or d.state == "failed")
        return Sent(run=self.run, dispatches=kept, refused=refused)

    def send(self, names: Sequence[str] = ()) -> Sent:
        """Send to every recipient what they may see and have not got yet."""
        ready = self.ready(names)
        sent = tuple(self.send_one(one) if one.state == "ready" else one
                     for one in ready.dispatches)  # fmt: skip
        return replace(ready, dispatches=sent)

    def _shares(self, names: Sequence[str]) -> list[Share]:
        chosen = self.audience.chosen(tuple(names))
        return [share_of(name, recipient, self.run.reports) for name, recipient in chosen.items()]

    def _ready(self, share: Share, to: str) -> Dispatch:
        named = {
            Entry(occasion=self.run.occasion, recipient=share.name, address=to,
                  report=report.stem, key=MISSING if report.failure else report.key): report
            for report in (*share.reports, *share.missing)
        }  # fmt: skip
        wanted = ("failed", "begun", "unsure") if self.again else ("failed",)
        states = {entry: self.outbox.state(entry) for entry in named}
        entries = [entry for entry, state in states.items() if state is None or state[0] in wanted]
        if not entries:
            unsure = any(state and state[0] in ("begun", "unsure") for state in states.values())
            return Dispatch(name=share.name, address=to, entries=tuple(named),
                            state="unsure" if unsure else "before",
                            told=BROKEN_OFF if unsure else "")  # fmt: skip
        left = [named[entry] for entry in entries]
        share = replace(share, reports=tuple(r for r in share.reports if r in left),
                        missing=tuple(r for r in share.missing if r in left))  # fmt: skip
        letter = letter_of(share, self.run, self.audience.delivery.base_url, self.masker)
        return self.formed(share.name, to, letter, entries)

    def formed(self, name: str, to: str, letter: Letter, entries: Sequence[Entry]) -> Dispatch:
        """Give a letter the form of the channel to which an address belongs."""
        dispatch = Dispatch(name=name, address=to, letter=letter, entries=tuple(entries))
        try:
            address = address_of(to)
            if address.kind == "mail":
                return self._as_mail(dispatch, address, letter)
            chat = chat_of(to, address.value)
            payloads = payloads_of(chat, letter)
        except SalesopsError as error:
            told = self.masker.mask_text(str(error))
            return replace(dispatch, state="failed", told=told.replace("\n", " "))
        size = sum(len(body_of(payload)) for payload in payloads)
        return replace(dispatch, channel=chat.service, chat=chat, payloads=payloads, size=size)

    def _as_mail(self, dispatch: Dispatch, address: Address, letter: Letter) -> Dispatch:
        delivery = self.audience.delivery
        server = read_server(delivery.server, resolve(delivery.server))
        sender = delivery.sender or _sender(server)
        mail = mail_of(
            letter, sender=sender, to=address.value,
            id_="|".join("|".join(entry.values) for entry in dispatch.entries),
            most=int(delivery.mail_limit_mb * 2**20),
        )  # fmt: skip
        return replace(dispatch, channel="mail", mail=mail, size=len(mail.data), server=server,
                       to=address.value, sender=sender)  # fmt: skip

    def send_one(self, dispatch: Dispatch) -> Dispatch:
        """Send to one address; the outbox knows before and after how it stands."""
        claimed = self.outbox.begin(list(dispatch.entries), again=self.again)
        if len(claimed) < len(dispatch.entries):
            # Another sending has begun with some of it: its letter is not this one.
            self.outbox.end(claimed, "failed", "left to another sending")
            return replace(dispatch, state="before", told="another sending has begun with it")
        state: State = "unsure"
        told = BROKEN_OFF

        def rest(seconds: float) -> None:
            nonlocal state
            # Nothing went out yet: broken off now, it can be sent another time.
            state = "failed"
            self.pause(seconds)
            state = "unsure"

        try:
            state, told = self._handed_over(dispatch, rest)
        finally:
            self.outbox.end(claimed, state, told)
        return replace(dispatch, state=state, told=told)

    def _handed_over(self, dispatch: Dispatch, rest: Pause) -> tuple[State, str]:
        acts: list[Callable[[], None]] = [partial(self._mail, dispatch)]
        if dispatch.chat is not None:
            acts = [partial(send_chat, dispatch.chat, payload) for payload in dispatch.payloads]
        for number, act in enumerate(acts):
            try:
                patiently(act, pause=rest)
            except NotSent as error:
                told = self.masker.mask_text(str(error))
                if isinstance(error, Passing):
                    told += " (tried several times)"
                # The text has arrived; that its picture did not is no reason to send it again.
                return ("sent" if number else "failed"), told
            except Unsure as error:
                return ("sent" if number else "unsure"), self.masker.mask_text(str(error))
        return "sent", ""

    def _mail(self, dispatch: Dispatch) -> None:
        assert dispatch.server is not None  # set with the mail
        assert dispatch.mail is not None
        sender = parseaddr(dispatch.sender)[1]
        send_mail(dispatch.server, sender=sender, to=dispatch.to, data=dispatch.mail.data)


def _sender(server: Server) -> str:
    """Who mails come from where the plan does not say: the user at the server."""
    return server.user if "@" in server.user else f"reports@{server.host}"
