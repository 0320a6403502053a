"""How far a learner is, and what comes next."""

from salesops.playbook.checklist import CHECKLIST
from salesops.playbook.exercise import Lesson
from salesops.playbook.learner import Learner
from salesops.playbook.lessons import LESSONS, exercises
from salesops.playbook.notebooks import title_of
from salesops.wording import say, set_language


def next_lesson(learner: Learner) -> Lesson | None:
    """Give the first lesson that is not finished; nothing when all is done."""
    steps = learner.progress().steps
    for lesson in LESSONS:
        if any(n.id not in steps or steps[n.id].state != "passed" for n in lesson.exercises):
            return lesson
    handed_in = all(item.is_done(learner) for item in CHECKLIST if item.name == "capstone")
    return None if handed_in else LESSONS[-1]


def status_lines(learner: Learner) -> list[str]:
    """Say lesson by lesson and item by item what was done."""
    set_language(learner.lang)
    steps = learner.progress().steps
    n = sum(step.state == "passed" for step in steps.values())
    lines = [f"{learner.name} · {say('lesson.told.progress', n=n, most=len(exercises()))}"]
    for lesson in LESSONS:
        done = [name.id for name in lesson.exercises
                if name.id in steps and steps[name.id].state == "passed"]  # fmt: skip
        counted = f"{len(done)}/{len(lesson.exercises)}" if lesson.exercises else "   "
        lines.append(f"  {counted}  {title_of(lesson, learner.lang)}")
    lines.append(say("lesson.month.heading"))
    for item in CHECKLIST:
        sign = "☑" if item.is_done(learner) else "☐"
        lines.append(f"  {sign} {say('lesson.month.week', week=item.week)} · "
                     f"{say(f'lesson.month.{item.name}')}")  # fmt: skip
    return lines
