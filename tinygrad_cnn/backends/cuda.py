"""The flags of `torch.backends.cuda`."""

from types import SimpleNamespace

from ..compat.backends import *

matmul = SimpleNamespace(allow_tf32=False)
