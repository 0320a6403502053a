"""How people call columns, sheets and stages, in Chinese and English."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["open", "won", "lost", "void"]
# A part of a name that is shorter says nothing: `id` is in `paid`.
_SHORTEST_LATIN, _SHORTEST_CJK = 4, 2
_ALIKE = 0.88
# How sure a column's own name makes under that of a group, and names that say little without it.
_OWN = 0.95
_BARE = frozenset((
    "名称", "编号", "编码", "日期", "时间", "金额", "状态", "类型", "来源", "级别", "id", "name",
    "date", "type", "amount", "value", "status", "source", "no", "number",
))  # fmt: skip


class TableNames(BaseModel):
    """What is known of one kind of table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    columns: dict[str, tuple[str, ...]]
    beside: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class StageWords(BaseModel):
    """Words for one step of a process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    rank: int
    qualified: bool = False
    words: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """All names, by table, and all words of stages."""

    tables: dict[str, TableNames]
    stages: tuple[StageWords, ...]
    stage_of: dict[str, StageWords] = field(default_factory=dict)


@cache
def catalogue() -> Catalogue:
    """Read the catalogue of names."""
    text = files("salesops.sources").joinpath("synonyms.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    stages = tuple(StageWords.model_validate(part) for part in raw.pop("stages"))
    tables = {name: TableNames.model_validate(part) for name, part in raw.items()}
    stage_of = {plain_name(word): part for part in stages for word in part.words}
    return Catalogue(tables, stages, stage_of)


@cache
def plain_name(head: str) -> str:
    """Write a name without what differs by habit: case, width, spaces, brackets, endings.

    Examples
    --------
    >>> plain_name("Expected_Close Date"), plain_name("合同额（万元）"), plain_name("Segment__c")
    ('expectedclosedate', '合同额', 'segment')
    """
    text = unicodedata.normalize("NFKC", head).strip()
    bare = re.sub(r"[(\[【].*?[)\]】]", "", text) or text
    bare = re.sub(r"__[cr]$", "", bare)
    return "".join(c for c in bare.lower() if c.isalnum())


def likeness(head: str, names: tuple[str, ...]) -> float:
    """Say how well a head fits a list of names, 0 to 1; 1 is the same name.

    Examples
    --------
    >>> likeness("Close Date", ("close date",)), likeness("colour", ("close date",))
    (1.0, 0.0)
    >>> 0.5 < likeness("预计签约金额合计", ("预计签约金额",)) < 0.95
    True
    >>> likeness("基本信息/客户名称", ("客户名称",)) > likeness("客户信息/名称", ("名称",))
    True
    """
    plain = plain_name(head)
    found = max((_like(plain, plain_name(name)) for name in names), default=0.0)
    # Under the name of a group stands the column's own, if it says enough by itself.
    own = plain_name(head.rpartition("/")[2]) if "/" in head else ""
    if own and own not in _BARE and own in {plain_name(name) for name in names}:
        return max(found, _OWN)
    return found


@cache
def _like(head: str, name: str) -> float:
    if head == name:
        return 1.0
    if not head or not name:
        return 0.0
    shorter = _SHORTEST_LATIN if name.isascii() else _SHORTEST_CJK
    if len(name) >= shorter and name in head:
        # What stands at the end is the noun; what stands before it tells which one.
        return (0.55 if head.endswith(name) else 0.45) + 0.4 * len(name) / len(head)
    ratio = SequenceMatcher(None, head, name).ratio()
    return 0.8 * ratio if ratio >= _ALIKE and len(name) >= shorter else 0.0


def stage_words(text: str) -> StageWords | None:
    """Look up what step of a process a stage is, by its name without a number before it.

    Examples
    --------
    >>> stage_words("3. Closed Won").kind, stage_words("商务谈判").rank, stage_words("阶段甲")
    ('won', 50, None)
    """
    return catalogue().stage_of.get(plain_name(without_number(text)))


# How sheets say that a deal goes on; ends have the words of stages.
_GOING_ON = frozenset((
    "open", "inprogress", "active", "ongoing", "进行中", "跟进中", "执行中", "未结束", "正常",
    "在跟进", "跟进",
))  # fmt: skip


def word_of_end(text: str) -> Kind | None:
    """Say what a status means for a deal: it goes on, or how it ended.

    Examples
    --------
    >>> word_of_end("进行中"), word_of_end("赢单"), word_of_end("A 类")
    ('open', 'won', None)
    """
    if plain_name(text) in _GOING_ON:
        return "open"
    words = stage_words(text)
    return words.kind if words is not None and words.kind != "open" else None


_NUMBERED = re.compile(
    r"^\s*(?:(?:stage|step|phase|阶段|第)\s*)?(\d{1,3}|[①-⑨]|[一二三四五六七八九十])\s*"
    r"(?:[.、:：)）%\-_ /—]|阶段|步)+\s*|^\s*[A-Z]?(\d{1,3})[.、:：)）\-_ —]+\s*",
    re.IGNORECASE,
)


def without_number(text: str) -> str:
    """Take a number before a name away.

    Examples
    --------
    >>> without_number("01-初步接触"), without_number("S2. Discovery"), without_number("10% Lead")
    ('初步接触', 'Discovery', 'Lead')
    """
    bare = _NUMBERED.sub("", unicodedata.normalize("NFKC", text), count=1)
    return bare or text


def number_before(text: str) -> int | None:
    """Give the number before a name.

    Examples
    --------
    >>> number_before("01-初步接触"), number_before("三、报价"), number_before("Discovery")
    (1, 3, None)
    """
    found = _NUMBERED.match(unicodedata.normalize("NFKC", text))
    if found is None:
        return None
    digits = found[1] or found[2]
    if digits.isdigit():
        return int(digits)
    return "一二三四五六七八九十".find(digits) + 1 or None
