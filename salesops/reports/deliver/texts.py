"""Texts that go out: clean, and shortened without cutting a character or a number."""

import re
import unicodedata

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


def shortened(text: str, most: int) -> str:
    """Shorten a text to a number of characters; numbers and characters stay whole.

    Examples
    --------
    >>> shortened("Short by ¥8.14m: it needs 16.3x", 14), shortened("还差1,051.7万元没赢", 8)
    ('Short by…', '还差…')
    """
    if len(text) <= most:
        return text
    numbers = [match.span() for match in _NUMBER.finditer(text)]
    limit = most - len(ELLIPSIS)
    cuts = [at for at in range(limit, 0, -1) if _may_cut(text, at)]
    cuts = [at for at in cuts if not any(start < at < end for start, end in numbers)]
    # A little less, where it then ends between two words.
    early = [at for at in cuts if at > limit // 2 and _BREAK.match(text[at - 1])]
    at = (early or cuts or [0])[0]
    return text[:at].rstrip(" ，、；：,;:") + ELLIPSIS


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
