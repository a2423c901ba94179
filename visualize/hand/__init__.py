"""A small graph worked by hand: formulas with numbers, as a picture and as a page to step through.

`worked.py` finds the values and gradients, `formulas.py` reads the formulas in the docstrings of ops
(`arithmetic.py` writes and evaluates them), `windows.py` asks the engine which elements depend on
which. `lines.py` writes each element's line with `call.py`; `dot.py` and `page.py` show them.
"""

from .by_hand import ByHand, by_hand

__all__ = ["ByHand", "by_hand"]
