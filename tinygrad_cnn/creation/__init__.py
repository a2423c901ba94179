"""Functions that make Tensors: of data, filled, in sequence and at random.

`options.py` checks the keywords that they share. `new.py` and `draws_in_place.py` hold functions
that are methods of Tensor only.
"""

from typing import TYPE_CHECKING

from .data import *  # each module lists in __all__ what is public here
from .draws import *
from .filled import *
from .sequences import *

if not TYPE_CHECKING:  # type checkers follow the imports; at run time modules would be public too
    __all__ = [name for name, value in [*globals().items()] if callable(value)]
