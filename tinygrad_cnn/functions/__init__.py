"""Functions of Tensors, as PyTorch names them; most are methods of Tensor too (methods.py).

This is the public edge: arguments are checked here, once, and errors say what came and what is
wanted. The ops below take clean arguments.
"""

from .arguments import array_of as array_of, axes as axes, axis as axis, sizes as sizes
from .comparison import *  # each module lists in __all__ what is public here
from .binary import *
from .indexing import *
from .products import *
from .reduction import *
from .shape import *
from .unary import *
