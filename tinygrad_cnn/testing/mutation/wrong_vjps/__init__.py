"""41 wrong vjps as functions of NumPy arrays, each with its forward and the right vjp.

They are for trying checkers of gradients (`python -m benchmarks.checkers`). `RULES` lists the right
rules, `WRONG_VJPS` the wrong vjps.
"""

from . import layers, plain, windows  # noqa: F401  # they fill the lists
from .rule import RULES, WRONG_VJPS, Rule, Vjp, WrongVjp

__all__ = ["RULES", "WRONG_VJPS", "Rule", "Vjp", "WrongVjp"]
