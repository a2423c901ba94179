"""The size of each room and its ceiling: `python -m tests.sizes`.

Sizes are in lines of code: blank lines, comments and docstrings do not count. The ceilings are the
table in CONTRIBUTING.md. `tests/test_structure.py` fails if a room is larger.
"""

from __future__ import annotations

import ast
import functools
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[1]
NO_CODE = (
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
)  # fmt: skip


@functools.cache
def code_lines(path: Path) -> int:
    """The number of lines of a Python file that contain code."""
    source = path.read_text()
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                lines.difference_update(range(value.lineno, (value.end_lineno or 0) + 1))
    return len(lines)


def ceilings() -> dict[str, int]:
    """The table in CONTRIBUTING.md: a room's path, and its ceiling."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| `([\w/*.]+)` \| ([\d,]+) \|", text, re.MULTILINE)
    return {room: int(number.replace(",", "")) for room, number in rows}


def files_of(room: str) -> list[Path]:
    """The Python files of a room. `tinygrad_cnn/*.py` means only the files at the top."""
    if room.endswith("*.py"):
        return sorted(ROOT.glob(room))
    return sorted((ROOT / room).rglob("*.py"))


def size(room: str) -> int:
    """The lines of code of a room, without rooms inside it that have their own ceiling."""
    inner = [other for other in ceilings() if other != room and other.startswith(room + "/")]
    apart = {path for other in inner for path in files_of(other)}
    return sum(code_lines(path) for path in files_of(room) if path not in apart)


def main() -> None:
    """Print the table."""
    print(f"{'room':34} lines ceiling largest file")
    for room, ceiling in ceilings().items():
        largest = max(files_of(room), key=code_lines)
        print(f"{room:34} {size(room):5} {ceiling:7} {largest.name} {code_lines(largest)}")


if __name__ == "__main__":
    main()
