"""Whether this package has the names of PyTorch that a script uses."""

import ast
import importlib
from functools import reduce

from .loading import changed
from .script_runs import SCRIPTS


def has_names(file: str) -> bool:
    """True if all imports of a script succeed, and all attributes of modules that it names exist."""
    tree, scope = ast.parse(changed((SCRIPTS / f"{file}.py").read_text())), {}
    try:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and "tinygrad_cnn" in (node.module or ""):
                module = importlib.import_module(node.module)
                for name in node.names:
                    scope[name.asname or name.name] = getattr(module, name.name)
            elif isinstance(node, ast.Import):
                for name in node.names:
                    if name.name.startswith("tinygrad_cnn"):
                        scope[name.asname or "tinygrad_cnn"] = importlib.import_module(name.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                root, *names = ast.unparse(node).split(".")
                if root in scope and all(name.isidentifier() for name in names):
                    reduce(getattr, names, scope[root])
    except (ImportError, AttributeError):
        return False
    return True
