"""41 wrong vjps, each beside its forward and the right one, as functions of NumPy arrays.

They are for trying checkers on (`python -m benchmarks.checkers`). `RULES` are the right ones,
`MUTANTS` the wrong.
"""

from . import layers, plain, windows  # noqa: F401  # they fill the lists
from .rule import MUTANTS, RULES, Mutant, Rule

__all__ = ["MUTANTS", "RULES", "Mutant", "Rule"]
