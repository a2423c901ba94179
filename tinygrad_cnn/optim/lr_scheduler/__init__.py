"""Learning rates that change from epoch to epoch, or from step to step: the public names.

Most schedules make each rate from the one before, as in PyTorch: so they can be chained, and what a
user sets in between is kept. `t` is the epoch, 0 at first, and goes up by one with each `step()`.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from .base import (
    LRScheduler as LRScheduler,
    LRScheduler as _LRScheduler,  # noqa: F401  (as older code for PyTorch calls it)
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

if not _TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here

    __getattr__ = _not_here(__name__)
