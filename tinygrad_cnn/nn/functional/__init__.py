"""Functions of a network, with PyTorch's names: the checked edge of the ops for layers and losses.

Arguments are checked here, once; the ops below take clean ones.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from .activation import *  # each module lists in __all__ what is public here
from .attention import *
from .conv import *
from .distance import *
from .dropout import *
from .embedding import *
from .loss import *
from .margin import *
from .norm import *
from .padding import *
from .pool import *
from .resize import *

if not _TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here

    __getattr__ = _not_here(__name__)
