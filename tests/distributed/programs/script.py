"""Runs a script of `scripts/`, which is written for PyTorch, with its imports changed."""

import re
import sys
from pathlib import Path

file = Path(__file__).parents[1] / "scripts" / sys.argv[1]
text = file.read_text(encoding="utf-8")
text = re.sub(r"^import torch$", "import tinygrad_cnn as torch", text, flags=re.MULTILINE)
text = re.sub(r"^(import|from) torch\b", r"\1 tinygrad_cnn", text, flags=re.MULTILINE)
sys.argv[:] = [str(file), *sys.argv[2:]]
exec(compile(text, str(file), "exec"), {"__name__": "__main__"})
