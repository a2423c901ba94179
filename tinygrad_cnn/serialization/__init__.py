"""Checkpoints in PyTorch's format: nested containers of Tensors and plain values. No file runs code."""

from .checkpoint import load, save
from .files import CheckpointError
from .trusted import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

__all__ = [
    "CheckpointError", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load",
    "safe_globals", "save",
]  # fmt: skip
