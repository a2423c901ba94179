"""Functions of Tensors, with PyTorch's names; most are methods of Tensor too (methods.py).

This is the public edge: arguments are checked here, once, and errors say what came and what is
wanted. The ops below take clean arguments. Other rooms find helpers in arguments.py.
"""

from typing import TYPE_CHECKING

from .along import *  # each module lists in __all__ what is public here
from .binary import *
from .comparison import *
from .contraction import *
from .counting import *
from .diagonals import *
from .extremes import *
from .indexing import *
from .joining import *
from .matrices import *
from .products import *
from .queries import *
from .reduction import *
from .reordering import *
from .repeating import *
from .reshaping import *
from .scattering import *
from .sorting import *
from .special import *
from .splitting import *
from .unary import *

if not TYPE_CHECKING:  # type checkers follow the imports; at run time modules would be public too
    __all__ = [name for name, value in [*globals().items()] if callable(value)]
