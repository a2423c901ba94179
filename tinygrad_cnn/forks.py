"""Forks wait for modules that another thread imports: a child could never import them.

Python's lock of such a module stays with a thread that is not in the child, which would wait for it
forever. Locks of the package itself are remade by the modules that have them, with
`os.register_at_fork`.
"""

import importlib
import sys
from contextlib import suppress

from . import kernels

# The packages that are loaded late, when something is first used.
PACKAGES = {"llvmlite", "numba", "numpy", "tinygrad_cnn", "visualize"}


def _wait_for_imports() -> None:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PACKAGES:
            spec = getattr(module, "__spec__", None)
            if spec is not None and getattr(spec, "_initializing", True):
                with suppress(Exception):  # the importing thread raises it
                    importlib.import_module(name)


# This module is imported last: what is registered last comes first before a fork.
kernels.wait_first(_wait_for_imports)
