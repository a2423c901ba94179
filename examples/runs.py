"""Training runs that can be interrupted: checkpoints, and errors in files of the user."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tinygrad_cnn as torch


class InputError(Exception):
    """A file that is missing or has the wrong content; the message names the file."""


def read(path: Path) -> Any:
    """The object in a checkpoint. InputError for a file that is missing or damaged."""
    try:
        return torch.load(path)
    except (OSError, torch.CheckpointError) as error:
        raise InputError(str(error)) from None


def resume(path: Path, parts: Mapping[str, Any]) -> int:
    """Restore a model, an optimizer and the like, and the random numbers. Returns the epochs done.

    InputError for a file that is not a checkpoint of these parts.
    """
    state = read(path)
    try:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["random"])
        return int(state["epochs"])
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{path}: does not fit this run: {why}") from None


def save(path: Path, parts: Mapping[str, Any], epochs: int) -> None:
    """Write the checkpoint that `resume` reads. An old file is replaced as a whole."""
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**state, "epochs": epochs, "random": torch.get_rng_state()}, path)
