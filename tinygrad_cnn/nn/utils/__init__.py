"""Tools for parameters and gradients, and the modules `parametrize` and `parametrizations`."""
# ruff: noqa: F403

import typing as _typing

from . import parametrizations as parametrizations, parametrize as parametrize
from .fusion import *
from .gradients import *
from .normed import *

if not _typing.TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here

    _not_here(globals(), modules=("rnn",))
else:
    from . import rnn as rnn
