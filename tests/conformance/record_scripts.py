"""Run the scripts with PyTorch and record them: `python -m tests.conformance.record_scripts`.

One of them writes logs, for which PyTorch needs the package tensorboard.
"""

import json
from pathlib import Path

from .script_cases import SCRIPTS
from .script_runs import as_json, run

RECORDED = Path(__file__).parent / "recorded" / "scripts.json"


def main() -> None:
    """Record all scripts, in the dtypes of each."""
    import torch

    torch.set_num_threads(1)
    found = {
        name: {dtype: as_json(run(script, torch, dtype)) for dtype in script.dtypes}
        for name, script in SCRIPTS.items()
    }
    words = {"torch": torch.__version__, "scripts": found}
    RECORDED.write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
