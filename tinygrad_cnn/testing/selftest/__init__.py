"""Tests of the tester: right functions that are hard to check, and wrong vjps that people write."""

from . import right as _right, wrong as _wrong  # noqa: F401  # they fill the lists
from .case import KINDS, RIGHT, WRONG, Right, Wrong

__all__ = ["KINDS", "RIGHT", "WRONG", "Right", "Wrong"]
