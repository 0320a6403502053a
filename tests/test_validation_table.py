"""The table of measured claims keeps what was not measured anew."""

from validation.table import Claim, as_markdown, merged


def claim(part: str, value: float) -> Claim:
    return Claim(part=part, what=f"of {part}", value=value, low=0, high=1, n=9, aim="1", holds=True)


def test_parts_that_were_measured_replace_theirs_and_others_stay():
    before = as_markdown([claim("b", 0.1), claim("c", 0.2)])
    after = merged(before, [claim("b", 0.5), claim("a", 0.7)])
    assert after == as_markdown([claim("a", 0.7), claim("b", 0.5), claim("c", 0.2)])
    assert merged("", [claim("a", 0.7)]) == as_markdown([claim("a", 0.7)])
