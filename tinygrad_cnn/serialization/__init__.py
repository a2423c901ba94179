"""Checkpoints in PyTorch's format: containers of Tensors and plain values. No file runs code."""

import typing as _typing

from .checkpoint import load, load_pickle, save
from .files import CheckpointError
from .trusted import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

__all__ = [
    "CheckpointError", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "load",
    "load_pickle", "safe_globals", "save",
]  # fmt: skip

if not _typing.TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
