"""Wrong vjps, by the kind of the mistake. Each is one that people make."""

from . import contracts, cotangents, elements, hard, matrices, meanings, shapes  # noqa: F401
