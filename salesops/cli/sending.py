"""`salesops send`: what goes to whom, and what became of it."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from salesops.reports.deliver.delivery import Delivery
    from salesops.reports.deliver.sending import Dispatch, Post, Sent


def send(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Folder of a run, or of the reports.")
    ] = "reports",
    to: Annotated[
        list[str] | None, typer.Option(help="Recipient of the plan; none means all; may repeat.")
    ] = None,
    plan: Annotated[str, typer.Option(help="Folder with reports.toml, or the file.")] = ".",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go to whom; send nothing.")
    ] = False,
    mails: Annotated[
        str, typer.Option(help="Folder for the mails of a dry run, as .eml files to look at.")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Also what may or may not have arrived.")
    ] = False,
) -> None:
    """Send the reports of a run to the recipients of the plan, each what they may see.

    Who gets what stands in reports.toml; the addresses of chats and of the mail server are looked
    up by name. What was sent is not sent twice. For example:

      salesops send --dry-run --mails build/mails

      salesops send reports/20260620-080000 --to board

    The plan names recipients so:

    \b
      [delivery]
      server = "env:SMTP_URL"
      operator = "ops"
      [recipients.board]
      to = ["li.na@example.com", "env:WECOM_BOARD"]
      max_sensitivity = "manager"
    """  # noqa: D301 - the mark is click's: no line is wrapped there
    out = Console(highlight=False, soft_wrap=True)
    send_run(run, out, names=to or (), plan=plan, dry_run=dry_run, mails=mails, again=again)


def send_run(
    where: str, out: Console, *, names: Sequence[str], plan: str, dry_run: bool, mails: str,
    again: bool,
) -> None:  # fmt: skip
    """Send a run, or show what would be sent; exits with 1 where something did not go out."""
    from salesops.reports.deliver.delivery import deliver
    from salesops.reports.deliver.recipients import read_audience
    from salesops.reports.deliver.record import read_run
    from salesops.reports.deliver.sending import Post, check_installed

    check_installed()
    audience = read_audience(plan)
    post = Post.of(read_run(where), audience, again=again)
    delivery = deliver(post, names, dry_run=dry_run)
    for line in delivery_lines(delivery, post):
        out.print(line, markup=False)
    if not delivery.dispatches:
        out.print("There is nothing to send: no report of this run is meant for anybody named.")
    if dry_run:
        _keep_mails(delivery.sent, mails, out)
    elif delivery.n("failed", "unsure"):
        sys.exit(1)


def delivery_lines(delivery: "Delivery", post: "Post") -> list[str]:
    """Say what went, or would go, to whom, what is kept from whom, and what the operator learns."""
    from salesops.reports.deliver.digest import kept_from, refusals

    sent, digest = delivery.sent, delivery.digest
    lines = [_line(one) for one in sent.dispatches]
    if any(one.state == "ready" for one in sent.dispatches):  # a look before anything goes out
        known = set(kept_from(sent))
        lines += refusals([one for one in sent.refused if one not in known], by_stem=True)
    if digest is not None:
        lines.append(f"For the operator: {digest.subject}")
        lines += [f"  {item.title}: {item.verdict} ({item.number})" for item in digest.items]
        lines += [f"  {note}" for note in digest.notes]
    lines += [_line(one) for one in delivery.told]
    return [post.masker.mask_text(line) for line in lines]


_STATES = {"ready": "would go to", "sent": "sent to", "before": "already sent to",
           "failed": "NOT sent to", "unsure": "may not have arrived at"}  # fmt: skip


def _line(one: "Dispatch") -> str:
    words = [f"{_STATES[one.state]} {one.name} ({one.address})"]
    if one.letter is not None and one.channel:
        words.append(f"{one.channel}, {_size(one.size)}")
        words.append(f"{one.letter.subject!r}")
        words.append("reports: " + ", ".join(
            entry.report + (" (missing)" if entry.key == "missing" else "")
            for entry in one.entries))  # fmt: skip
    if one.mail is not None and one.mail.left_out:
        names = ", ".join(path.name for path in one.mail.left_out)
        words.append(f"too large to attach: {names}")
    return "; ".join([*words, *filter(None, [one.told])])


def _size(n: int) -> str:
    return f"{n / 2**20:.1f} MB" if n >= 2**20 else f"{n / 1000:.1f} kB"


def _keep_mails(sent: "Sent", folder: str, out: Console) -> None:
    mails = [one for one in sent.dispatches if one.mail is not None]
    if not (folder and mails):
        return
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for one in mails:
        assert one.mail is not None  # chosen above
        name = re.sub(r"[^\w.-]+", "-", f"{one.name}.{one.address}")
        (place / f"{name}.eml").write_bytes(one.mail.data)
    out.print(f"{len(mails)} mails written to {folder}; nothing was sent.", markup=False)
