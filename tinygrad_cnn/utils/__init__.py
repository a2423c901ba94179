"""What is around training: `data` feeds it, `transforms` prepare its images."""

from . import data as data
from . import transforms as transforms
