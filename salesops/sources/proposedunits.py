"""In which unit the amounts of a sheet are: by the head, by the values, else by asking."""

import re
from typing import Literal

from salesops.sources.mapping import Unit
from salesops.sources.questions import BadAnswer, Desk, Question
from salesops.sources.seeing import Seen

_UNITS: dict[str, Unit] = {"万": "wan", "万元": "wan", "千": "k", "千元": "k", "k": "k", "元": "one",
                           "分": "cents"}  # fmt: skip
_BRACKETS = re.compile(r"[(（\[【]\s*(?:单位[:：]?\s*)?(?:人民币|RMB|CNY|USD|EUR|[¥￥$€])?\s*"
                       r"(万元?|千元?|元|分|[kK])\s*[)）\]】]|[/_\s-](万元|千元|元|[kK])$")  # fmt: skip
# Deals of a company that writes its amounts in full are seldom all smaller than this.
_SMALL = 5_000
_CHOICES: tuple[Literal["one", "wan", "k"], ...] = ("one", "wan", "k")


def unit_of_head(head: str) -> Unit | None:
    """Name the unit that a head says; None where it says none.

    Examples
    --------
    >>> unit_of_head("合同额(万元)"), unit_of_head("金额/元"), unit_of_head("Amount (k)")
    ('wan', 'one', 'k')
    >>> unit_of_head("金额") is None
    True
    """
    found = _BRACKETS.search(head)
    return _UNITS[(found[1] or found[2]).lower()] if found else None


def settled_unit(seen: Seen, head: str, key: str, desk: Desk) -> Unit:
    """Settle the unit of a column of money.

    Where neither the head nor the values tell, and all of them are small, it may be 万元: that is
    asked, as it makes reports wrong by a factor of ten thousand.
    """
    said = unit_of_head(head)
    if said is not None:
        return said
    found = seen.profiles[head]
    told = desk.given_for(f"{key}.unit")
    written = any(re.search(r"[万亿千kKmM元]\s*$", text) for text in found.common)
    is_small = found.largest is not None and found.largest < _SMALL
    chinese = any("\u4e00" <= c <= "\u9fff" for name in seen.heads for c in name)
    if told is None and (written or not is_small or not chinese):
        return "one"
    (answer,) = desk.decide(Question(
        key=f"{key}.unit", text=f"In which unit is {head}? one is 元, wan is 万元, k is 千元.",
        candidates=_CHOICES, default="wan",
        evidence=(f"{head}: such as {', '.join(found.samples)}; the largest is {found.largest:g}, "
                  "and the head names no unit.",),
    ))  # fmt: skip
    if answer not in _CHOICES:
        raise BadAnswer(key=f"{key}.unit", value=answer, reason="it is no unit", known=_CHOICES)
    return answer
