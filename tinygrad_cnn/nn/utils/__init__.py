"""Tools for parameters and their gradients; `parametrize`, `parametrizations` are modules."""
# ruff: noqa: F403

from . import parametrizations as parametrizations, parametrize as parametrize
from .fusion import *
from .gradients import *
from .normed import *
