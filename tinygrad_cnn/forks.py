"""Forks wait for modules that another thread imports: a child could never import them.

Python's lock of such a module stays with a thread that is not in the child, which would wait for it
forever. Locks of the package itself are remade by the modules that have them, with
`os.register_at_fork`.
"""

import importlib
import os
import sys
from contextlib import suppress

# The packages that are loaded late, when something is first used.
PACKAGES = {"llvmlite", "numba", "numpy", "tinygrad_cnn", "visualize"}


def _before_fork() -> None:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PACKAGES:
            spec = getattr(module, "__spec__", None)
            if spec is not None and getattr(spec, "_initializing", True):
                with suppress(Exception):  # the importing thread raises it
                    importlib.import_module(name)


def wait_first() -> None:
    """Have forks wait here before what other modules registered until now."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork)
