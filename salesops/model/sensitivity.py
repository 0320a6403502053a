"""Who may see what is said of people and pay."""

from typing import Literal, get_args

Sensitivity = Literal["team", "manager", "hr"]
SENSITIVITIES: tuple[Sensitivity, ...] = get_args(Sensitivity)  # from the least on
