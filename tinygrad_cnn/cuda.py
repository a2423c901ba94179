"""`tinygrad_cnn.cuda`, the path of `torch.cuda`. See `compat/cuda.py`."""

from .compat.cuda import *
