"""A letter as a mail: verdict and first findings inline, the same as text, the reports attached.

Built by Python's own `email`, not by apprise: that sends either HTML or text, and no picture that
the HTML shows inline. The parts are nested as RFC 2046 and RFC 2387 want it::

    multipart/mixed
    ├─ multipart/alternative
    │  ├─ text/plain
    │  └─ multipart/related
    │     ├─ text/html
    │     └─ image/png          shown inline
    └─ the reports
"""

import email.policy
import email.utils
import hashlib
import mimetypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path

from markupsafe import Markup

from salesops.reports.deliver.letter import Letter, named, reductions
from salesops.reports.deliver.texts import numbers_whole
from salesops.reports.page import environment
from salesops.wording import label, language, say

# Old servers know seven bits alone, and lines of a thousand characters.
POLICY = email.policy.SMTP.clone(cte_type="7bit")
_PICTURE_BYTES = 400_000


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail that is ready to be sent.

    Attributes
    ----------
    message
        The mail.
    data
        As it goes over the wire.
    left_out
        Files that did not fit.
    """

    message: EmailMessage
    data: bytes
    left_out: tuple[Path, ...]


def mail_of(letter: Letter, *, sender: str, to: str, id_: str, most: int) -> Mail:
    """Write a letter as a mail that is not larger than so many bytes.

    Parameters
    ----------
    sender, to
        Addresses.
    id_
        What makes this mail this mail: sent twice, both bear the same Message-ID.
    most
        Bytes that the mail may have; files that do not fit are left out and named, the largest
        first.
    """
    with language(letter.lang):
        letter = next(iter(reductions(letter)))
    files = list(dict.fromkeys(path for item in letter.items for path in item.files))
    left_out: list[Path] = []
    # Packed as base64 with its line ends a file grows by 37 %.
    while files and sum(path.stat().st_size for path in files) * 1.37 > most:
        largest = max(files, key=lambda path: path.stat().st_size)
        files.remove(largest)
        left_out.append(largest)
    while True:
        message = _message(letter, sender, to, id_, files, left_out)
        data = message.as_bytes(policy=POLICY)
        if len(data) <= most or not (files or any(item.pictures for item in letter.items)):
            return Mail(message=message, data=data, left_out=tuple(left_out))
        if files:
            left_out.append(files.pop())
        else:
            items = tuple(replace(item, pictures=()) for item in letter.items)
            letter = replace(letter, items=items)


def _message(
    letter: Letter, sender: str, to: str, id_: str, files: Sequence[Path], left_out: Sequence[Path]
) -> EmailMessage:
    picture = _inline(letter)
    message = EmailMessage(policy=POLICY)
    message["From"], message["To"], message["Subject"] = sender, to, letter.subject
    message["Date"] = email.utils.localtime()
    digest = hashlib.blake2b(id_.encode(), digest_size=16).hexdigest()
    host = email.utils.parseaddr(sender)[1].rpartition("@")[2] or "salesops.invalid"
    message["Message-ID"] = f"<{digest}@{host}>"
    # So that nobody's absence note answers it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    with language(letter.lang):
        rest = rest_of(letter, files, left_out)
        message.set_content(as_text(letter, rest))
        # Its angle brackets belong to the part, not to the address in the HTML.
        cid = f"{digest}.picture@{host}"
        page = as_html(letter, rest, cid if picture else "")
    message.add_alternative(page, subtype="html")
    if picture:
        html = message.get_body(("html",))
        assert html is not None  # added above
        html.add_related(picture.read_bytes(), "image", "png", cid=f"<{cid}>",
                         filename=picture.name, disposition="inline")  # fmt: skip
    for path in files:
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        main, _slash, sub = kind.partition("/")
        # As bytes, also a page: a server that rewraps lines would change it.
        message.add_attachment(path.read_bytes(), main, sub, filename=path.name)
    # At the end, as headers of this kind go with the content when parts are wrapped.
    message["Content-Language"] = letter.lang
    return message


def _inline(letter: Letter) -> Path | None:
    """Choose the picture that stands in the mail: the first report's first that is small."""
    found = letter.items[0].pictures if letter.items else ()
    return next((path for path in found if path.stat().st_size <= _PICTURE_BYTES), None)


def rest_of(letter: Letter, files: Sequence[Path], left_out: Sequence[Path]) -> list[str]:
    """Say what comes after the reports: what is missing, attached, or too large for that."""
    said: list[tuple[str, Sequence[str]]] = [
        ("deliver.missing", letter.missing),
        ("deliver.attached", [path.name for path in files]),
        ("deliver.too_large", [path.name for path in left_out]),
    ]
    shown = [say(code, reports=named(names, 20)) for code, names in said if names]
    return [*shown, *letter.notes]


def as_text(letter: Letter, rest: Sequence[str]) -> str:
    """Write the letter as text; it has every number that the HTML has."""
    parts = [" · ".join(letter.facts)] if letter.facts else []
    for item in letter.items:
        lines = [item.title + (f" · {item.number}" if item.number else "")]
        lines += [item.verdict] if item.verdict else []
        for said in item.findings:
            lines += ["", f"- {said.action}", f"  {said.text}"]
            behind = [f"{label('card.at_stake')} {said.at_stake}"] if said.at_stake else []
            behind += [f"{label('card.due')} {said.due}"] if said.due else []
            lines += ["  " + " · ".join(behind)] if behind else []
        lines += ["", say("deliver.more_findings", n=item.more)] if item.more else []
        lines += [f"{label('deliver.open')}: {item.link}"] if item.link else []
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, *rest]) + "\n"


def as_html(letter: Letter, rest: Sequence[str], picture: str) -> str:
    """Write the letter as HTML; `picture` is the content id of the picture that it shows."""
    template = environment().get_template("mail.html.j2")
    preview = letter.items[0].verdict if letter.items else letter.subject
    words: dict[str, Callable[..., str]] = {"label": label, "say": say, "whole": _whole}
    return template.render(lang=letter.lang, letter=letter, rest=rest, picture=picture,
                           preview=preview, **words)  # fmt: skip


def _whole(text: str) -> Markup:
    return Markup(numbers_whole(text))  # noqa: S704 - escaped there
