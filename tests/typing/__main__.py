"""Check the types that users see: `python -m tests.typing`.

mypy --strict and pyright (as basedpyright) run on the programs beside this file. Those in `right/`
must pass; in `wrong/`, each line that ends with `# wrong` must be reported, and no other. Then stubtest
compares the stubs with the package.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STUBS = ("tinygrad_cnn.creation", "tinygrad_cnn.functions", "tinygrad_cnn.methods")


def reported_by_mypy(folder: Path) -> dict[tuple[str, int], str]:
    """(file, line) → message, for each error that mypy finds in a folder."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--no-error-summary",
        str(folder),
    ]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout
    pattern = re.compile(r"^(.*?):(\d+): error: (.*)$", re.MULTILINE)
    return {(Path(f).name, int(line)): message for f, line, message in pattern.findall(found)}


def reported_by_pyright(folder: Path) -> dict[tuple[str, int], str]:
    """(file, line) → message, for each error that pyright finds in a folder."""
    settings = HERE / "pyright.json"
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "-p",
        str(settings),
        str(folder),
    ]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    try:
        diagnostics = json.loads(run.stdout)["generalDiagnostics"]
    except (ValueError, KeyError):
        sys.exit(f"basedpyright did not run: {run.stdout[-500:]}{run.stderr[-500:]}")
    return {
        (Path(d["file"]).name, d["range"]["start"]["line"] + 1): d["message"]
        for d in diagnostics
        if d["severity"] == "error" and Path(d["file"]).is_relative_to(folder)
    }


def marked(folder: Path) -> set[tuple[str, int]]:
    """The lines that end with `# wrong`."""
    return {
        (path.name, number)
        for path in sorted(folder.glob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.endswith("# wrong")
    }


def main() -> int:
    """Run all; the number of disagreements."""
    problems = 0
    for name, check in (("mypy", reported_by_mypy), ("pyright", reported_by_pyright)):
        for folder in (HERE / "right", HERE / "wrong"):
            found, wanted = check(folder), marked(folder)
            for place in sorted(found.keys() ^ wanted):
                said = found.get(place, "an error is wanted here, none is reported")
                print(f"{name}: {folder.name}/{place[0]}:{place[1]}: {said}")
            problems += len(found.keys() ^ wanted)
            print(f"{name}: {folder.name}: {len(wanted)} mistakes marked, {len(found)} reported")
    stubtest = [
        sys.executable,
        "-m",
        "mypy.stubtest",
        *STUBS,
        "--mypy-config-file",
        str(ROOT / "setup.cfg"),
        "--allowlist",
        str(HERE / "allowlist.txt"),
        "--concise",
    ]
    problems += subprocess.run(stubtest, cwd=ROOT).returncode
    return problems


if __name__ == "__main__":
    sys.exit(bool(main()))
