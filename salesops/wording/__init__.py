"""Sentences, numbers, money and dates in Chinese and English.

Raw numbers reach this package; it alone formats. A sentence is one catalogue entry with named
fields. To add one, write it into `locale/zh/LC_MESSAGES/<stem>.po`::

    #. fields: stage (stage), share (ratio), n (count)
    msgctxt "funnel.stage_leak"
    msgid "{stage} loses {share} of what reaches it ({n} deals)"
    msgstr "{stage}流失了到达金额的{share}（{n}单）"

and call `say("funnel.stage_leak", stage="needs", share=0.41, n=26)`. The English sentence is the
msgid, the code is the context, the comment declares each field's type, one of `FORMATS`.
"""

from salesops.wording.catalogue import label, say
from salesops.wording.findings import Words, say_finding, say_gap, say_reason
from salesops.wording.language import current_language, language, set_language, tell_company
from salesops.wording.notebooks import stale_paragraphs, translate_notebook
from salesops.wording.numbers import count, date, days, listed, money, period, points, ratio, times

__all__ = [
    "Words",
    "count",
    "current_language",
    "date",
    "days",
    "label",
    "language",
    "listed",
    "money",
    "period",
    "points",
    "ratio",
    "say",
    "say_finding",
    "say_gap",
    "say_reason",
    "set_language",
    "stale_paragraphs",
    "tell_company",
    "times",
    "translate_notebook",
]
