"""Right functions, by the difficulty that they pose to a checker."""

from . import forms, kinks, layers, matrices, plain, precision, scales, shifts, windows  # noqa: F401
