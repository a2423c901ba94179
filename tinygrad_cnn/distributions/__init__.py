"""Probability distributions, with PyTorch's names: densities, samples with and without gradients.

>>> from tinygrad_cnn import distributions
>>> policy = distributions.Categorical(logits=tc.tensor([0.0, 1.0, 2.0]))
>>> loss = -policy.log_prob(policy.sample())
"""
# ruff: noqa: F403

import typing as _typing

from . import constraints as constraints, kl as kl
from .bernoulli import *  # each module lists its public names in __all__
from .beta import *
from .categorical import *
from .distribution import Distribution as Distribution
from .independent import *
from .kl import *
from .normal import *
from .uniform import *

if not _typing.TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here
    from ..naming import own_methods as _own_methods

    _own_methods(globals())
    _not_here(globals())
