"""Layers and models: the public names of this package, which each module lists in `__all__`."""
# ruff: noqa: F403

import typing as _typing

from . import functional as functional, init as init, utils as utils
from .activations import *
from .attention import *
from .batch_norm import *
from .containers import *
from .conv import *
from .distance import *
from .dropout import *
from .embedding import *
from .layers import *
from .losses import *
from .margin_losses import *
from .module import *
from .norm import *
from .padding import *
from .parameter import *
from .parameter_containers import *
from .pool import *
from .resize import *
from .summary import *

if _typing.TYPE_CHECKING:
    from . import parallel as parallel
    from .lazy import *
    from .parallel import DataParallel as DataParallel
    from .recurrent import *
    from .recurrent_cells import *
    from .transformer import *
else:
    from ..compat.missing import not_here as _not_here
    from ..naming import own_methods as _own_methods

    _own_methods(globals())
    _not_here(globals(), modules=("parallel",), names={
        "lazy": (
            "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d",
            "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
            "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear",
        ),
        "parallel": ("DataParallel",),
        "recurrent": ("GRU", "LSTM", "RNN", "RNNBase"),
        "recurrent_cells": ("GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"),
        "transformer": (
            "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
            "TransformerEncoderLayer",
        ),
    })  # fmt: skip
