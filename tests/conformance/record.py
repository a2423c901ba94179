"""Run PyTorch over the grid and record the results: `python -m tests.conformance.record`.

Arrays go into recorded.npz, all else (errors, names, printed modules) into recorded.json; the tests
replay both without PyTorch.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np

from .grid import CASES

HERE = Path(__file__).parent
ARRAYS, FACTS = HERE / "recorded.npz", HERE / "recorded.json"


def main() -> None:
    """Record all cases."""
    import torch
    import torch.nn.functional as F
    from torch import nn, optim

    arrays: dict[str, np.ndarray] = {}
    facts: dict[str, dict[str, object]] = {}
    numbers = {"error": 0, "value": 0}
    for number, (name, case) in enumerate(CASES.items()):
        found = case.run(torch, nn, F, optim)
        numbers["error" if "error" in found else "value"] += 1
        facts[name] = {k: v for k, v in found.items() if not isinstance(v, np.ndarray)}
        for key, value in found.items():
            if isinstance(value, np.ndarray):
                arrays[f"{number} {key}"] = value
    np.savez_compressed(ARRAYS, **arrays)
    FACTS.write_text(json.dumps({"torch": torch.__version__, "cases": facts}, indent=0) + "\n")
    size = (ARRAYS.stat().st_size + FACTS.stat().st_size) / 1e6
    print(f"{len(CASES)} cases ({numbers['error']} of them errors), {size:.2f} MB")


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # some messages print a set: fix its order
        command = [sys.executable, "-m", "tests.conformance.record"]
        os.execve(sys.executable, command, {**os.environ, "PYTHONHASHSEED": "0"})
    main()
