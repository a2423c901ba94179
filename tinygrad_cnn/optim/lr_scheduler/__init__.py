"""Learning rates that change from epoch to epoch, or from step to step: the public names.

Most schedules make each rate from the one before, as in PyTorch: so they can be chained, and what a
user sets in between is kept. `t` is the epoch, 0 at first, and goes up by one with each `step()`.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from .base import LRScheduler as LRScheduler
from .base import LRScheduler as _LRScheduler  # noqa: F401  (as older code for PyTorch calls it)
from .composed import ChainedScheduler as ChainedScheduler
from .composed import ReduceLROnPlateau as ReduceLROnPlateau
from .composed import SequentialLR as SequentialLR
from .cycles import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cycles import CyclicLR as CyclicLR
from .cycles import OneCycleLR as OneCycleLR
from .epochs import ConstantLR as ConstantLR
from .epochs import CosineAnnealingLR as CosineAnnealingLR
from .epochs import ExponentialLR as ExponentialLR
from .epochs import LambdaLR as LambdaLR
from .epochs import LinearLR as LinearLR
from .epochs import MultiplicativeLR as MultiplicativeLR
from .epochs import MultiStepLR as MultiStepLR
from .epochs import PolynomialLR as PolynomialLR
from .epochs import StepLR as StepLR

if not _TYPE_CHECKING:
    from ...missing import not_here as _not_here

    __getattr__ = _not_here(__name__)
