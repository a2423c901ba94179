"""Transforms of functions, with PyTorch's names: derivatives, batches, modules without a state.

>>> from tinygrad_cnn.func import functional_call, grad
>>> model = tc.nn.Linear(2, 1)
>>> weights = {name: p.detach() for name, p in model.named_parameters()}
>>> loss = lambda weights, x: functional_call(model, weights, x).square().sum()
>>> sorted(grad(loss)(weights, tc.ones(3, 2)))
['bias', 'weight']
"""
# ruff: noqa: F403

import typing as _typing

from .gradients import *  # each module lists its public names in __all__
from .mapping import *
from .modules import *

if not _typing.TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here
    from ..naming import own_methods as _own_methods

    _own_methods(globals())
    _not_here(globals())
