"""Dicts of arrays of bytes in Python's pickle format, such as CIFAR's batches. A file runs no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...serialization import CheckpointError, load_pickle

__all__ = ["read_pickle"]


def read_pickle(path: Path) -> dict[str, Any]:
    """The dict in a pickle, with its arrays of bytes. RuntimeError for a file with any other content."""
    try:
        found = load_pickle(path, encoding="latin1")
    except CheckpointError as error:
        words = str(error).removeprefix(f"{path}: ")
        raise RuntimeError(f"{path}: is no batch of images, or is damaged: {words}") from None
    if not isinstance(found, dict):
        raise RuntimeError(f"{path}: holds no dict, but {type(found).__name__}")
    for value in found.values():
        if isinstance(value, np.ndarray) and value.dtype != np.uint8:
            raise RuntimeError(f"{path}: has an array of {value.dtype}, wanted uint8")
    return {k.decode("latin1") if isinstance(k, bytes) else k: v for k, v in found.items()}
