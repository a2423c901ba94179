"""`torch.version`: the versions of GPU libraries, which are not here, and of this package."""

from __future__ import annotations

import sys

__version__: str = sys.modules[__package__.partition(".")[0]].__version__
cuda = hip = rocm = xpu = None
debug = False
git_version = "unknown"
