"""The flags of `torch.backends.mps`."""

from ..compat.backends import *
