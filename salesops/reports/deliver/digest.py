"""What the operator is told: which reports failed and why, and what did not reach whom."""

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import replace

from salesops.reports.addresses import command
from salesops.reports.deliver.allowed import Refusal
from salesops.reports.deliver.letter import Item, Letter, address_in, masked, named, title
from salesops.reports.deliver.outbox import Entry
from salesops.reports.deliver.record import Report, Run
from salesops.reports.deliver.sending import Dispatch, Post, Sent
from salesops.reports.deliver.texts import clean
from salesops.wording import label, language, say

_MOST = 20


def digest_of(sent: Sent, post: Post) -> Letter | None:
    """Say what went wrong, in the operator's language; null where nothing did."""
    trouble = (sent.run.failed, sent.of("failed"), sent.of("unsure"), kept_from(sent))
    if not any(trouble):
        return None
    operator = post.audience.recipients.get(post.audience.delivery.operator)
    lang = operator.lang if operator else "en"
    with language(lang):
        failed, undelivered, unsure, refused = trouble
        head = [("deliver.digest_failed", len(failed)),
                ("deliver.digest_not_arrived", len(undelivered)),
                ("deliver.digest_unsure", len(unsure)),
                ("deliver.digest_refused", len(refused))]  # fmt: skip
        told = [_counted(code, n, sent) for code, n in head if n]
        letter = Letter(
            lang=lang, subject=label("deliver.comma").join(told), facts=_run(sent),
            items=tuple(_failure(report, sent, post) for report in failed[:_MOST]),
            missing=(), more=max(0, len(failed) - _MOST), notes=tuple(_notes(sent, post)),
        )  # fmt: skip
        return masked(letter, post.masker)


def send_digest(sent: Sent, post: Post) -> tuple[Dispatch, ...]:
    """Tell the operator what went wrong; nothing where nothing did, or nobody is to be told."""
    letter = digest_of(sent, post)
    return () if letter is None else _told(letter, sent.run, post)


def send_unbegun(post: Post, reason: str, *, where: str) -> tuple[Dispatch, ...]:
    """Tell the operator that the reports of an entry could not be begun, and why.

    Parameters
    ----------
    post
        With the entry, and the time for which it is, as its run.
    reason
        As the command line says it.
    where
        Machine and folder on which it was tried.
    """
    run, operator = post.run, post.audience.recipients.get(post.audience.delivery.operator)
    if operator is None:
        return ()
    again = ["--plan", post.audience.where, "--name", run.plan, "--at", run.scheduled]
    with language(operator.lang):
        notes = [
            *reason.splitlines(),
            say("deliver.run_again", command=shlex.join(["salesops", "run", *again])),
        ]
        letter = Letter(
            lang=operator.lang, subject=say("deliver.unbegun", plan=run.plan, time=run.scheduled),
            facts=(clean(where),), items=(), missing=(), notes=tuple(map(clean, notes)),
        )  # fmt: skip
    return _told(masked(letter, post.masker), run, post)


def _told(letter: Letter, run: Run, post: Post) -> tuple[Dispatch, ...]:
    name = post.audience.delivery.operator
    if not name:
        return ()
    # The same trouble is told once, new trouble anew.
    key = hashlib.blake2b(repr(letter).encode(), digest_size=8).hexdigest()
    found = []
    for to in post.audience.recipients[name].to:
        entry = Entry(occasion=run.occasion, recipient=name, address=to,
                      report="digest", key=key)  # fmt: skip
        dispatch = post.formed(name, to, letter, [entry])
        state = post.outbox.state(entry)
        if state is not None and state[0] != "failed":
            dispatch = replace(dispatch, state="before")
        found.append(post.send_one(dispatch) if dispatch.state == "ready" else dispatch)
    return tuple(found)


def _counted(code: str, n: int, sent: Sent) -> str:
    if code == "deliver.digest_failed":
        return say(code, n=n, made=len(sent.run.made))
    return say(code, n=n)


def _run(sent: Sent) -> tuple[str, ...]:
    return tuple(clean(fact) for fact in (sent.run.plan, sent.run.id) if fact)


