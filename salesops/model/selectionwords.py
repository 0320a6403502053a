"""The words of needs.xlsx in both languages: sheets, heads and what stands in cells."""

import unicodedata
from collections.abc import Mapping

Pair = tuple[str, str]  # Chinese, English

SHEETS: Mapping[str, Pair] = {
    "needs": ("需求", "Needs"), "candidates": ("候选", "Candidates"), "costs": ("成本", "Costs"),
    "company": ("公司", "Company"),
}  # fmt: skip
NEED_HEADS: Mapping[str, Pair] = {
    "need": ("需求", "Need"), "counted": ("怎么算", "Counted as"), "weight": ("权重", "Weight"),
    "minimum": ("最低分", "Minimum"), "note": ("备注", "Note"),
}  # fmt: skip
CANDIDATE_HEADS: Mapping[str, Pair] = {
    "candidate": ("候选", "Candidate"), "compared": ("参与比较", "Compare"),
    "said": ("文章评分（文章的一家之言，不计入总分，可改）",
             "Article's score (the article's opinion; it never counts; edit it)"),
    "note": ("备注", "Note"),
}  # fmt: skip
COST_HEADS: Mapping[str, Pair] = {
    "candidate": ("候选", "Candidate"),
    "user_year": ("每用户每年许可费", "Licence per user and year"),
    "year": ("每年固定许可费", "Licence per year, fixed"),
    "once": ("一次性实施费", "Implementation, once"),
    "deal_minutes": ("每单录入分钟", "Minutes of entry per deal"),
    "day_minutes": ("每人每天录入分钟", "Minutes of entry per person and day"),
    "n_fields": ("每单必填字段数", "Required fields per deal"),
    "stages": ("能设几个阶段", "Stages it can hold"),
    "users": ("能容纳几个用户", "Users it can hold"),
    "has_exits": ("能卡阶段退出条件", "Can demand exit conditions"),
    "note": ("备注", "Note"),
}  # fmt: skip
COMPANY_HEADS: Mapping[str, Pair] = {
    "item": ("项目", "Item"), "value": ("数值", "Value"), "note": ("备注", "Note"),
}  # fmt: skip
ITEMS: Mapping[str, Pair] = {
    "users": ("用户数", "Users"), "sellers": ("录入商机的人数", "People who enter deals"),
    "deals_a_year": ("每年商机数", "Deals a year"),
    "working_days": ("每年工作日", "Working days a year"),
    "hour_pay": ("每小时人工成本", "Pay of an hour"),
}  # fmt: skip
COUNTED: Mapping[str, Pair] = {
    "scored": ("打分", "scored"), "cost": ("三年成本", "three-year cost"),
    "fit": ("流程契合", "process fit"),
}  # fmt: skip
YES: Pair = ("是", "yes")
NO: Pair = ("否", "no")
NO_LIMIT: Pair = ("不限", "no limit")


def plain(value: object) -> str:
    """Write a cell in one form: full-width signs as half-width ones, no space around.

    Examples
    --------
    >>> plain(" 三年成本（元） "), plain(None)
    ('三年成本(元)', '')
    """
    return "" if value is None else unicodedata.normalize("NFKC", str(value)).strip()


def head(value: object) -> str:
    """Write a head in one form: small letters, without what stands in brackets.

    Examples
    --------
    >>> head("Article's score (its opinion)")
    "article's score"
    """
    return plain(value).casefold().partition("(")[0].strip()


def known(pairs: Mapping[str, Pair]) -> dict[str, str]:
    """Give each word, in one form, with what it means."""
    return {head(word): key for key, pair in pairs.items() for word in (*pair, key)}


def means(value: object, pair: Pair) -> bool:
    """Say whether a cell has one of the two words."""
    return plain(value).casefold() in {plain(word).casefold() for word in pair}
