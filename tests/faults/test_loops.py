"""Python 3.12 and 3.13 protect no jump back that ends an `if`: none may stand where an exit counts.

The last `if` of a loop compiles to a jump over the rest or a jump back. The interpreter looks for
signals at the jump back, but the compiler leaves that one out of the table of exceptions: an interrupt
there skips the `__exit__` of a `with` block and the `finally` around the loop. So such a loop is a
function of its own, which the block calls.
"""

import dis
import sys
import types
from pathlib import Path

import pytest

from .interrupts import PACKAGE


def functions(code):
    """The code and all that it contains."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from functions(constant)


def unprotected(code):
    """The lines of `code` with a conditional jump back that leaves out a `with` or `finally`."""
    table = dis.Bytecode(code).exception_entries
    instructions = list(dis.get_instructions(code)) if table else []
    at = {instruction.offset: k for k, instruction in enumerate(instructions)}

    def handlers(offset):
        """The places that get an exception, from the innermost out."""
        found = []
        while True:
            inner = [entry.target for entry in table if entry.start <= offset < entry.end]
            if not inner:
                return found
            offset = inner[0]
            found.append(at[offset])

    for k, jump in enumerate(instructions):
        before = next((i for i in instructions[:k][::-1] if i.opname != "EXTENDED_ARG"), jump)
        if jump.opname == "JUMP_BACKWARD" and before.opname.startswith("POP_JUMP"):
            missing = set(handlers(jump.argval)) - set(handlers(jump.offset))
            if any(takes_interrupts(instructions[h : h + 4]) for h in missing):
                yield jump.positions.lineno


def takes_interrupts(start):
    """Whether the handler that starts so is a `with`, a `finally`, or an `except` for interrupts."""
    if start[0].opname != "PUSH_EXC_INFO":  # of a generator or a comprehension
        return False
    caught = any(instruction.opname == "CHECK_EXC_MATCH" for instruction in start[1:])
    return not caught or start[1].argval in ("BaseException", "KeyboardInterrupt")


def in_source(path):
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    return [f"{path.name}:{line}" for part in functions(code) for line in unprotected(part)]


@pytest.mark.skipif(sys.version_info[:2] not in ((3, 12), (3, 13)), reason="of these compilers")
def test_the_search_finds_such_a_loop(tmp_path):
    path = tmp_path / "example.py"
    loop = "    for x in y:\n        if x:\n            z = x\n"
    path.write_text(f"with a:\n{loop}try:\n{loop}finally:\n    b()\n")
    assert in_source(path) == ["example.py:3", "example.py:7"]
    path.write_text(f"try:\n{loop}except OSError:\n    pass\n")
    assert in_source(path) == []


@pytest.mark.skipif(sys.version_info[:2] not in ((3, 12), (3, 13)), reason="of these compilers")
def test_no_loop_of_the_package_can_skip_an_exit():
    paths = sorted(Path(PACKAGE).rglob("*.py"))
    assert len(paths) > 100
    assert [found for path in paths for found in in_source(path)] == []
