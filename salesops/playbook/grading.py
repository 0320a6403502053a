"""Grade a learner's capstone: the unknown company is made anew, and its truth is looked at."""

from salesops.playbook.capstone import Answer, capstone_seed
from salesops.playbook.capstonescore import find_truth, score
from salesops.playbook.learner import Learner
from salesops.playbook.lessons import exercises
from salesops.wording import say, set_language


def grade_lines(learner: Learner, lang: str = "") -> list[str]:
    """Say the points of a learner, part by part, with reasons.

    Parameters
    ----------
    learner
        Whose.
    lang
        `zh` or `en`; that of the learner where it is empty.
    """
    set_language(lang or learner.lang)
    answer = Answer.read(learner.folder)
    scored = score(answer, find_truth(capstone_seed(learner.seed)))
    passed = sum(step.state == "passed" for step in learner.progress().steps.values())
    head = say("lesson.grade.heading", name=learner.name, points=scored.points, n=passed,
               most=len(exercises()))  # fmt: skip
    lines = [head, *(f"  {part.points:5.1f} / {part.most:4.1f}  {part.reason}"
                     for part in scored.parts)]  # fmt: skip
    if answer is not None and answer.page:
        lines += [say("lesson.grade.page"), *(f"  {line}" for line in answer.page.splitlines())]
    return lines
