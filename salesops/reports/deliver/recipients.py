"""Who gets reports: the tables `[recipients.<name>]` and `[delivery]` of reports.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from salesops.model.errors import BadScope, SalesopsError, nearest
from salesops.model.sensitivity import Sensitivity
from salesops.reports.deliver.addresses import is_mail_address, is_name
from salesops.wording.language import Language

PLAN = "reports.toml"
_MAIL_LIMIT_MB = 10


@dataclass(eq=False, kw_only=True)
class BadRecipients(SalesopsError, ValueError):
    """The tables of recipients can't be read."""

    where: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        listed = "\n".join(f"  {fault}" for fault in self.faults[:10])
        return (
            f"{where_(self.where)} has {len(self.faults)} faults in its recipients:\n{listed}\n"
            "Expected, for each: to, and if need be scope, lang, max_sensitivity, format, "
            "reports.\n"
            'Write for example:\n[recipients.board]\nto = ["li@example.com", "env:WECOM_BOARD"]\n'
            'scope = "company"\nlang = "zh"'
        )  # fmt: skip


@dataclass(eq=False, kw_only=True)
class UnknownRecipient(SalesopsError, LookupError):
    """A recipient is named that the plan does not have."""

    value: str
    where: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"There is no recipient {self.value!r} ({self.where}).\n"
            f"Known recipients: {', '.join(self.known) or 'none'}. "
            f"Nearest: {nearest(self.value, self.known)}.\n"
            f'Add it there: [recipients.{self.value}] with to = ["someone@example.com"].'
        )


def where_(path: str) -> str:
    """Name the file of a plan, also where only its folder is known."""
    return path if path.endswith(".toml") else f"{path}/{PLAN}"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recipient(_Table):
    """Who gets reports, where, and what they may see.

    Attributes
    ----------
    to
        Mail addresses, or names of addresses: `env:NAME` or `keyring:service/name`.
    scope
        What they may see: `company`, `team:<path>`, `user:<id>` or `region:<name>`.
    lang
        Language in which they read.
    max_sensitivity
        `team`, `manager` or `hr`: what is more sensitive is not sent. Of a person's own scope
        that person gets all.
    format
        Files that are attached to a mail; none: the mail alone, with a link.
    reports
        Reports that they get, `card` for the card of the day; none means all.
    """

    to: Annotated[tuple[str, ...], Field(min_length=1)]
    scope: str = "company"
    lang: Language = "zh"
    max_sensitivity: Sensitivity = "team"
    format: tuple[Literal["html", "pdf", "xlsx", "json", "png"], ...] = ("html",)
    reports: tuple[str, ...] = ()

    @field_validator("to")
    @classmethod
    def _named(cls, to: tuple[str, ...]) -> tuple[str, ...]:
        for address in to:
            if not (is_mail_address(address) or is_name(address)):
                # The value itself may be a token, so it is not repeated.
                raise ValueError(
                    f"entry {to.index(address) + 1} is neither a mail address nor the name of an "
                    "address, such as env:WECOM_SALES or keyring:salesops/slack"
                )
        if len(set(to)) < len(to):
            raise ValueError("an address stands twice: whoever it is would get all twice")
        return to

    @field_validator("scope")
    @classmethod
    def _known(cls, scope: str) -> str:
        if scope == "company":
            return scope
        from salesops.book.scope import parse_scope

        try:
            parse_scope(scope)
        except BadScope as error:
            raise ValueError(
                f"company, team:<path>, user:<id> or region:<name>; {scope!r}: {error.reason}"
            ) from error
        return scope


class Delivery(_Table):
    """How reports are sent.

    Attributes
    ----------
    server
        Name of the mail server's address, which is `smtps://user:password@host:465` or
        `smtp://host:587`.
    sender
        Address, or name and address, that mails come from.
    base_url
        Where the folder of the reports can be opened by its readers; empty: nowhere.
    operator
        Recipient that is told what failed; empty: the command line alone tells it.
    mail_limit_mb
        Largest mail that is sent; what does not fit is named, with its link.
    """

    server: str = "env:SMTP_URL"
    sender: str = ""
    base_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    operator: str = ""
    mail_limit_mb: Annotated[float, Field(gt=0, le=150)] = _MAIL_LIMIT_MB

    @field_validator("server")
    @classmethod
    def _named(cls, server: str) -> str:
        if not is_name(server):
            raise ValueError("name it, as env:SMTP_URL or keyring:salesops/smtp: it has a password")
        return server


@dataclass(frozen=True, kw_only=True)
class Audience:
    """The recipients of a plan, and how they are reached."""

    where: str
    recipients: Mapping[str, Recipient]
    delivery: Delivery

    def chosen(self, names: tuple[str, ...]) -> dict[str, Recipient]:
        """Give these recipients, or all but the operator where none is named.

        Raises
        ------
        UnknownRecipient
            The plan has no recipient of that name.
        """
        for name in names:
            if name not in self.recipients:
                known = tuple(self.recipients)
                raise UnknownRecipient(value=name, where=self.where, known=known)
        return {name: recipient for name, recipient in self.recipients.items()
                if (name in names if names else name != self.delivery.operator)}  # fmt: skip


def read_audience(folder: str | Path) -> Audience:
    """Read the recipients of a plan: a folder with reports.toml, or the file.

    Raises
    ------
    BadRecipients
        There is no such file, or its tables have faults; all of them at once.
    """
    path = Path(folder)
    path = path / PLAN if path.is_dir() else path
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadRecipients(where=str(path), faults=(str(error),)) from error
    return audience_of(tables, str(path))


def audience_of(tables: Mapping[str, Any], where: str) -> Audience:
    """Read the recipients from the tables of a plan.

    Raises
    ------
    BadRecipients
        With all faults at once.

    Examples
    --------
    >>> plan = {"recipients": {"north": {"to": ["li@example.com"], "scope": "team:North"}}}
    >>> audience_of(plan, "reports.toml").recipients["north"].max_sensitivity
    'team'
    """
    faults: list[str] = []
    recipients: dict[str, Recipient] = {}
    named = tables.get("recipients", {})
    for name, table in named.items() if isinstance(named, Mapping) else ():
        try:
            recipients[name] = Recipient.model_validate(table)
        except (ValidationError, SalesopsError) as error:
            faults += _faults(f"recipients.{name}", error)
    delivery = Delivery()
    try:
        delivery = Delivery.model_validate(tables.get("delivery", {}))
    except ValidationError as error:
        faults += _faults("delivery", error)
    if delivery.operator and delivery.operator not in recipients:
        faults.append(f"delivery.operator: there is no recipient {delivery.operator!r}")
    if not recipients:
        faults.append("recipients: there is none")
    if faults:
        raise BadRecipients(where=where, faults=tuple(faults))
    return Audience(where=where, recipients=recipients, delivery=delivery)


def _faults(table: str, error: ValidationError | SalesopsError) -> list[str]:
    if isinstance(error, SalesopsError):
        return [f"{table}: {str(error).splitlines()[0]}"]
    # What was written is left out: it may be a token in the wrong place.
    return [
        ".".join([table, *map(str, e["loc"])]) + ": " + e["msg"].removeprefix("Value error, ")
        for e in error.errors(include_input=False, include_url=False)
    ]
