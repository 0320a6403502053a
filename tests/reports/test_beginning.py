"""A company's folder begins with a plan that holds, and never loses what is there."""

import tomllib

import pytest

from salesops.model.settings import Settings
from salesops.reports.beginning import PACKS, begin
from salesops.reports.jobs import known_reports
from salesops.reports.plan import open_plan
from salesops.reports.planfaults import BadPlan
from tests.fixtures import TINY


@pytest.mark.parametrize("langs", [["zh"], ["en"], ["zh", "en"]])
def test_the_plan_holds_and_has_three_reports_and_the_card_on(tmp_path, langs):
    begun = begin(tmp_path / "co", book="", langs=langs)
    assert sorted(path.name for path in begun.written) == [
        ".gitignore", "README.md", "reports.toml", "salesops.toml",
    ]  # fmt: skip
    plan = open_plan(tmp_path / "co")
    on = plan.entries()
    assert [entry.name for entry in on if entry.card] == ["daily"]
    assert sum(len(entry.reports) for entry in on) == 3
    # What is off can be switched on: all reports are in it.
    assert {r for entry in plan.plan.entries for r in entry.reports} == set(known_reports())
    assert {entry.name.split("_")[0] for entry in plan.plan.entries} == set(PACKS)


def test_each_entry_names_whom_it_is_for_what_it_decides_and_how_long_it_takes(tmp_path):
    begin(tmp_path, book="", langs=["zh"])
    for entry in open_plan(tmp_path).plan.entries:
        for words in (entry.audience, entry.decision):
            assert words.zh
            assert words.en
            assert words.zh != words.en
        assert entry.minutes >= 1


def test_what_a_teams_meeting_gets_on_paper_has_at_most_four_pages(tmp_path):
    begin(tmp_path, book="", langs=["zh"])
    pages = {e.name: e.most_pages for e in open_plan(tmp_path).plan.entries if e.most_pages}
    assert pages == {"monday": 4, "monday_funnel": 4}


def test_files_speak_the_first_language(tmp_path):
    begin(tmp_path / "zh", book="", langs=["zh", "en"])
    begin(tmp_path / "en", book="", langs=["en"])
    readme = {lang: (tmp_path / lang / "README.md").read_text("utf-8") for lang in ("zh", "en")}
    assert "计划一览" in readme["zh"]
    assert readme["en"].isascii()
    plan = (tmp_path / "en" / "reports.toml").read_text("utf-8")
    comments = [line for line in plan.splitlines() if line.startswith("#")]
    assert all(line.isascii() for line in comments)


def test_what_is_there_stays_as_it_is(tmp_path):
    (tmp_path / "reports.toml").write_text("# mine\n", encoding="utf-8")
    begun = begin(tmp_path, book="", langs=["en"])
    assert (tmp_path / "reports.toml").read_text("utf-8") == "# mine\n"
    assert begun.kept == (tmp_path / "reports.toml",)
    again = begin(tmp_path, book="", langs=["en"])
    assert again.written == ()
    assert not list(tmp_path.glob("*.tmp"))


def test_a_book_elsewhere_is_named_from_the_folder_and_keeps_its_own_settings(tmp_path):
    begun = begin(tmp_path / "co", book=str(TINY), langs=["en"])
    plan = open_plan(tmp_path / "co", over_book=True)
    assert TINY.samefile(plan.book)
    assert not (tmp_path / "co" / "salesops.toml").exists()
    assert begun.steps[0].startswith("salesops check")


def test_without_data_the_import_comes_first(tmp_path):
    assert begin(tmp_path, book="", langs=["en"]).steps[0].startswith("salesops import EXPORT")


def test_a_quarter_ends_where_the_fiscal_year_says(tmp_path):
    default = Settings.default()
    (tmp_path / "co").mkdir()
    begin(tmp_path / "co", book="", langs=["en"])
    begun_text = tomllib.loads((tmp_path / "co" / "reports.toml").read_text("utf-8"))
    (tmp_path / "co" / "reports.toml").unlink()
    settings = tmp_path / "co" / "salesops.toml"
    text = settings.read_text("utf-8").replace(
        f"fiscal_year_starts = {default.company.fiscal_year_starts}", "fiscal_year_starts = 2"
    )
    settings.write_text(text, encoding="utf-8")
    begin(tmp_path / "co", book="", langs=["en"])
    moved = tomllib.loads((tmp_path / "co" / "reports.toml").read_text("utf-8"))
    schedules = [[e["schedule"] for e in plan["entries"] if e["name"] == "quarterly"]
                 for plan in (begun_text, moved)]  # fmt: skip
    assert schedules == [["0 8 5 1,4,7,10 *"], ["0 8 5 2,5,8,11 *"]]


def test_a_password_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadPlan) as error:
        begin(tmp_path / "co", book="postgres://me:s3cret@db/crm", langs=["en"])
    assert "s3cret" not in str(error.value)
    assert not (tmp_path / "co").exists()
