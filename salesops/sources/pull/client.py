"""Asking a server: paced, and asked again where something may pass, never where the fault is ours.

`requests` and `tenacity` are what reports are delivered with: one way of asking for all systems,
with the same rules for limits, pauses and errors, and no second library that does the same.
"""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from salesops.model.errors import SalesopsError
from salesops.sources.pull.errors import (
    BadPullOption,
    NoPullPackages,
    QuotaUsedUp,
    StrangeAnswer,
    TokenRefused,
    Unreachable,
)
from salesops.sources.pull.secrets import Secrets

ATTEMPTS = 6
LONGEST = 120.0  # seconds; who asks for a longer pause is told so, instead of waiting
_SECONDS = (10, 60)  # to connect, and to wait for an answer
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, eq=False)
class Answer:
    """What a server answered: its body as JSON, with numbers as the texts that they were."""

    status: int
    body: Any
    text: str
    headers: Mapping[str, str]


class Passing(Exception):
    """Something that may pass: the server is busy, slow, or asked too often."""

    def __init__(self, reason: str, *, after: float | None = None, quota: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after, self.quota = reason, after, quota


@dataclass
class Client:
    """Asks one system.

    Attributes
    ----------
    base
        Address to which paths are added.
    judge
        Raises what an answer means in the words of the system; what it lets pass is judged by its
        status.
    renew
        Gets a new token and gives true, where that is possible.
    every
        Seconds between two calls, by the documented limit.
    now
        The last time that the server told, UTC.
    """

    system: str
    base: str
    secrets: Secrets
    judge: Callable[[Answer], None]
    every: float = 0.0
    pause: Callable[[float], None] = time.sleep
    headers: dict[str, str] = field(default_factory=dict)
    renew: Callable[[], bool] | None = None
    now: dt.datetime | None = None
    calls: int = 0
    _last: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        self.base = safe_address(self.base, "--base-url")
        try:
            import requests
            import tenacity  # noqa: F401
        except ImportError as error:
            raise NoPullPackages(package=str(error.name)) from error
        self._session = requests.Session()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """Ask for something."""
        return self._ask("GET", path, params=params, headers=headers)

    def post(self, path: str, body: Any, params: Mapping[str, Any] | None = None) -> Answer:
        """Ask by a body of JSON; one that holds a token is made anew each time it is sent."""
        return self._ask("POST", path, body=body, params=params)

    def form(self, url: str, fields: Mapping[str, str]) -> Answer:
        """Post a form to an address of its own, as that of tokens; secrets stay in the body."""
        return self._ask("POST", safe_address(url, "--login-url"), form=fields, renewed=True)

    def _ask(self, method: str, path: str, *, renewed: bool = False, **what: Any) -> Answer:
        try:
            return self._patiently(method, path, **what)
        except TokenRefused:
            if renewed or self.renew is None or not self.renew():
                raise
        return self._patiently(method, path, **what)

    def _patiently(self, method: str, path: str, **what: Any) -> Answer:
        import tenacity

        growing = tenacity.wait_random_exponential(multiplier=1, max=30)

        def wait(state: Any) -> float:
            after = _asked_for(state)
            return growing(state) if after is None else after

        def stop(state: Any) -> bool:
            return state.attempt_number >= ATTEMPTS or (_asked_for(state) or 0) > LONGEST

        asking = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Passing), wait=wait, stop=stop,
            sleep=self.pause, reraise=True,
        )  # fmt: skip
        try:
            return asking(self._once, method, path, **what)
        except Passing as passing:
            if passing.quota:
                after = f"in {passing.after:.0f} seconds" if passing.after else "later"
                raise QuotaUsedUp(system=self.system, reason=passing.reason, after=after) from None
            raise Unreachable(where=self._host(path), reason=passing.reason) from None

    def _once(
        self, method: str, path: str, *, params: Any = None, body: Any = None, form: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        self._keep_distance()
        url = path if "://" in path else f"{self.base}{path}"
        said = self._sent(
            method,
            url,
            params=params,
            json=body() if callable(body) else body,
            data=form,
            headers={
                "User-Agent": "salesops",
                **({} if form else self.headers),
                **{k.replace("_", "-"): v for k, v in (headers or {}).items()},
            },
        )
        self.calls += 1
        self._note_time(said.headers.get("Date", ""))
        text = said.content.decode("utf-8", "replace")
        answer = Answer(said.status_code, _json(text), text, said.headers)
        self.judge(answer)
        if answer.status == 429:
            raise Passing(self.told(answer), quota=True, after=seconds_to_wait(said.headers))
        if answer.status >= 500:
            raise Passing(f"it answers {self.told(answer)}", after=seconds_to_wait(said.headers))
        if answer.status in (204, 304):
            return answer
        if not 200 <= answer.status < 300:
            raise StrangeAnswer(where=self._host(path), reason=self.told(answer))
        if answer.body is None:
            raise StrangeAnswer(
                where=self._host(path), reason=f"it is no JSON: {self.told(answer)}"
            )
        return answer

    def told(self, answer: Answer) -> str:
        """Quote an answer, shortly and without secrets."""
        return self.secrets.masked(f"{answer.status} {' '.join(answer.text.split())[:300]}".strip())

    def _sent(self, method: str, url: str, **what: Any) -> Any:
        import requests

        where = self._host(url)
        try:
            # A redirect could carry the token to another server.
            return self._session.request(method, url, timeout=_SECONDS, allow_redirects=False,
                                         **what)  # fmt: skip
        except requests.exceptions.SSLError as error:
            reason = f"no secure connection ({self._short(error)})"
            raise Unreachable(where=where, reason=reason) from None
        except requests.exceptions.Timeout:
            raise Passing("no answer in time") from None
        except requests.exceptions.ConnectionError as error:
            raise Passing(self._short(error)) from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise StrangeAnswer(where=where, reason=self._short(error)) from None

    def _short(self, error: Exception) -> str:
        text = " ".join(str(error).split())
        if "NameResolutionError" in text or "getaddrinfo" in text:
            return "its name is not found (DNS)"
        return self.secrets.masked(text)[:200]

    def _host(self, path: str) -> str:
        return urlsplit(path if "://" in path else self.base).netloc

    def _keep_distance(self) -> None:
        left = self._last + self.every - time.monotonic()
        if left > 0:
            self.pause(left)
        self._last = time.monotonic()

    def _note_time(self, date: str) -> None:
        try:
            told = parsedate_to_datetime(date)
        except ValueError:
            told = dt.datetime.now(tz=dt.UTC)
        self.now = told.astimezone(dt.UTC).replace(tzinfo=None)


@contextmanager
def as_documented(system: str) -> Iterator[None]:
    """Tell of an answer that has another form than the documentation says.

    Raises
    ------
    StrangeAnswer
        A part of it is missing, or is something else.
    """
    try:
        yield
    except SalesopsError:
        raise
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        reason = f"its form is another than documented ({type(error).__name__}: {error})"
        raise StrangeAnswer(where=system, reason=reason[:200]) from error


def safe_address(url: str, option: str) -> str:
    """Check that an address is one to which a token may be sent: https, or this machine.

    Raises
    ------
    BadPullOption
        It is not.

    Examples
    --------
    >>> safe_address("https://company.my.salesforce.com/", "--base-url")
    'https://company.my.salesforce.com'
    """
    parts = urlsplit(url)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)) \
            or not parts.hostname or parts.username:  # fmt: skip
        raise BadPullOption(
            option=option,
            value=parts.hostname or "",
            example="https://company.example.com",
            expected="an address with https, without a name or a password",
        )
    return url.rstrip("/")


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """Read how long a server asks to wait, in seconds or until a time.

    Examples
    --------
    >>> seconds_to_wait({"Retry-After": "7"}), seconds_to_wait({})
    (7.0, None)
    """
    text = headers.get("Retry-After", "").strip()
    if text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until - dt.datetime.now(tz=dt.UTC)).total_seconds())


def _asked_for(state: Any) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.after if isinstance(error, Passing) else None


def _json(text: str) -> Any:
    try:
        # Ids of 64 bits and amounts keep their digits; 1.5E7 becomes the number that people write.
        return json.loads(text, parse_int=str, parse_float=lambda t: f"{Decimal(t):f}")
    except (json.JSONDecodeError, RecursionError):
        return None
