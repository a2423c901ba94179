"""The source text of a function, proved: compiled again, it gives the code that the function has.

`inspect.getsource` returns lines, which for a lambda are the statement around it, and after an edit
of the file are those of something else.
"""

from __future__ import annotations

import ast
import dis
import functools
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType

Function = ast.Lambda | ast.FunctionDef

SAME = (  # attributes of two codes of one source
    "co_name", "co_firstlineno", "co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars",
    "co_argcount", "co_kwonlyargcount",
)  # fmt: skip


class Unknown(Exception):
    """There is no code that makes a value again. The message says why, after "it"."""


def source_of(fn: FunctionType) -> str:
    """The source of a function: a `def` without its decorators, or a lambda expression.

    Raises Unknown if it is not there, or is not that of the function.
    """
    code = fn.__code__
    if hasattr(fn, "__wrapped__"):
        raise Unknown(f"uses {fn.__name__}, which a decorator made")
    try:
        source = "".join(inspect.findsource(code)[0])
        nodes, codes = _parsed(source)
    except (OSError, TypeError, IndexError, SyntaxError):
        raise Unknown(f"uses {fn.__name__}, which has no source file") from None
    node = next((node for node in nodes if _is_of(node, code)), None)
    if node is None or not any(_alike(found, code) for found in codes):
        raise Unknown(f"uses {fn.__name__}, whose source has changed since it was read")
    _check_defaults(fn, node)
    if isinstance(node, ast.Lambda):
        text = ast.get_source_segment(source, node) or ""
        return f"({text})" if "\n" in text else text
    margin = " " * node.col_offset
    lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
    return "\n".join(line.removeprefix(margin) for line in lines)


def global_names(code: CodeType) -> list[str]:
    """The global names that a function uses, in functions inside of it too."""
    found = {
        step.argval: None
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found.update(dict.fromkeys(global_names(inner)))
    return list(found)


@functools.lru_cache(maxsize=4)
def _parsed(source: str) -> tuple[list[Function], list[CodeType]]:
    """The functions in a source, and their code."""
    tree = ast.parse(source)
    nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Lambda, ast.FunctionDef))]
    return nodes, list(_codes(compile(tree, "<source>", "exec", dont_inherit=True)))


def _is_of(node: Function, code: CodeType) -> bool:
    """Whether a function is at the place of that code."""
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        return (node.name, first) == (code.co_name, code.co_firstlineno)
    body = node.body
    place = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return code.co_name == "<lambda>" and place in set(code.co_positions())


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


def _alike(a: CodeType, b: CodeType) -> bool:
    return (
        all(getattr(a, key) == getattr(b, key) for key in SAME)
        and len(a.co_consts) == len(b.co_consts)
        and all(map(_alike_constants, a.co_consts, b.co_consts))
    )


def _alike_constants(a: object, b: object) -> bool:
    if isinstance(a, CodeType) and isinstance(b, CodeType):
        return _alike(a, b)
    if isinstance(a, str) and isinstance(b, str):  # a docstring is indented as its function is
        return inspect.cleandoc(a) == inspect.cleandoc(b)
    return type(a) is type(b) and repr(a) == repr(b)


def _check_defaults(fn: FunctionType, node: Function) -> None:
    """Raise Unknown for a default that is not a literal: its text may depend on more."""
    written = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    values = [*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()]
    try:
        same = repr([ast.literal_eval(default) for default in written]) == repr(values)
    except ValueError:
        same = False
    if not same:
        raise Unknown(f"uses {fn.__name__}, which has defaults that are not written out")
