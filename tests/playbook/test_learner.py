"""The learner's folder, the command line, progress, the kit."""

import json

import nbformat
import pytest

from salesops.cli.main import main
from salesops.playbook import ____, check, hint, open_lesson, predict
from salesops.playbook.kit import timing, write_kit
from salesops.playbook.learner import PLACE, SetUpMissing, find_learner
from salesops.playbook.lessons import LESSONS, UnknownExercise, exercises, find_lesson
from salesops.playbook.owncompany import OwnCompany
from salesops.playbook.progress import Progress
from salesops.playbook.start import (
    AlreadyStarted,
    NothingToLearn,
    learner_options,
    start,
    unfit_for,
)
from salesops.sample.write import write_sample


def ran(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["learn", *arguments])
    return int(ended.value.code or 0)


def test_without_a_set_up_a_check_says_what_to_write(tmp_path, monkeypatch):
    monkeypatch.setenv(PLACE, str(tmp_path))
    for told in (check("L01.1", {1: "ops"}), hint("L01.1")):
        assert told.status == "set_up_missing"
        assert "salesops learn start" in repr(told)
    with pytest.raises(SetUpMissing) as missing:
        open_lesson("01")
    # Jupyter shows these lines in place of a traceback.
    assert missing.value._render_traceback_() == str(missing.value).splitlines()


def test_an_unknown_exercise_is_refused_with_the_nearest(learner):
    with pytest.raises(UnknownExercise) as unknown:
        check("L02.9", 1)
    assert "L02.1" in str(unknown.value)
    with pytest.raises(UnknownExercise):
        find_lesson("77")


def test_progress_is_kept_in_the_learners_folder_and_a_broken_file_is_put_aside(learner):
    assert check("L01.2", [1]).status == "not_yet"
    assert check("L01.2", exercises()["L01.2"].answer(learner.company)).status == "passed"
    assert check("L01.2", [1]).status == "not_yet"
    step = Progress.read(learner.folder).steps["L01.2"]
    assert (step.state, step.tries) == ("passed", 3)
    (learner.folder / "progress.json").write_text("{", encoding="utf-8")
    assert learner.progress().steps == {}
    assert (learner.folder / "progress.broken.json").exists()


def test_a_guess_is_set_beside_what_was_found_and_never_judged(learner):
    assert predict(____, 0.25).status == "note"
    assert "0.25" in repr(predict(____, 0.25))
    assert "40" in repr(predict(40, 0.25))
    assert predict(40).status == predict(40, ____).status == "note"


def test_feedback_is_escaped_where_it_is_shown_as_a_page(learner):
    told = check("L01.2", "<script>")
    assert "<script>" not in told._repr_html_()


def test_a_folder_of_somebody_else_is_refused_and_ones_own_is_kept(learner, monkeypatch):
    lesson = learner.folder / "lessons" / "01_job.ipynb"
    before = lesson.read_text("utf-8")
    lesson.write_text(before.replace("____", "1"), encoding="utf-8")
    with pytest.raises(AlreadyStarted) as error:
        start(learner.folder, name="Somebody else", lang="en")
    assert "Li Na" in str(error.value)
    start(learner.folder, name="Li Na", lang="en")
    assert lesson.read_text("utf-8") != before
    lesson.write_text(before, encoding="utf-8")


def test_a_company_with_nothing_to_see_for_an_exercise_is_made_anew(tmp_path):
    # The first company of this learner has no case at any customer that is about to renew.
    made = start(tmp_path / "month", name="learner 25", lang="en", capstone=False)
    assert unfit_for(made.company) == ()
    assert not list((tmp_path / "month").glob(".*"))
    write_sample(tmp_path / "first", learner_options(made.seed))
    (tmp_path / "first" / "pairs.csv").write_bytes(
        (made.folder / "company" / "pairs.csv").read_bytes()
    )
    assert unfit_for(OwnCompany(tmp_path / "first", made.seed)) == ("L12.2",)


def test_where_no_company_suits_that_is_said_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("salesops.playbook.start.unfit_for", lambda company: ("L12.2",))
    monkeypatch.setattr("salesops.playbook.start.TRIES", 2)
    with pytest.raises(NothingToLearn, match="in the last L12"):
        start(tmp_path / "month", name="Li Na", lang="en", capstone=False)
    assert not (tmp_path / "month" / "company").exists()
    assert not list((tmp_path / "month").iterdir())


def test_the_commands_lead_through_the_month(learner, capsys):
    folder = ("--folder", str(learner.folder))
    assert ran("list", "--lang", "zh") == 0
    assert "幕后大管家" in capsys.readouterr().out
    assert ran("next", *folder) == 0
    assert "01_job.ipynb" in capsys.readouterr().out
    assert ran("hint", "L01.1", *folder) == 0
    assert "hint 1 of" in capsys.readouterr().out
    for name in ("L01.1", "L01.2"):
        check(name, exercises()[name].answer(learner.company))
    assert ran("next", *folder) == 0
    assert "02_tables.ipynb" in capsys.readouterr().out
    assert ran("status", *folder) == 0
    said = capsys.readouterr().out
    assert f"2 of {len(exercises())} exercises done" in said
    assert "☑ week 1 · Give each request an owner" in said
    assert "☐ week 1 · Know the tables" in said
    assert ran("reset", "01", "--notebook", *folder) == 0
    assert "Forgotten: 2" in capsys.readouterr().out
    assert (learner.folder / "lessons" / "01_job.own-1.ipynb").exists()
    assert ran("status", "--folder", str(learner.folder.parent)) == 2
    assert ran("list", "--lang", "fr") == 2


def test_the_checklist_knows_what_was_done_outside_of_lessons(learner):
    from salesops.playbook.status import status_lines

    def done() -> set[str]:
        return {line for line in status_lines(learner) if "☑" in line}

    before = done()
    made = learner.folder / "reports" / "2026-06-20"
    made.mkdir(parents=True)
    (made / "funnel.en.html").touch()
    assert len(done() - before) == 1
    (made / "funnel.en.html").unlink()


def test_learners_have_no_solutions_and_instructors_have_all(learner, tmp_path):
    written = write_kit(tmp_path / "kit", "zh")
    assert len(written) == 1 + 2 * len(LESSONS)
    for lesson in LESSONS:
        own = (learner.folder / "lessons" / f"{lesson.stem}.ipynb").read_text("utf-8")
        page = (tmp_path / "kit" / f"{lesson.stem}.md").read_text("utf-8")
        solved = nbformat.read(tmp_path / "kit" / f"{lesson.stem}.solved.ipynb", as_version=4)
        whole = "\n".join(cell.source for cell in solved.cells)
        for one in lesson.exercises:
            assert one.solution.strip() in page
            assert one.solution.strip() in whole
            assert json.dumps(one.solution.strip())[1:-1] not in own


def test_the_minutes_of_the_parts_add_up_to_those_of_the_lesson():
    for lesson in LESSONS:
        assert sum(minutes for _part, minutes in timing(lesson)) == lesson.minutes
        assert 30 <= lesson.minutes <= 45
    assert {lesson.week for lesson in LESSONS} == {1, 2, 3, 4}


def test_a_learner_is_found_from_a_folder_below(learner, monkeypatch):
    monkeypatch.delenv(PLACE)
    monkeypatch.chdir(learner.folder / "lessons")
    assert find_learner().seed == learner.seed
