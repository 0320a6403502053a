"""The card of the day in words: plain text for a chat, and a small page that looks the same."""

import html
from typing import Any

from salesops.model.dailycard import Card
from salesops.wording import label, say


def card_lines(card: Card) -> tuple[str, ...]:
    """Say the card in the current language, head first, a sentence a line."""
    head = say("daily.head", whose=card.whose, date=card.date)
    lines = [head, say("daily.day", signed=card.signed, received=card.received), _month(card)]
    if card.due:
        lines.append(label(f"daily.due_{card.due_kind}"))
        lines += [say("daily.due", customer=_short(d.customer), amount=d.amount, on=d.on)
                  for d in card.due]  # fmt: skip
    else:
        lines.append(label("daily.nothing_due"))
    return tuple(lines)


def card_text(card: Card) -> str:
    """Give the card as plain text in the current language.

    Examples
    --------
    >>> import datetime as dt
    >>> from salesops.model.calendar import Period
    >>> march = Period.parse("2026-03")
    >>> day = Card(company="Acme", whose="Acme", date=dt.date(2026, 3, 31), month=march, signed=0.0,
    ...            received=None, signed_month=80e3, expected=1e5, pace=0.8, attained_share=0.7,
    ...            due=(), due_kind="deals")
    >>> print(card_text(day).splitlines()[2])
    Mar 2026 so far: signed ¥80k of the ¥100k expected by now (80%).
    """
    return "\n".join(card_lines(card)) + "\n"


def card_html(card: Card, lang: str) -> str:
    """Give the card as one self-contained page in the current language.

    Parameters
    ----------
    lang
        That language, for the page's own mark.
    """
    head, day, month, *due = (html.escape(line) for line in card_lines(card))
    listed = "".join(f"<li>{line}</li>" for line in due[1:])
    after = f"<h2>{due[0]}</h2><ol>{listed}</ol>" if listed else f"<p>{due[0]}</p>"
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{head}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{head}</h1><p>{day}</p><p>{month}</p>{after}</body></html>\n"
    )


# A message is shown by mail programs that know little more than this.
_STYLE = (
    'body{font:15px/1.5 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;'
    "color:#1a1a1a;background:#fff;max-width:560px;margin:16px auto;padding:0 16px}"
    "h1{font-size:21px;font-weight:400;margin:0 0 8px}"
    "h2{font-size:15px;font-weight:400;color:#595959;margin:16px 0 4px}"
    "p{margin:4px 0}ol{margin:0;padding-left:20px}"
)


def _month(card: Card) -> str:
    told: dict[str, Any] = {"month": card.month, "signed": card.signed_month}
    if card.pace is not None:
        return say("daily.month_pace", **told, expected=card.expected, pace=card.pace)
    if card.attained_share is not None:
        return say("daily.month_target", **told, attained=card.attained_share)
    return say("daily.month", **told)


def _short(name: str) -> str:
    """Cut a name that would fill the chat, and keep it on its line."""
    line = " ".join(name.split())
    return line if len(line) <= 60 else line[:59] + "…"
