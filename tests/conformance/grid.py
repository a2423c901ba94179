"""All cases, by name."""

from . import (
    grid_averages,
    grid_distributions,
    grid_errors,
    grid_func,
    grid_layers,
    grid_linalg,
    grid_losses,
    grid_prune,
    grid_tensor,
    grid_training,
)

FILES = (
    grid_tensor,
    grid_layers,
    grid_losses,
    grid_training,
    grid_errors,
    grid_linalg,
    grid_distributions,
    grid_averages,
    grid_prune,
    grid_func,
)
CASES = {case.name: case for file in FILES for case in file.CASES}
