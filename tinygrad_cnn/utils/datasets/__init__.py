"""Data sets of images with torchvision's names and arguments, read from files on disk.

Images are uint8 arrays (H, W) or (H, W, C), which `utils.transforms` take; torchvision gives Pillow's
images. Nothing is downloaded: an error says where to put the files.

>>> from tinygrad_cnn.utils import datasets, transforms
>>> data = datasets.FakeData(4, (3, 8, 8), transform=transforms.ToTensor())
>>> data[0][0].shape
torch.Size([3, 8, 8])
"""

# ruff: noqa: F403

import typing as _typing

from .cifar import *  # each module lists its public names in __all__
from .fake import *
from .folder import *
from .mnist import *
from .vision import VisionDataset as VisionDataset

if not _typing.TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here
    from ...naming import own_methods as _own_methods

    _own_methods(globals())
    _not_here(globals())
