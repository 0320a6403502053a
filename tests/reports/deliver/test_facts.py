"""What a result leaves behind for those who tell of it: its words, and who may see it."""

from salesops import funnel
from salesops.model.sensitivity import SENSITIVITIES
from salesops.wording import language, money, say_finding


def test_findings_are_told_in_the_language_and_currency_of_their_report(tiny_book):
    result = funnel(tiny_book, period="2026Q1")
    for lang in ("zh", "en"):
        with language(lang):
            facts = result.facts()
            assert [told["said"]["action"] for told in facts["findings"]] == [
                say_finding(finding).action for finding in result.findings
            ]
            assert facts["lead"]["said"].endswith(money(result.lead.value))


def test_a_report_is_as_sensitive_as_the_most_sensitive_of_its_exhibits(tiny_book):
    result = funnel(tiny_book, period="2026Q1")
    assert result.facts()["sensitivity"] == "team"
    first = next(iter(result.exhibits.values()))
    object.__setattr__(first, "sensitivity", "manager")
    assert result.facts()["sensitivity"] == "manager"
    assert SENSITIVITIES == ("team", "manager", "hr")
