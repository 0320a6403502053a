"""In which unit the amounts of a sheet are: by the head, by the values, else by asking."""

import re
from typing import Literal

from salesops.sources.questions import BadAnswer, Desk, Question
from salesops.sources.seeing import Seen
from salesops.sources.units import Unit

# Deals of a company that writes its amounts in full are seldom all smaller than this.
_SMALL = 5_000
_CHOICES: tuple[Literal["one", "wan", "k"], ...] = ("one", "wan", "k")


def settled_unit(seen: Seen, head: str, key: str, desk: Desk) -> Unit | None:
    """Settle the unit of a column of money; None is that of its head, or the whole.

    Where neither the head nor the values tell, and all of them are small, it may be 万元: that is
    asked, as it makes reports wrong by a factor of ten thousand.
    """
    if seen.read.layout.units.get(head) or seen.read.layout.unit:
        return None
    found = seen.profiles[head]
    told = desk.given_for(f"{key}.unit")
    written = any(re.search(r"[万亿千kKmM元]\s*$", text) for text in found.common)
    is_small = found.largest is not None and found.largest < _SMALL
    chinese = any("\u4e00" <= c <= "\u9fff" for name in seen.heads for c in name)
    if told is None and (written or not is_small or not chinese):
        return None
    (answer,) = desk.decide(Question(
        key=f"{key}.unit", text=f"In which unit is {head}? one is 元, wan is 万元, k is 千元.",
        candidates=_CHOICES, default="wan",
        evidence=(f"{head}: such as {', '.join(found.samples)}; the largest is {found.largest:g}, "
                  "and the head names no unit.",),
    ))  # fmt: skip
    if answer not in _CHOICES:
        raise BadAnswer(key=f"{key}.unit", value=answer, reason="it is no unit", known=_CHOICES)
    return answer
