"""Right functions, by the difficulty that they pose to a checker."""

from . import (  # noqa: F401
    forms,
    kinks,
    layers,
    matrices,
    plain,
    precision,
    scales,
    shifts,
    windows,
)
