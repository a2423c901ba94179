"""Checkpoints: nested containers of Tensors and plain values in one file. Nothing is unpickled."""

from .checkpoint import load, save
from .files import CheckpointError

__all__ = ["CheckpointError", "load", "save"]
