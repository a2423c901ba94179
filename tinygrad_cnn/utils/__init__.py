"""What is around training: `data` feeds it."""

from . import data as data
