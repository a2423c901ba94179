"""Functions of Tensors, with PyTorch's names; most are methods of Tensor too (methods.py).

Modules that few programs use are in the table `LATER`.

This is the public edge: arguments are checked here, once, and errors say what came and what is
wanted. The ops below take clean arguments. Other rooms find helpers in arguments.py.
"""

from typing import TYPE_CHECKING

from .along import *  # each module lists in __all__ what is public here
from .binary import *
from .comparison import *
from .extremes import *
from .indexing import *
from .joining import *
from .products import *
from .queries import *
from .reduction import *
from .reordering import *
from .repeating import *
from .reshaping import *
from .scattering import *
from .sorting import *
from .splitting import *
from .unary import *

LATER = {  # the names of modules that few programs use: they load on first access
    "contraction": ("einsum", "inner", "tensordot"),
    "counting": ("bincount", "histc"),
    "diagonals": (
        "diag", "diag_embed", "diagonal", "tril", "tril_indices", "triu", "triu_indices",
    ),
    "distances": ("cdist", "dist"),
    "index_writes": ("index_put", "scatter_reduce"),
    "matrices": ("cholesky", "det", "inverse", "logdet", "pinverse", "slogdet"),
    "nan_reduction": ("nanmean", "nansum"),
    "neighbours": ("diff",),
    "recurrent": ("gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"),
    "quantiles": ("kthvalue", "mode", "nanquantile", "quantile"),
    "searching": ("bucketize", "isin", "searchsorted", "unique_consecutive"),
    "special_functions": ("digamma", "erfc", "lgamma", "xlogy"),
    "stacking": ("atleast_1d", "atleast_2d", "atleast_3d", "column_stack"),
}  # fmt: skip

if not TYPE_CHECKING:  # type checkers follow the imports; at run time modules would be public too
    from ..compat.missing import not_here

    _loaded = [name for name, value in [*globals().items()] if callable(value)]
    not_here(globals(), names=LATER)
    __all__ = [name for name in _loaded if name not in ("not_here",)]
