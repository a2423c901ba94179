"""Run the in-place programs with PyTorch: `python -m tests.conformance.record_inplace`."""

import json
from pathlib import Path
from typing import Any

from .inplace_cases import INSTEAD, PROGRAMS
from .inplace_runs import outcome
from .saved_cases import table

RECORDED = Path(__file__).parent / "recorded"


def write(name: str, entries: dict[str, Any]) -> None:
    """The JSON text, one entry per line."""
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in entries.items()]
    (RECORDED / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    """Record all programs."""
    import torch

    write("inplace.json", {name: outcome(program, torch) for name, program in PROGRAMS.items()})
    write("instead.json", {name: outcome(program, torch) for name, program in INSTEAD.items()})
    write("saved.json", table(torch))


if __name__ == "__main__":
    main()
