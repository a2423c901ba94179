"""The flags of `torch.backends.mkldnn`."""

from ..compat.backends import *
