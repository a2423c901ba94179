"""Layers and models: the public names of this package, which each module lists in `__all__`."""
# ruff: noqa: F403

from . import functional as functional
from . import init as init
from . import utils as utils
from .activations import *
from .attention import *
from .containers import *
from .layers import *
from .losses import *
from .module import *
from .parameter import *
from .parameter_containers import *
from .summary import *
