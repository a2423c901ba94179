"""Layers and models: the public names of this package, which each module lists in `__all__`."""
# ruff: noqa: F403

from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import functional as functional, init as init, utils as utils
from .activations import *
from .attention import *
from .containers import *
from .conv import *
from .dropout import *
from .layers import *
from .losses import *
from .module import *
from .norm import *
from .parameter import *
from .parameter_containers import *
from .pool import *
from .resize import *
from .summary import *

if not _TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    __getattr__ = _not_here(__name__)
