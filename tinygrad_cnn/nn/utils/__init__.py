"""Tools for parameters and gradients, and the modules `parametrize` and `parametrizations`."""
# ruff: noqa: F403

from . import parametrizations as parametrizations, parametrize as parametrize
from .fusion import *
from .gradients import *
from .normed import *
