"""Run the models with PyTorch and record results: `python -m tests.conformance.record_models`."""

import json
from pathlib import Path

import numpy as np

from .model_cases import CASES
from .model_runs import description, digests, run

RECORDED = Path(__file__).parent / "recorded"


def main() -> None:
    """Record all models."""
    import torch

    torch.set_num_threads(1)
    words, arrays = {"torch": torch.__version__, "cases": {}}, {}
    for name in CASES:
        result = run(name, torch)
        words["cases"][name] = description(result)
        for part, vector in digests(result).items():
            arrays[f"{name}/{part}"] = vector
    (RECORDED / "models.json").write_text(json.dumps(words, ensure_ascii=False))
    np.savez_compressed(RECORDED / "models.npz", **arrays)


if __name__ == "__main__":
    main()
