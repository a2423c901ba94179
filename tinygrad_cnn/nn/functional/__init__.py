"""Functions of networks, with PyTorch's names: the checked edge of the ops for layers and losses.

Arguments are checked here, once. The ops below take clean ones.
"""

import typing as _typing

from .activation import *  # the __all__ of each module says which names are public
from .adaptive_pool import *
from .attention import *
from .conv import *
from .cross_entropy import *
from .distance import *
from .dropout import *
from .embedding import *
from .likelihood import *
from .loss import *
from .margin import *
from .max_unpool import *
from .norm import *
from .padding import *
from .pool import *
from .rectifier import *
from .resize import *
from .softmax import *

if not _typing.TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here

    _not_here(globals(), names={"grid": ("affine_grid", "grid_sample")})
else:
    from .grid import *
