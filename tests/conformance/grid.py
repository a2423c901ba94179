"""All cases, by name."""

from . import (
    grid_averages,
    grid_distributions,
    grid_errors,
    grid_func,
    grid_functions,
    grid_layers,
    grid_linalg,
    grid_losses,
    grid_prune,
    grid_recurrent,
    grid_tensor,
    grid_training,
)

FILES = (
    grid_tensor, grid_functions, grid_layers, grid_losses, grid_training, grid_errors, grid_recurrent,
    grid_linalg, grid_distributions, grid_averages, grid_prune, grid_func,
)  # fmt: skip
CASES = {case.name: case for file in FILES for case in file.CASES}