def _failure(report: Report, sent: Sent, post: Post) -> Item:
    """Tell of a failed report its cause in plain words, its cell and how to make it again."""
    failure = report.failure or {}
    cause = failure.get("cause") or f"{failure.get('name', '')}: {failure.get('value', '')}"
    pages = report.files.get("html", ())
    address = address_in(sent.run, post.audience.delivery.base_url)
    cell = failure.get("cell", "")
    return Item(
        title=clean(f"{title(report)} · {report.job.lang}"), verdict=clean(cause),
        number=say("deliver.failed_cell", cell=clean(cell)) if cell else "", findings=(), more=0,
        link=address(pages[0]) if pages else "", files=(), pictures=(),
    )  # fmt: skip


def _notes(sent: Sent, post: Post) -> list[str]:
    found = refusals(kept_from(sent))
    for code, state in (("deliver.not_arrived", "failed"), ("deliver.unsure", "unsure")):
        found += [say(code, name=one.name, address=one.address, reason=clean(one.told).rstrip("."))
                  for one in sent.of(state)]  # fmt: skip
    if sent.run.failed:
        made = _titles(sent.run.made)
        found += [say("deliver.made", reports=named(made, 10))] if made else []
        again = _planned(sent, post) or commands(sent.run.failed)
        found += [say("deliver.run_again", command=line) for line in again]
        if not sent.run.scheduled:
            found.append(say("deliver.send_again", command=send_command(sent.run, post)))
    return [clean(line) for line in found]


def refusals(refused: Sequence[Refusal], *, by_stem: bool = False) -> list[str]:
    """Say which reports do not go to whom, and why; by their stems where scopes differ alone."""
    found = []
    for group in _grouped(refused):
        first = group[0]
        reports = [one.report for one in group]
        names = [report.stem for report in reports] if by_stem else _titles(reports)
        allowed = f"sensitivity.{first.allowed}" if first.reason == "sensitivity" else first.allowed
        found.append(say(f"deliver.refused_{first.reason}", name=first.recipient, allowed=allowed,
                         reports=named(names, 5)))  # fmt: skip
    return found


def kept_from(sent: Sent) -> tuple[Refusal, ...]:
    """Give the refusals of which somebody should know.

    Where a report is made of every team, and who leads one gets that team's, the others' are kept
    from them as they are meant to be.
    """
    got = {(one.name, entry.report.partition(".")[0])
           for one in sent.dispatches for entry in one.entries}  # fmt: skip
    return tuple(
        one for one in sent.refused
        if one.reason != "scope" or (one.recipient, one.report.job.report) not in got
    )  # fmt: skip


def _titles(reports: Sequence[Report]) -> list[str]:
    return list(dict.fromkeys(clean(title(report)) for report in reports))


def _grouped(refused: Sequence[Refusal]) -> list[list[Refusal]]:
    groups: dict[tuple[str, str], list[Refusal]] = {}
    for one in refused:
        groups.setdefault((one.recipient, one.reason), []).append(one)
    return list(groups.values())


def commands(failed: Sequence[Report]) -> list[str]:
    """Write the commands that make failed reports again, the languages of one in one."""
    langs: dict[str, list[str]] = {}
    for report in failed:
        head, _option, lang = command(report.job, dict(report.facts)).partition(" --lang ")
        langs.setdefault(head, []).append(lang)
    lines = [f"{head} --lang {','.join(dict.fromkeys(found))}" for head, found in langs.items()]
    return lines[:5]


def _planned(sent: Sent, post: Post) -> list[str]:
    """Write the command that makes an entry's missing reports, and sends them too."""
    run = sent.run
    if not run.scheduled:
        return []
    words = ["--plan", post.audience.where, "--name", run.plan, "--at", run.scheduled]
    return [shlex.join(["salesops", "run", *words])]


def send_command(run: Run, post: Post) -> str:
    """Write the command that sends what of a run was not sent yet."""
    return shlex.join(["salesops", "send", str(run.folder), "--plan", post.audience.where])
