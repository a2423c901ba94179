"""Tools around training: `data` loads samples, `transforms` change images, `checkpoint` saves memory."""

from . import checkpoint as checkpoint, data as data, transforms as transforms
