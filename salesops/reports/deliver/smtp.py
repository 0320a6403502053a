"""Handing a mail to a server.

The server's address is `smtps://user:password@host:465`, or `smtp://user:password@host:587` where
the connection is encrypted after its beginning. `?starttls=off` forgoes that, for a relay on the
same machine; without it a password is never sent in the clear.
"""

import smtplib
import ssl
import urllib.parse
from contextlib import suppress
from dataclasses import dataclass

from salesops.model.errors import SalesopsError
from salesops.reports.deliver.outcome import NotSent, Passing, Unsure

_SECONDS = 30


@dataclass(eq=False, kw_only=True)
class BadServer(SalesopsError, ValueError):
    """The mail server's address can't be read."""

    name: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The mail server's address ({self.name}) can't be read: {self.reason}.\n"
            "Expected: smtps://user:password@host:465 or smtp://user:password@host:587.\n"
            "Signs such as @ or / in a password are written as %40 and %2F."
        )


@dataclass(frozen=True, kw_only=True)
class Server:
    """A mail server."""

    host: str
    port: int
    user: str
    password: str
    encrypted: bool
    starttls: bool

    def __repr__(self) -> str:
        return f"<Server {self.host}:{self.port}>"


def read_server(name: str, value: str) -> Server:
    """Read the address of a mail server; `name` is how the plan calls it.

    Raises
    ------
    BadServer
        It is no such address.

    Examples
    --------
    >>> server = read_server("env:SMTP_URL", "smtps://me%40example.com:p%2Fw@smtp.example.com")
    >>> server, server.user, server.password
    (<Server smtp.example.com:465>, 'me@example.com', 'p/w')
    """
    try:
        split = urllib.parse.urlsplit(value)
        port = split.port
    except ValueError as error:
        # The message of the error repeats a part of the address.
        raise BadServer(name=name, reason="its port is no number") from error
    if split.scheme not in ("smtp", "smtps") or not split.hostname:
        raise BadServer(name=name, reason="it does not begin with smtp:// or smtps:// and a host")
    options = dict(urllib.parse.parse_qsl(split.query))
    encrypted = split.scheme == "smtps"
    return Server(
        host=split.hostname,
        port=port or (465 if encrypted else 587),
        user=urllib.parse.unquote(split.username or ""),
        password=urllib.parse.unquote(split.password or ""),
        encrypted=encrypted,
        starttls=not encrypted and options.get("starttls") != "off",
    )


def send_mail(server: Server, *, sender: str, to: str, data: bytes) -> None:
    """Hand over a mail.

    Raises
    ------
    Passing
        The server can't be reached or asks to come again.
    NotSent
        It refuses.
    Unsure
        The connection broke after the whole mail was handed over.
    """
    try:
        connection = _connected(server)
        try:
            _hand_over(connection, server, ascii_(sender), ascii_(to), data)
            # It is taken: whatever the farewell is, it must not be sent again.
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
        finally:
            connection.close()
    except smtplib.SMTPResponseException as error:
        _answered((error.smtp_code, error.smtp_error), "the session")
    except smtplib.SMTPServerDisconnected as error:
        raise Passing(f"the server ended the session ({error})") from error
    except smtplib.SMTPException as error:
        raise NotSent(f"the server can't be used ({error})") from error
    except ssl.SSLError as error:
        raise NotSent(f"no encrypted connection ({error.reason})") from error
    except OSError as error:
        raise Passing(f"the server can't be reached ({error})") from error


def _hand_over(connection: smtplib.SMTP, server: Server, sender: str, to: str, data: bytes) -> None:
    connection.ehlo_or_helo_if_needed()
    if server.user:
        connection.login(server.user, server.password)
    _answered(connection.mail(sender), "the sender")
    _answered(connection.rcpt(to), "the recipient")
    try:
        answer = connection.data(data)
    except smtplib.SMTPResponseException:
        raise
    except OSError as error:
        raise Unsure(f"no answer to the mail ({error})") from error
    _answered(answer, "the mail")


def ascii_(address: str) -> str:
    """Write a mail address as every server understands it.

    Raises
    ------
    NotSent
        It has other letters before the @, which few servers take.

    Examples
    --------
    >>> ascii_("sales@例子.中国")
    'sales@xn--fsqu00a.xn--fiqs8s'
    """
    local, _at, host = address.rpartition("@")
    try:
        return f"{local.encode('ascii').decode()}@{host.encode('idna').decode()}"
    except UnicodeError as error:
        raise NotSent("the address has letters that mail servers do not take") from error


def _connected(server: Server) -> smtplib.SMTP:
    trusted = ssl.create_default_context()
    if server.encrypted:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=trusted)
    connection = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
    if server.starttls:
        try:
            connection.starttls(context=trusted)
        except BaseException:
            connection.close()
            raise
    return connection


def _answered(answer: tuple[int, bytes | str], what: str) -> None:
    """Take the server's answer: 4xx may pass, 5xx does not."""
    code, told = answer
    text = told.decode(errors="replace") if isinstance(told, bytes) else told
    if 400 <= code < 500:
        raise Passing(f"{what} was put off: {code} {text}")
    if code >= 500 or code < 200:
        raise NotSent(f"{what} was refused: {code} {text}")
