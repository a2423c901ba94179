"""What is around training: `data` feeds it, `transforms` prepare images, `checkpoint` saves memory."""

from . import checkpoint as checkpoint, data as data, transforms as transforms
