"""Record the answers of PyTorch's build for CPUs: `python -m tests.conformance.record_machine`."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from .machine_cases import PROGRAMS, answer

FILE = Path(__file__).parent / "recorded" / "machine.json"
MODULES = ("amp", "backends.cudnn", "distributed", "fx", "jit", "multiprocessing", "nn.attention",
           "profiler", "utils._pytree", "utils.hooks")  # fmt: skip


def main() -> None:
    """Run each program with PyTorch."""
    import torch

    for name in MODULES:
        importlib.import_module(f"torch.{name}")
    torch.compile(lambda x: x)  # whose first call imports modules with warnings
    lines = [f"{json.dumps(p)}: {json.dumps(answer(p, torch))}" for p in PROGRAMS]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{FILE.name}: {len(lines)} answers")


if __name__ == "__main__":
    main()
