"""What is around training: `data` feeds it, `transforms` prepare images, `checkpoint` saves memory."""

from . import checkpoint as checkpoint
from . import data as data
from . import transforms as transforms
