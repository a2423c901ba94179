"""The flags of `torch.backends.cudnn`."""

from ..compat.backends import *
