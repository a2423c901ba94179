"""Wrong vjps, by the kind of the mistake. Each is one that people make."""

from . import contracts, elements, meanings, shapes  # noqa: F401
