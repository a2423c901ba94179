"""The flags of `torch.backends` that model code sets: accepted, without effect."""

from __future__ import annotations

__all__ = ["cuda", "cudnn", "mkldnn", "mps"]


class _Backend:
    """One that is not there: any flag may be set, and `is_available()` is False."""

    benchmark = deterministic = enabled = allow_tf32 = False

    def is_available(self) -> bool:
        """False."""
        return False

    is_built = is_available


cudnn, mps, mkldnn, cuda = _Backend(), _Backend(), _Backend(), _Backend()
cuda.matmul = _Backend()  # type: ignore[attr-defined]
