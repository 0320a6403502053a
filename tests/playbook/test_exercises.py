"""Each exercise: what passes, what does not, and what is said about it."""

import ast

import pytest

from salesops.playbook import ____, check, hint
from salesops.playbook.checking import SOLUTION_AFTER
from salesops.playbook.exercise import agree, kind_of
from salesops.playbook.learner import PLACE
from salesops.playbook.lessons import (
    LESSONS,
    exercises,
    find_lesson,
    l03_process,
    l13_tools,
    l14_review,
)
from salesops.playbook.notebooks import read_lesson, with_solutions
from salesops.wording import language, say

EXERCISES = exercises()
WRONG = [(name, wrong) for name, one in EXERCISES.items() for wrong in one.wrong]


@pytest.fixture(params=EXERCISES)
def exercise(request):
    return EXERCISES[request.param]


@pytest.fixture(params=LESSONS, ids=lambda lesson: lesson.stem)
def lesson(request):
    return request.param


def run(notebook) -> dict[str, object]:
    """Run the cells of a notebook one after the other, and give what each shows."""
    names: dict = {}
    shown = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            body = ast.parse(cell.source).body
            last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
            exec(compile(ast.Module(body, []), cell.id, "exec"), names)
            if last is not None:
                shown[cell.id] = eval(compile(ast.Expression(last.value), cell.id, "eval"), names)
                assert repr(shown[cell.id]), cell.id
    return shown


def checked(notebook, shown) -> dict[str, str]:
    return {c.metadata["exercise"]: shown[c.id].status
            for c in notebook.cells if "exercise" in c.metadata}  # fmt: skip


@pytest.mark.parametrize("stem", [one.stem for one in LESSONS if not one.unknown])
def test_a_lesson_with_its_solutions_passes_for_another_learner(stem, neighbour, monkeypatch):
    lesson = find_lesson(stem)
    monkeypatch.setenv(PLACE, str(neighbour.folder))
    (neighbour.folder / "progress.json").unlink(missing_ok=True)
    notebook = with_solutions(read_lesson(lesson, "zh"), lesson.exercises)
    shown = run(notebook)
    assert checked(notebook, shown) == {one.id: "passed" for one in lesson.exercises}


def test_an_untouched_lesson_runs_through_and_nothing_counts_as_tried(lesson, learner):
    notebook = read_lesson(lesson, "en")
    shown = run(notebook)
    assert checked(notebook, shown) == {one.id: "not_attempted" for one in lesson.exercises}
    assert learner.progress().steps == {}


def test_a_blank_is_not_attempted_and_no_try(exercise, learner):
    for blank in (____, [____], {"team": ____}, ...):
        assert check(exercise.id, blank).status == "not_attempted"
    assert learner.progress().steps == {}


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_a_usual_mistake_is_told_by_what_it_means(name, wrong, learner):
    exercise = EXERCISES[name]
    told = check(name, exercise.wrong[wrong](learner.company))
    assert (told.status, told.meaning) == ("not_yet", wrong)
    assert told.lines[0] == say(f"lesson.{name}.wrong.{wrong}")


CONSTANTS = (0, 1, -1, 0.5, 0.25, 100, "", "ops", [], ["D000001"], {}, {"team": "A"})


def test_a_constant_fails(exercise, learner):
    wanted = kind_of(exercise.answer(learner.company))
    for constant in CONSTANTS:
        told = check(exercise.id, constant)
        assert told.status == ("not_yet" if kind_of(constant) == wanted else "error"), constant


def test_the_neighbours_answer_fails(exercise, learner, neighbour):
    theirs = exercise.answer(neighbour.company)
    assert check(exercise.id, theirs).status == "not_yet"


def test_what_is_told_never_shows_the_answer(exercise, learner):
    right = exercise.answer(learner.company)
    shown = str(right) if not isinstance(right, float) else f"{right:.4g}"
    for answer in (CONSTANTS[3], "x", ["x"], {"x": 1}):
        for _try in range(2):
            told = repr(check(exercise.id, answer))
            assert shown not in told or len(shown) < 3, told


def test_the_solution_may_be_read_after_some_tries(exercise, learner):
    kind = kind_of(exercise.answer(learner.company))
    wrong = {"number": -12.5, "text": "x", "list": ["x"], "table": {"x": 1}}[kind]
    told = [check(exercise.id, wrong).code for _try in range(SOLUTION_AFTER)]
    assert told == [""] * (SOLUTION_AFTER - 1) + [exercise.solution]


def test_hints_come_one_after_the_other_in_both_languages(exercise, learner):
    told = [hint(exercise.id) for _time in range(exercise.hints + 1)]
    said = [one.lines[0] for one in told]
    assert said == [*(say(f"lesson.{exercise.id}.hint{n + 1}") for n in range(exercise.hints)),
                    said[-2]]  # fmt: skip
    with language("zh"):
        for n in range(exercise.hints):
            assert say(f"lesson.{exercise.id}.hint{n + 1}") not in said


def test_a_number_of_another_kind_is_told_so(learner):
    """Per cent in place of a share, yuan in 万, the sign."""
    for exercise in EXERCISES.values():
        right = exercise.answer(learner.company)
        if isinstance(right, float) and 0.02 < right < 0.98:
            assert check(exercise.id, right * 100).meaning == "percent", exercise.id
        elif isinstance(right, float) and right > 10_000:
            assert check(exercise.id, right / 10_000).meaning == "unit", exercise.id


def test_mistakes_of_an_exercise_differ_from_each_other(exercise, learner):
    answers = {name: wrong(learner.company) for name, wrong in exercise.wrong.items()}
    for name, one in answers.items():
        for other, two in answers.items():
            assert name == other or not agree(one, two, exercise), (name, other)


def test_the_four_misconceptions_are_shown_with_harm_and_cure(learner, neighbour):
    """A tool is no management, more process, analysis alone, the giants' way."""
    for company in (learner.company, neighbour.company):
        late = l13_tools.edits(company).groupby("team")["last_days"].mean().sort_values()
        assert late.iloc[-1] > 1.5 * late.iloc[-2]
        medians = l03_process.stays(company).assign(small=lambda s: s["amount"] < 100_000)
        medians = medians[medians["stage"] == "legal_review"].groupby("small")["days"].median()
        assert medians[True] > 1.5 * medians[False]
        listed = l14_review.listed(company).groupby("silent")["answered"].mean()
        assert listed[True] < listed[False] / 2
        leads = l14_review.answered_leads(company).set_index(["agreed", "after"])
        for column in ("in_half_an_hour", "became_deal"):
            moved = leads[column].unstack()
            moved = moved[True] - moved[False]
            assert moved[True] > moved[False], column
        cost = {name: l13_tools._cost(company, name) for name in ("big", "small")}
        assert cost["big"] > 2 * cost["small"]


def test_a_rounded_number_is_told_to_be_near(learner):
    right = EXERCISES["L11.3"].answer(learner.company)
    assert check("L11.3", right * 1.0005).meaning == "rounded"
    assert check("L11.3", float(f"{right:.2g}")).status == "not_yet"
    # Four digits are enough for who copies by hand, as long as they are rounded well.
    assert check("L11.3", float(f"{right:.4g}")).status == "passed"
    assert check("L11.3", float(f"{right:.4g}") + 0.1).status == "not_yet"
