"""Run the in-place programs with PyTorch and write what comes: python tests/conformance/record_inplace.py"""

import json
from pathlib import Path
from typing import Any

import torch
from inplace_cases import INSTEAD, PROGRAMS
from inplace_runs import outcome
from saved_cases import table

RECORDED = Path(__file__).parent / "recorded"


def write(name: str, entries: dict[str, Any]) -> None:
    """As JSON, an entry a line."""
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in entries.items()]
    (RECORDED / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write("inplace.json", {name: outcome(program, torch) for name, program in PROGRAMS.items()})
    write("instead.json", {name: outcome(program, torch) for name, program in INSTEAD.items()})
    write("saved.json", table(torch))
