"""All cases, by name."""

from . import (
    grid_errors,
    grid_functions,
    grid_layers,
    grid_losses,
    grid_recurrent,
    grid_tensor,
    grid_training,
)

FILES = (
    grid_tensor, grid_functions, grid_layers, grid_losses, grid_training, grid_errors, grid_recurrent,
)  # fmt: skip
CASES = {case.name: case for file in FILES for case in file.CASES}
