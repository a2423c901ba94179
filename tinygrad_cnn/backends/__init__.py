"""`tinygrad_cnn.backends`, the path of `torch.backends`: flags without effect. See `compat/backends.py`.

>>> import tinygrad_cnn.backends.cudnn as cudnn
>>> cudnn.benchmark = True
>>> cudnn.is_available()
False
"""

from . import cuda as cuda, cudnn as cudnn, mkldnn as mkldnn, mps as mps
