"""Run the in-place programs with PyTorch and write what comes: python tests/conformance/record_inplace.py"""

import json
from pathlib import Path

import torch
from inplace_cases import PROGRAMS
from inplace_runs import outcome

PATH = Path(__file__).parent / "recorded" / "inplace.json"


def main() -> None:
    outcomes = {name: outcome(program, torch) for name, program in PROGRAMS.items()}
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in outcomes.items()]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
