"""A backend of PyTorch that is not here: its flags may be set, without effect.

Each module of `tinygrad_cnn/backends/` takes its flags from here.
"""

from __future__ import annotations

__all__ = [
    "allow_tf32", "benchmark", "deterministic", "enabled", "is_available", "is_built",
]  # fmt: skip

allow_tf32: bool = False
benchmark: bool = False
deterministic: bool = False
enabled: bool = False


def is_available() -> bool:
    """False: this backend is not here."""
    return False


def is_built() -> bool:
    """False: this backend is not here."""
    return False
