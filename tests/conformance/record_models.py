"""Run the models with PyTorch and write what they give: python tests/conformance/record_models.py"""

import json
from pathlib import Path

import numpy as np
import torch
from model_cases import CASES
from model_runs import description, digests, run

RECORDED = Path(__file__).parent / "recorded"


def main() -> None:
    torch.set_num_threads(1)
    RECORDED.mkdir(exist_ok=True)
    words, arrays = {"torch": torch.__version__, "cases": {}}, {}
    for name in CASES:
        result = run(name, torch)
        words["cases"][name] = description(result)
        for part, vector in digests(result).items():
            arrays[f"{name}/{part}"] = vector
    (RECORDED / "models.json").write_text(json.dumps(words, indent=None, ensure_ascii=False))
    np.savez_compressed(RECORDED / "models.npz", **arrays)


if __name__ == "__main__":
    main()
