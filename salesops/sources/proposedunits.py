"""In which unit the amounts of a sheet are: by the head, by the values, else by asking."""

from typing import Literal

from salesops.sources.profiling import profile
from salesops.sources.questions import BadAnswer, Desk, Question
from salesops.sources.seeing import Seen
from salesops.sources.units import Unit

_WRITTEN = r"[万亿千kKmM元]\s*$"
# Deals of a company that writes its amounts in full are seldom all smaller than this.
_SMALL = 5_000
_SCALED = r"(?:[万亿千kKM]|[mM][nN])\s*(?:元|[A-Z]{3})?\s*$"
_CHOICES: tuple[Literal["one", "wan", "k", "million"], ...] = ("one", "wan", "k", "million")


def settled_unit(seen: Seen, head: str, key: str, desk: Desk) -> Unit | None:
    """Settle the unit of a column of money; None is that of its head, or the whole.

    Where neither the head nor the values tell, and all of them are small, it may be 万元: that is
    asked, as it makes reports wrong by a factor of ten thousand. So is the unit of a head that
    names one which is not known, such as 千万元.
    """
    if seen.read.layout.units.get(head) or seen.read.layout.unit:
        return None
    told = desk.given_for(f"{key}.unit")
    texts = seen.frame[head]
    # What has its unit behind it tells nothing of the numbers beside it.
    bare = texts[texts.notna() & (texts != "") & ~texts.str.contains(_WRITTEN, na=False)]
    found = profile(bare)
    is_small = found.largest is not None and found.largest < _SMALL
    chinese = any("\u4e00" <= c <= "\u9fff" for name in seen.heads for c in name)
    is_unclear = head in seen.read.layout.unclear_money
    may_be_more = chinese or texts.str.contains(_SCALED, na=False).any()
    if told is None and not is_unclear and not (is_small and may_be_more):
        return None
    says = (
        "its head or title says one that is not known" if is_unclear else "the head names no unit"
    )
    (answer,) = desk.decide(Question(
        key=f"{key}.unit", candidates=_CHOICES, default="wan" if chinese else "k",
        text=f"In which unit is {head}? one is 元, wan is 万元, k is 千元, million is 百万元.",
        evidence=(f"{head}: such as {', '.join(found.samples)}; the largest is "
                  f"{found.largest or 0:g}, and {says}.",
                  *([f"{len(texts) - len(bare)} others are empty or have their unit behind them."]
                    if len(bare) < len(texts) else ())),
    ))  # fmt: skip
    if answer not in _CHOICES:
        raise BadAnswer(key=f"{key}.unit", value=answer, reason="it is no unit", known=_CHOICES)
    return answer
