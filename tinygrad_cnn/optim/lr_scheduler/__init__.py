"""Schedules of learning rates, by epoch or by step: the public names.

Most schedules compute each rate from the one before, as in PyTorch. So they can be chained, and a
rate that a user sets is kept. `t` is the epoch: 0 at first, and one more with each `step()`; `base`
is the first rate of the group.
"""

import typing as _typing

from .base import (
    LRScheduler as LRScheduler,
    LRScheduler as _LRScheduler,  # noqa: F401  (its name in older code)
)
from .composed import (
    ChainedScheduler as ChainedScheduler,
    ReduceLROnPlateau as ReduceLROnPlateau,
    SequentialLR as SequentialLR,
)
from .cycles import (
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
    CyclicLR as CyclicLR,
    OneCycleLR as OneCycleLR,
)
from .epochs import (
    ConstantLR as ConstantLR,
    CosineAnnealingLR as CosineAnnealingLR,
    ExponentialLR as ExponentialLR,
    LambdaLR as LambdaLR,
    LinearLR as LinearLR,
    MultiplicativeLR as MultiplicativeLR,
    MultiStepLR as MultiStepLR,
    PolynomialLR as PolynomialLR,
    StepLR as StepLR,
)

if not _typing.TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here
    from ...naming import own_methods as _own_methods

    _own_methods(globals())
    _not_here(globals())
