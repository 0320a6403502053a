"""What is said to a recipient, before any channel gives it a form."""

import datetime as dt
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from salesops.charts.verdict import between
from salesops.reports.deliver.allowed import Share
from salesops.reports.deliver.record import Report, Run
from salesops.reports.deliver.texts import clean, shortened
from salesops.reports.masking import Masker
from salesops.wording import label, language, say
from salesops.wording.catalogue import FORMATS

SUBJECT = 150
# Findings that are told inline: a reader of several reports sees one of each.
FINDINGS, FINDINGS_OF_MANY = 3, 1
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Said:
    """A finding: what to do, why, what is at stake and until when."""

    action: str
    text: str
    at_stake: str
    due: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """One report in a letter.

    Attributes
    ----------
    title
        Report, and whose it is where it is not of the whole company.
    verdict
        Its sentence.
    number
        Its number in the index, with its name.
    findings
        As many as are told inline.
    more
        How many findings there are besides.
    link
        Where it can be opened; empty where it can't.
    files, pictures
        Files to attach, and pictures of its exhibits.
    """

    title: str
    verdict: str
    number: str
    findings: tuple[Said, ...]
    more: int
    link: str
    files: tuple[Path, ...]
    pictures: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one recipient is sent of a run.

    Attributes
    ----------
    lang
        Language of its words.
    subject
        At most 150 characters.
    facts
        Company, period and date, as in the head of a page.
    items
        Its reports.
    more
        How many reports are not told inline.
    missing
        Reports that could not be made.
    notes
        Lines that stand after the reports.
    """

    lang: str
    subject: str
    facts: tuple[str, ...]
    items: tuple[Item, ...]
    missing: tuple[str, ...]
    more: int = 0
    notes: tuple[str, ...] = ()


def letter_of(share: Share, run: Run, base_url: str, masker: Masker) -> Letter:
    """Say what a recipient gets, in their language."""
    with language(share.recipient.lang):
        most = FINDINGS if len(share.reports) == 1 else FINDINGS_OF_MANY
        items = tuple(
            _item(report, share, address_in(run, base_url), most) for report in share.reports
        )
        missing = tuple(clean(title(report)) for report in share.missing)
        notes = [clean(note) for report in share.reports for note in report.facts.get("notes", ())]
        letter = Letter(lang=share.recipient.lang, subject="", facts=_facts(share.reports),
                        items=items, missing=missing, notes=tuple(notes))  # fmt: skip
        return masked(replace(letter, subject=_subject(letter)), masker)


def title(report: Report) -> str:
    """Name a report, and whose it is where it is not of the whole company."""
    if "title" in report.facts:  # the card of the day says whose it is in its own head
        return str(report.facts["title"])
    name = label(f"report.{report.job.report}", otherwise=report.job.report)
    if report.job.scope == "company":
        return name
    whose = report.facts.get("whose") or report.job.scope.partition(":")[2]
    return f"{name} · {whose}"


def address_in(run: Run, base_url: str) -> Callable[[Path], str]:
    """Give what turns a file of the run into its address; to nothing where there is none."""
    # `latest` shows something else tomorrow.
    own = run.folder.with_name(run.id)
    folder = own.name if own.is_dir() else run.folder.resolve().name

    def address(path: Path) -> str:
        where = urllib.parse.quote(f"{folder}/{path.name}")
        return f"{base_url.rstrip('/')}/{where}" if base_url else ""

    return address


def _item(report: Report, share: Share, address: Callable[[Path], str], most: int) -> Item:
    facts = report.facts
    found = [_said(f) for f in facts.get("findings", ()) if f.get("said")]
    pages = report.files.get("html") or report.files.get("pdf") or ()
    wanted = [path for kind in share.recipient.format for path in report.files.get(kind, ())]
    return Item(
        title=clean(title(report)),
        verdict=clean(between().join(facts.get("verdict", ()))),
        number=clean((facts.get("lead") or {}).get("said", "")),
        findings=tuple(found[:most]),
        more=max(0, len(found) - most),
        link=address(pages[0]) if pages else "",
        files=tuple(wanted),
        pictures=report.files.get("png", ()),
    )


def _said(finding: dict[str, Any]) -> Said:
    said = finding["said"]
    due = finding.get("due")
    return Said(
        action=clean(said["action"]),
        text=clean(said["text"]),
        at_stake=said.get("at_stake", "") if finding.get("at_stake") is not None else "",
        due=FORMATS["date"](dt.date.fromisoformat(due)) if due else "",
    )


def _facts(reports: Sequence[Report]) -> tuple[str, ...]:
    """Give company, period and date as far as they are the same for all."""
    heads = [(str(report.facts.get("company", "")), *report.facts.get("head", ())[1:])
             for report in reports if report.facts.get("head")]  # fmt: skip
    shared = [fact for fact in heads[0] if all(fact in head for head in heads)] if heads else []
    return tuple(clean(fact) for fact in shared if fact)


def _subject(letter: Letter) -> str:
    if len(letter.items) == 1:
        (item,) = letter.items
        name = shortened(item.title, SUBJECT // 2)
        text = between().join((f"{name}{_colon()}", item.verdict)) if item.verdict else name
    elif letter.items:
        text = " · ".join([*letter.facts[:2], say("deliver.reports", n=len(letter.items))])
    else:
        text = say("deliver.missing", reports=named(letter.missing, 3))
    return shortened(clean(text), SUBJECT)


def _colon() -> str:
    return label("deliver.colon")


def named(names: Sequence[str], most: int) -> str:
    """List names, at most so many, and how many more there are."""
    shown = label("deliver.comma").join(shortened(name, 60) for name in names[:most])
    left = len(names) - most
    return say("deliver.and_more", names=shown, n=left) if left > 0 else shown


def masked(letter: Letter, masker: Masker) -> Letter:
    """Mask what failed reports and data may have carried here."""
    text = masker.mask_text

    def said(one: Said) -> Said:
        return replace(one, action=text(one.action), text=text(one.text))

    items = tuple(
        replace(item, title=text(item.title), verdict=text(item.verdict),
                findings=tuple(said(one) for one in item.findings))
        for item in letter.items
    )  # fmt: skip
    return replace(letter, subject=text(letter.subject), items=items,
                   missing=tuple(text(one) for one in letter.missing),
                   notes=tuple(text(one) for one in letter.notes))  # fmt: skip


def reductions(letter: Letter) -> Iterator[Letter]:
    """Give the letter with its sentences, then ever less of it, until the subject is left.

    What is left out is counted, in the language that is set.
    """
    n = len(letter.items)
    for sentence, notes in ((400, 100), (160, 20)):
        for findings in range(FINDINGS, -1, -1):
            yield _with(letter, sentence=sentence, findings=findings, items=n, notes=notes)
    while n > 1:
        n = n * 3 // 4
        yield _with(letter, sentence=160, findings=0, items=n, notes=8)
    for sentence in (80, 40):
        yield _with(letter, sentence=sentence, findings=0, items=1, notes=4)
    yield _with(letter, sentence=40, findings=0, items=0, notes=2)


def _with(letter: Letter, *, sentence: int, findings: int, items: int, notes: int) -> Letter:
    def said(one: Said) -> Said:
        return replace(one, action=shortened(one.action, sentence),
                       text=shortened(one.text, sentence))  # fmt: skip

    def less(item: Item) -> Item:
        left = len(item.findings) - findings
        return replace(item, title=shortened(item.title, 80),
                       verdict=shortened(item.verdict, sentence),
                       findings=tuple(said(one) for one in item.findings[:findings]),
                       more=item.more + max(0, left))  # fmt: skip

    kept = letter.items[:items]
    lines = [shortened(note, 2 * sentence) for note in letter.notes[:notes]]
    if len(letter.notes) > notes:
        lines.append(say("deliver.more_notes", n=len(letter.notes) - notes))
    return replace(letter, facts=tuple(shortened(fact, 60) for fact in letter.facts),
                   items=tuple(less(item) for item in kept), notes=tuple(lines),
                   more=letter.more + len(letter.items) - len(kept))  # fmt: skip


def fitted(letter: Letter, form: Callable[[Letter], T], fits: Callable[[T], bool]) -> T:
    """Give the form of as much of the letter as fits."""
    for less in reductions(letter):
        shown = form(less)
        if fits(shown):
            break
    return shown
