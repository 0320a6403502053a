"""A made-up choice of a CRM: three candidates that there are not, and what an article thinks.

Names are codes with words in both languages; those of systems that there are stand as they are.
"""

import math

from salesops.model.selection import EXAMPLE, MADE_UP, Candidate, Given, Need, Needs, Offer

_SCORED = {
    "change": 20.0, "phone": 15.0, "log": 15.0, "export": 10.0, "cash": 10.0, "support": 5.0,
}  # fmt: skip
# Scores in the order of the needs above.
_SCORES = {
    "a": (6.0, 4.0, 8.0, 7.0, 9.0, 6.0), "b": (7.0, 9.0, 5.0, 8.0, 4.0, 7.0),
    "c": (9.0, 7.0, 7.0, 6.0, 6.0, 5.0),
}  # fmt: skip
_OFFERS = {
    "a": Offer(user_year=3600.0, year=0.0, once=400_000.0, deal_minutes=12.0, day_minutes=15.0,
               n_fields=24.0, stages=math.inf, users=math.inf, has_exits=True),
    "b": Offer(user_year=800.0, year=0.0, once=40_000.0, deal_minutes=5.0, day_minutes=8.0,
               n_fields=9.0, stages=5.0, users=50.0, has_exits=False),
    "c": Offer(user_year=1800.0, year=20_000.0, once=150_000.0, deal_minutes=7.0,
               day_minutes=10.0, n_fields=14.0, stages=math.inf, users=math.inf, has_exits=True),
}  # fmt: skip
# What the article that this project grew out of gives five systems, its table's second column.
SAID = {
    "简道云CRM": 9.8, "Salesforce": 9.2, "Zoho CRM": 8.7, "金蝶云星空": 8.5, "腾讯企点": 8.3,
}  # fmt: skip


def example() -> Needs:
    """Give the made-up choice."""
    scored = [Need(name=MADE_UP + name, counted="scored", weight=weight)
              for name, weight in _SCORED.items()]  # fmt: skip
    counted = [Need(name=MADE_UP + "cost", counted="cost", weight=15.0),
               Need(name=MADE_UP + "fit", counted="fit", weight=10.0)]  # fmt: skip
    made_up = [
        Candidate(
            name=MADE_UP + name, is_compared=True, offer=_OFFERS[name],
            scores={need.name: score for need, score in zip(scored, scores, strict=True)},
        )
        for name, scores in _SCORES.items()
    ]  # fmt: skip
    named = [Candidate(name=name, is_compared=False, said=said) for name, said in SAID.items()]
    return Needs(needs=(*scored, *counted), candidates=(*made_up, *named), given=Given(),
                 file=EXAMPLE, fingerprint=EXAMPLE)  # fmt: skip
