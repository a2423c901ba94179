"""Wrong vjps, and how many of them the checks notice.

`mutation_score` makes stock mistakes in an op and runs `check_op` on each wrong copy. The mistakes:

- `gradients`: in the gradient that a vjp returns;
- `arguments`: in the values that a vjp is given;
- `forwards`: in the forward, most with vjps to match;
- `kinks`: in the choice at a kink or at ties.

`changes` and `attributes` hold the changes of values that these are made of. `wrong_vjps` is a
corpus of 41 wrong vjps as functions of arrays, written by hand, for trying any checker of
gradients.
"""

from .score import Mutant, Score, mutation_score

__all__ = ["Mutant", "Score", "mutation_score"]
