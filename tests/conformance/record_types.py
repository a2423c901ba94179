"""Record PyTorch's results of `types_cases`: `python -m tests.conformance.record_types`."""

from __future__ import annotations

import json
from pathlib import Path

from .types_cases import CASES, outcome

RESULTS = Path(__file__).parent / "recorded" / "types.json"


def main() -> None:
    """Record all cases, one a line."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    lines = [f"{json.dumps(name)}: {json.dumps(outcome(name, torch, nn, F))}" for name in CASES]
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    errors = sum('"error"' in line for line in lines)
    print(f"{len(CASES)} cases ({errors} of them errors), {RESULTS.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
