"""Texts that go out: clean, and shortened without cutting a character or a number."""

import html
import re
import unicodedata
from functools import lru_cache

ELLIPSIS = "…"
# They turn round what follows, in the subject too, where nothing ends their effect.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_JOINER = "\u200d"
_MODIFIERS = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
_NUMBER = re.compile(
    r"[<>＜＞~～]?\s?[¥￥$€£]?[−+-]?\d[\d,.:/％%\-–−～~]*\s?"
    r"(?:%|万元|亿元|千元|万|亿|元|点|倍|单|天|年|月|日|[kmb]\b|pts\b|x\b|days?\b)*"
)
_WHOLE = '<span style="white-space:nowrap;">'
# Where a sentence may end early: behind a space or a mark that closes something.
_BREAK = re.compile(r"[\s，。；：、！？）】》,;:!?)\]]")


def clean(text: str) -> str:
    r"""Give a text on one line, without characters that steer what shows it.

    Examples
    --------
    >>> clean("North\r\nBcc: all@example.com \u202eexe.fdp")
    'North Bcc: all@example.com exe.fdp'
    """
    shown = "".join(c if unicodedata.category(c) not in ("Cc", "Cs", "Co") else " "
                    for c in _TURNING.sub("", text))  # fmt: skip
    return " ".join(shown.split())


@lru_cache(maxsize=4096)  # a letter is tried in many lengths, most of its sentences the same
def shortened(text: str, most: int) -> str:
    """Shorten a text to a number of characters; numbers and characters stay whole.

    Examples
    --------
    >>> shortened("Short by ¥8.14m: it needs 16.3x", 14), shortened("还差1,051.7万元没赢", 8)
    ('Short by…', '还差…')
    """
    if len(text) <= most:
        return text
    # A number that begins before the end is seen whole; what comes later does not matter.
    text = text[: most + 40]
    limit = most - len(ELLIPSIS)
    inside = {
        at for found in _NUMBER.finditer(text) for at in range(found.start() + 1, found.end())
    }
    last = 0
    for at in range(limit, 0, -1):
        if at in inside or not _may_cut(text, at):
            continue
        last = last or at
        # A little less, where it then ends between two words.
        if at > limit // 2 and _BREAK.match(text[at - 1]):
            last = at
            break
        if at <= limit // 2:
            break
    return text[:last].rstrip(" ，、；：,;:") + ELLIPSIS


def numbers_whole(text: str) -> str:
    """Give a text as HTML in which no line breaks between a number and its unit.

    Examples
    --------
    >>> numbers_whole("差813.7万元 & more")
    '差<span style="white-space:nowrap;">813.7万元</span> &amp; more'
    """
    found, at = [], 0
    for match in _NUMBER.finditer(text):
        number = match[0].rstrip(" ,.:-–")
        start = match.start()
        if len(number) > 1:
            found += [html.escape(text[at:start]), f"{_WHOLE}{html.escape(number)}</span>"]
            at = start + len(number)
    return "".join([*found, html.escape(text[at:])])


def _may_cut(text: str, at: int) -> bool:
    """Say whether what a reader sees as one character stays whole when cut before `at`."""
    before, after = text[at - 1], text[at]
    if _JOINER in (before, after) or _MODIFIERS.match(after):
        return False
    if unicodedata.category(after).startswith("M"):
        return False
    if _FLAG.match(before) and _FLAG.match(after):
        run = len(text[:at]) - len(re.sub("[\U0001f1e6-\U0001f1ff]+$", "", text[:at]))
        return run % 2 == 0
    return True
