"""A newcomer's first month: lessons whose exercises are checked on a company of one's own.

Start with `salesops learn start my-month`, then open `my-month/lessons` in JupyterLab.

Examples
--------
>>> from salesops.playbook import ____, check
>>> win_rate = ____
"""

from salesops.playbook.blank import ____
from salesops.playbook.capstone import hand_in
from salesops.playbook.checking import check, hint, predict
from salesops.playbook.opened import open_lesson, progress

__all__ = ["____", "check", "hand_in", "hint", "open_lesson", "predict", "progress"]
