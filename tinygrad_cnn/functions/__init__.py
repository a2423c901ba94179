"""Functions of Tensors, with PyTorch's names; most are methods of Tensor too (methods.py).

This is the public edge. It checks arguments, once, and its errors say what came and what is wanted.
The ops below take clean arguments.
"""

from .arguments import array_of as array_of, axes as axes, axis as axis, sizes as sizes
from .along import *  # each module lists in __all__ what is public here
from .binary import *
from .comparison import *
from .counting import *
from .extremes import *
from .indexing import *
from .products import *
from .queries import *
from .reduction import *
from .shape import *
from .unary import *
