"""Functions that make Tensors: of data, filled, in sequence and at random.

`options.py` checks the keywords that they share. `new.py` and `draws_in_place.py` hold functions
that are methods of Tensor only.
"""

from .data import *  # each module lists in __all__ what is public here
from .draws import *
from .filled import *
from .sequences import *
