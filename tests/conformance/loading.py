"""Load files of plain PyTorch code as modules over PyTorch or, with new imports, this package."""

import re
import sys
import types
from pathlib import Path
from typing import Any

MODELS = Path(__file__).parent / "models"

# the replacements that a user would make
IMPORTS = (
    (r"^( *)import torch$", r"\1import tinygrad_cnn as torch"),
    (r"^( *)import torch( as |\.)", r"\1import tinygrad_cnn\2"),
    (r"^( *)from torch( import |\.)", r"\1from tinygrad_cnn\2"),
)


def changed(source: str) -> str:
    """The source with its imports of PyTorch changed, and nothing else."""
    for pattern, replacement in IMPORTS:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE)
    return source


def load(name: str, library: Any) -> types.ModuleType:
    """models/<name>.py as a module that uses `library`: PyTorch or this package."""
    path = MODELS / f"{name}.py"
    source = path.read_text()
    if library.__name__ != "torch":
        source = changed(source)
    module = types.ModuleType(f"{library.__name__}_models.{name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module
