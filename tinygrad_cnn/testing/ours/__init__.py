"""Strategies and references of this package's own ops.

A module here has the name of its family: `ours/conv.py` tests the ops of
`tinygrad_cnn/ops/conv.py`. It holds the references of the family, which are plain loops and NumPy,
independent of the kernels; the strategies that draw its calls; and one `register_strategy` for each
op.

Families share `forms`, the common forms of calls; `indices`, strategies of indices; and `taps`, the
geometry of windows. A family is imported when the strategy of one of its ops is first needed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

from ... import ops
from ...engine import Op


def register_family(op: Op) -> None:
    """Import the module that registers the strategies of the family of `op`, if there is one."""
    package, _, family = op.forward.__module__.rpartition(".")
    module = f"{__name__}.{family}"
    if package == ops.__name__ and module not in sys.modules and find_spec(module):
        import_module(module)
