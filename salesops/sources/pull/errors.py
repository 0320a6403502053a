"""What can keep a pull from its data; no text of these holds a secret."""

from dataclasses import dataclass

from salesops.model.errors import SalesopsError, nearest
from salesops.model.secretnames import how_to_set


@dataclass(eq=False, kw_only=True)
class NoPullPackages(SalesopsError, RuntimeError):
    """What pulls are made with is not installed."""

    package: str

    def __str__(self) -> str:
        return (
            f"Nothing can be pulled: the package {self.package} is not installed.\n"
            "Expected: what the extra salesops[pull] brings along.\n"
            "Write: pip install 'salesops[pull]'"
        )


@dataclass(eq=False, kw_only=True)
class BadPullOption(SalesopsError, ValueError):
    """An option of a pull is none that may be given."""

    option: str
    value: str
    expected: str
    example: str

    def __str__(self) -> str:
        return (
            f"{self.option} can't be {self.value!r}.\n"
            f"Expected: {self.expected}.\n"
            f"Write for example: {self.option} {self.example}"
        )


@dataclass(eq=False, kw_only=True)
class MissingSecret(SalesopsError, LookupError):
    """A secret that a system asks for is not set."""

    system: str
    key: str
    name: str
    reason: str
    other: str = ""

    def __str__(self) -> str:
        other = f", or {self.other}" if self.other else ""
        return (
            f"{self.system} can't be asked: its {self.key} is missing, since {self.reason}.\n"
            f"Expected: {self.key} under the name {self.name}{other}; never on the command line.\n"
            f"Set it: {how_to_set(self.name)}; or name another place: "
            f"--secret {self.key}=env:NAME"
        )


@dataclass(eq=False, kw_only=True)
class TokenRefused(SalesopsError, RuntimeError):
    """A system does not accept who asks: the token is wrong, has expired or was taken back."""

    system: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.system} refused the token: {self.reason}.\n"
            "Expected: a token of this account that has not expired and was not taken back.\n"
            f"{self.mend}"
        )


@dataclass(eq=False, kw_only=True)
class NoRight(SalesopsError, LookupError):
    """A system does not show an object to who asks, or knows none of that name."""

    system: str
    what: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return (
            f"{self.system} does not show {self.what}: {self.reason}.\n"
            f"Expected: an account and a token that may read {self.what}.\n"
            f"{self.mend}"
        )


@dataclass(eq=False, kw_only=True)
class UnknownField(SalesopsError, LookupError):
    """A mapping reads a field that a system does not have, or does not show."""

    system: str
    field: str
    what: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.system} has no field {self.field!r} in {self.what}, or the token may not read "
            f"it.\nExpected: one of its fields. Nearest: {nearest(self.field, self.known)}.\n"
            "Correct the name in the mapping (mapping.toml of the book, or --source), or grant the "
            "right to read the field."
        )


@dataclass(eq=False, kw_only=True)
class QuotaUsedUp(SalesopsError, RuntimeError):
    """A system answers no more for a while: its limit of calls is reached."""

    system: str
    reason: str
    after: str

    def __str__(self) -> str:
        return (
            f"{self.system} answers no more calls: {self.reason}.\n"
            "Expected: room within the limits of calls that the account has.\n"
            f"Pull again {self.after}; nothing was half-written."
        )


@dataclass(eq=False, kw_only=True)
class Unreachable(SalesopsError, OSError):
    """A system can't be reached, or its certificate is not good."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.where} can't be asked: {self.reason}.\n"
            "Expected: a server that is found, answers, and has a valid certificate.\n"
            "Check the address (--base-url, --login-url), the network and its proxy "
            "(HTTPS_PROXY), then pull again; nothing was half-written."
        )


@dataclass(eq=False, kw_only=True)
class StrangeAnswer(SalesopsError, ValueError):
    """A system answers what its documentation does not say."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The answer of {self.where} can't be used: {self.reason}.\n"
            "Expected: an answer as docs/pull.md says, with the page of its documentation.\n"
            "Check the address (--base-url), or export files and use salesops import."
        )


@dataclass(eq=False, kw_only=True)
class OtherCompany(SalesopsError, ValueError):
    """What was pulled before comes from another account."""

    where: str
    was: str
    now: str

    def __str__(self) -> str:
        return (
            f"{self.where} holds what was pulled from {self.was}, not from {self.now}.\n"
            "Expected: one account, whose later pulls add to the earlier ones.\n"
            "Name a folder of its own for another account: --raw FOLDER and --into FOLDER."
        )
