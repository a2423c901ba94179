"""What is around training: `data` feeds it, `checkpoint` saves memory."""

from . import checkpoint as checkpoint
from . import data as data
