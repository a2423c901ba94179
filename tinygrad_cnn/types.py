"""The types that annotations use. PyTorch has most of them in `torch.types`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from .metadata import device, layout, memory_format

Number: TypeAlias = int | float | bool
DType: TypeAlias = np.dtype[Any]
Device: TypeAlias = device | str | int | None
Layout: TypeAlias = layout
MemoryFormat: TypeAlias = memory_format
Ints: TypeAlias = int | Sequence[int]  # one for all axes, or one for each
