"""Record PyTorch's signatures: `python -m tests.conformance.record_signatures`.

The table `recorded/signatures.json` has the functions and Tensor methods that exist here too:

- `overloads`: the parameters of each overload in PyTorch's stubs, as texts: `input: Tensor`,
  `dim: int = 0`, `*size: int`; after `*` they are keyword-only; the last text is the result's type;
- `aliases`: the NumPy names that the function takes for a parameter, found by calling it;
- `number`: the result of a call with numbers instead of Tensors, or a Tensor instead of a list: the
  first line of the error, or the value.

For functions written in Python, the signature is that of `inspect`. If they take `*args`, it is the
one in the first line of their documentation.

For functions of nn.functional and nn.init, the signature is that of `inspect` if it has one, since
the stubs describe other functions of the same name. For built-in functions of nn.functional,
PyTorch's schemas give the keyword-only parameters, the keywords, and the defaults that the stubs
leave out.

The table `recorded/classes.json` has the public classes and functions of the spaces `CLASSES`, with
the parameters of constructors and methods from `inspect`: see `parameters_of`.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parent / "recorded" / "signatures.json"
CLASSES_FILE = FILE.with_name("classes.json")
CLASSES = (
    "nn", "nn.init", "nn.utils", "nn.utils.parametrizations", "nn.utils.parametrize", "nn.utils.rnn", "optim",
    "optim.lr_scheduler", "autograd", "autograd.function", "autograd.functional", "utils.checkpoint",
    "utils.data", "hub", "serialization", "distributions", "func", "nn.utils.prune",
    "optim.swa_utils", "testing",
)  # fmt: skip
NUMPY_NAMES = {"input": ["x", "a", "x1"], "other": ["x2"], "dim": ["axis"], "keepdim": ["keepdims"]}
TYPES = {  # PyTorch's names for types, by ours
    "_int | SymInt": "int", "IntLikeType": "int", "SymInt": "int", "_int": "int", "_bool": "bool",
    "BoolLikeType": "bool", "_float": "float", "FloatLikeType": "float", "_dtype": "dtype",
    "DeviceLikeType": "Device", "_layout": "layout", "Number | _complex": "Number",
    "Number | _complex | None": "Number", "_size": "Sequence[int]", "Sequence[int]": "Sequence[int]",
    "tuple[Tensor, ...] | list[Tensor] | None": "Sequence[Tensor]",
    "tuple[Tensor, ...] | list[Tensor]": "Sequence[Tensor]", "builtins.int": "int",
}  # fmt: skip
SHAPES = ((2, 2), (2,), (1, 2, 2), (3,), (4, 4, 4, 4), (4, 4, 4, 4, 4), (1,), (2, 2, 2))
RENAMED = {"torch.Tensor.requires_grad_": ("mode", "requires_grad")}  # as in PyTorch's errors
DROPPED = ("Dimname", "ellipsis", "names", "sparse_grad", "layout", "pin_memory", "_complex]")


def main() -> None:
    """Record all names."""
    import torch

    import tinygrad_cnn as tc

    warnings.simplefilter("ignore")
    root = Path(torch.__file__).parent / "_C"
    stubs = {
        "torch": _functions(root / "_VariableFunctions.pyi"),
        "torch.Tensor": _functions(root / "__init__.pyi", "TensorBase"),
        "torch.nn.functional": _functions(root / "_nn.pyi"),
        "torch.nn.init": {},
    }
    spaces = {"torch": (torch, tc), "torch.Tensor": (torch.Tensor, tc.Tensor),
              "torch.nn.functional": (torch.nn.functional, tc.nn.functional),
              "torch.nn.init": (torch.nn.init, tc.nn.init)}  # fmt: skip
    table: dict[str, Any] = {}
    for space, (theirs, ours) in spaces.items():
        for name in sorted(dir(ours)):
            if name.startswith("_") or not (hasattr(theirs, name) and hasattr(ours, name)):
                continue
            function = getattr(theirs, name)
            if not isinstance(function, Callable) or isinstance(function, (type, types.ModuleType)):
                continue
            if getattr(function, "__module__", "") == "typing":
                continue
            if space.startswith("torch.nn"):
                overloads = _of_networks(torch, function, {**stubs["torch"], **stubs[space]}, space)
                if not overloads:
                    continue
            else:
                overloads = list(_overloads(function, stubs[space].get(name, []), space))
                overloads = _as_taken(function, f"{space}.{name}", overloads)
            row: dict[str, Any] = {"overloads": overloads}
            if taken := _aliases(torch, function, overloads, space == "torch.Tensor"):
                row["aliases"] = taken
            if space == "torch" and (said := _of_numbers(torch, function, overloads)):
                row["number"] = said
            table[f"{space}.{name}"] = row
    write(FILE, table)
    write(CLASSES_FILE, dict(classes()))


def write(path: Path, table: dict[str, Any]) -> None:
    """Write a table, one line per name."""
    lines = [f"{json.dumps(n)}: {json.dumps(row)}" for n, row in table.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path.name}: {len(table)} names, {path.stat().st_size / 1e6:.2f} MB")


def _functions(path: Path, cls: str | None = None) -> dict[str, list[ast.FunctionDef]]:
    body: list[Any] = ast.parse(path.read_text()).body
    if cls is not None:
        body = next(n for n in body if isinstance(n, ast.ClassDef) and n.name == cls).body
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(node)
    return found


def _overloads(function: Any, stubs: list[ast.FunctionDef], space: str) -> Iterator[list[str]]:
    """The overloads, as texts."""
    seen = set()
    while "if_true" in (found := _closure(function)):  # several functions in one
        function = found["if_true"]
    try:
        signature = None if stubs else inspect.signature(function)
    except (TypeError, ValueError):
        signature = None
    if signature is not None:
        nodes: list[Any] = [ast.parse(f"def f{_plain(function, signature)}: ...").body[0]]
    else:
        nodes = stubs
    for node in nodes:
        texts = list(_parameters(node))
        if space == "torch.Tensor":
            texts = texts[1:]
        if any(word in text for text in texts for word in DROPPED[:2]):
            continue
        if any(text.startswith("self: Tensor") for text in texts):  # deprecated orders
            continue
        texts = [re.sub("^self:", "input:", text) for text in texts]  # C++ has self for a number
        texts = [t for t in texts if t.split(":")[0].split(" ")[0] not in DROPPED]
        if "*" in texts and texts[-1] == "*":
            texts.pop()
        result = _type(ast.unparse(node.returns)) if node.returns else ""
        if tuple(texts) not in seen:
            seen.add(tuple(texts))
            yield [*texts, f"-> {result}"]


def _closure(function: Any) -> dict[str, Any]:
    """The variables that a function closes over."""
    if not inspect.isfunction(function):
        return {}
    return dict(inspect.getclosurevars(function).nonlocals)


def _of_networks(
    torch: Any, function: Any, stubs: dict[str, list[ast.FunctionDef]], space: str
) -> list[list[str]]:
    """The overloads of a function of torch.nn; none for one that takes `*args, **kwargs`."""
    if inspect.isfunction(function):
        # two functions in one: the one with indices has the parameter that selects it
        chosen = inspect.getclosurevars(function).nonlocals.get("if_true", function)
        overloads = list(_overloads(chosen, [], space))
        return [o for o in overloads if "*args" not in o]
    overloads = list(_overloads(function, stubs.get(function.__name__, []), space))
    packet = getattr(torch.ops.aten, function.__name__)
    if len(overloads) == 1 and "default" in packet.overloads():
        overloads = [_corrected(overloads[0], packet.default._schema)]
    return overloads


def _corrected(overload: list[str], schema: Any) -> list[str]:
    """A stub's overload with the names, kinds and missing defaults of PyTorch's schema."""
    *texts, result = [text for text in overload if text != "*"]
    found: list[str] = []
    for k, text in enumerate(texts):
        if k < len(schema.arguments):
            argument = schema.arguments[k]
            name = "input" if argument.name == "self" else argument.name
            if argument.kwarg_only and "*" not in found:
                found.append("*")
            text = name + text[len(text.split(":")[0]) :]
            text = text.replace("= ...", f"= {argument.default_value!r}")
        elif "*" in overload and "*" not in found:  # out
            found.append("*")
        found.append(text)
    return [*found, result]


def _plain(function: Any, signature: inspect.Signature) -> str:
    """A signature without annotations, and with defaults that Python can read."""
    line = (function.__doc__ or "").strip().partition("\n")[0]
    if "args" in signature.parameters and re.match(r"\w+\(", line) and "..." not in line:
        return re.sub(r"^\w+|->.*", "", line)  # only the parentheses
    parameters = [
        p.replace(annotation=p.empty, default=p.default if _simple(p.default) else None)
        if p.default is not p.empty else p.replace(annotation=p.empty)
        for p in signature.parameters.values()
    ]  # fmt: skip
    return str(inspect.Signature(parameters))


def _simple(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, tuple))


def _parameters(node: ast.FunctionDef) -> Iterator[str]:
    a = node.args
    positional = a.posonlyargs + a.args
    defaults: list[Any] = [None] * (len(positional) - len(a.defaults)) + a.defaults
    for p, default in zip(positional, defaults, strict=True):
        yield _text(p, default)
    if a.vararg:
        yield "*" + _text(a.vararg, None)
    elif a.kwonlyargs:
        yield "*"
    for p, default in zip(a.kwonlyargs, a.kw_defaults, strict=True):
        yield _text(p, default)
    if a.kwarg:
        yield f"**{a.kwarg.arg}"


def _text(p: ast.arg, default: Any) -> str:
    text = p.arg if p.annotation is None else f"{p.arg}: {_type(ast.unparse(p.annotation))}"
    text = text.replace("tuple[int, ...]", "Sequence[int]")  # a list is taken too
    return text if default is None else f"{text} = {ast.unparse(default)}"


def _type(text: str) -> str:
    for theirs, ours in TYPES.items():
        text = text.replace(theirs, ours)
    return text.replace("torch.return_types.", "return_types.").replace(
        "Number | None", "Number | None"
    )


def _as_taken(function: Any, path: str, overloads: list[list[str]]) -> list[list[str]]:
    """The overloads, corrected where the stubs differ from PyTorch's behaviour.

    No method takes `out`. Fewer arguments may be positional: the error for too many of them gives
    the number. And a parameter may have another name.
    """
    old, new = RENAMED.get(path, ("", ""))
    most = _most_by_place(function, path.startswith("torch.Tensor."))
    taken: list[list[str]] = []
    for overload in overloads:
        if path.startswith("torch.Tensor."):
            overload = [text for text in overload if not text.startswith("out:")]
        overload = [new + t.removeprefix(old) if old and t.startswith(old) else t for t in overload]
        places = next((k for k, t in enumerate(overload[:-1]) if t[0] == "*"), len(overload) - 1)
        several = places < len(overload) - 1 and overload[places] != "*"
        if most is not None and most < places and not several:
            overload = [t for t in overload if t != "*"]
            overload.insert(most, "*")
        if overload[-2:-1] == ["*"]:
            overload.pop(-2)
        taken += [overload] * (overload not in taken)
    return taken


def _most_by_place(function: Any, method: bool) -> int | None:
    """The number of positional arguments, as the error for too many of them tells it; or None."""
    import torch

    said = _said(function, [torch.ones(2)] * method + [None] * 12)
    found = re.search(r"takes (?:from \d+ to )?(\d+) positional arguments? but 12 were", said)
    return int(found[1]) if found else None


# --- By calling ---------------------------------------------------------------------------------


def _aliases(
    torch: Any, function: Any, overloads: list[list[str]], method: bool
) -> dict[str, list[str]]:
    """The NumPy names that the function takes for its parameters."""
    found: dict[str, list[str]] = {}
    for overload in overloads:
        call = arguments(torch, function, overload, method)
        for name, others in NUMPY_NAMES.items():
            if call is not None and name in call.named and name not in found:
                taken = [o for o in others if call.takes({name: o})]
                if taken:
                    found[name] = taken
    return found


def _of_numbers(torch: Any, function: Any, overloads: list[list[str]]) -> str | None:
    """What the function says of numbers in the place of Tensors; None if it wants no Tensor."""
    for overload in overloads:
        call = arguments(torch, function, overload)
        if call is not None and call.tensors:
            return _said(function, [2.0 if k in call.tensors else v for k, v in call.named.items()])
        if call is not None and "Sequence[Tensor]" in overload[0]:
            values = call.named.values()
            return _said(function, [v[0] if isinstance(v, list) else v for v in values])
    return None


class Call(NamedTuple):
    """A call of `function` with arguments by name; `own` makes the Tensor of a method.

    `tensors` are the names of the arguments that are Tensors.
    """

    function: Any
    named: dict[str, Any]
    tensors: list[str]
    own: Callable[[], Any] | None

    def run(self, names: dict[str, str]) -> Any:
        """What the call returns, with other names for some parameters."""
        named = {names.get(name, name): value for name, value in self.named.items()}
        return self.function(*([self.own()] if self.own else []), **named)

    def takes(self, names: dict[str, str]) -> bool:
        """Whether the call with these names returns."""
        try:
            self.run(names)
        except Exception:
            return False
        return True


def _said(function: Any, values: list[Any]) -> str:
    try:
        return repr(function(*values))
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def arguments(torch: Any, function: Any, overload: list[str], method: bool = False) -> Call | None:
    """A call of a function of `torch`, this package or PyTorch, by an overload; None if none is found.

    It has the required parameters, and the axis and the like, which may also be named otherwise.
    """
    required = [t for t in overload[:-1] if " = " not in t and t not in ("*",) and t[0] != "*"]
    pairs = [t.split(": ", 1) for t in required]
    if any(len(pair) < 2 for pair in pairs):
        return None
    wanted = ("keepdim", "dim", "min")
    extra = [t.split(":")[0] for t in overload[:-1] if t.split(":")[0] in wanted]
    for dtype in (torch.float32, torch.bool, torch.int64):
        for shape in SHAPES:
            own = (lambda s=shape, d=dtype: torch.ones(s, dtype=d)) if method else None
            named = {name: _value(torch, name, kind, dtype, shape) for name, kind in pairs}
            tensors = [name for name, kind in pairs if kind.startswith("Tensor")]
            more = dict(named)
            for name in extra:
                like = torch.ones(()) if len(overload) > 1 and "Tensor" in overload[1] else 0
                more.setdefault(name, True if name == "keepdim" else like if name == "min" else 0)
            for given in (more, named):
                call = Call(function, given, tensors, own)
                if call.takes({}):
                    return call
    return None


def _value(torch: Any, name: str, kind: str, dtype: Any, shape: tuple[int, ...]) -> Any:
    """An argument of a type, with a value that most functions take."""
    if kind.startswith("Tensor"):
        if name in ("index", "indices", "repeats"):
            return torch.zeros(shape, dtype=torch.int64)
        if name in ("mask", "condition"):
            return torch.ones(shape, dtype=torch.bool)
        return torch.ones(shape[:1] if name in ("vec", "vec2") else shape, dtype=dtype)
    if "Sequence[Tensor]" in kind:
        return [torch.ones(shape, dtype=dtype)] * 2
    if kind.startswith("int"):
        return 0 if name.startswith("dim") or name in ("start", "index") else 1
    if "Sequence" in kind:
        return list(range(len(shape))) if name in ("dim", "dims") else list(shape)
    if kind.startswith("str"):
        return "mean"
    return True if kind.startswith("bool") else 1


# --- Classes ------------------------------------------------------------------------------------


def classes() -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The path of each class or function in `CLASSES`, and the parameters of its callables.

    A class has its constructor under "", and those public methods that it does not inherit from
    another class in the table. A function has itself under "".
    """
    import torch
    import torch.nn.utils.prune  # which PyTorch loads only then

    import tinygrad_cnn as tc

    for space in CLASSES:
        theirs, ours = find(torch, space), find(tc, space)
        names = getattr(ours, "__all__", dir(ours))
        public = {n for n in names if not n.startswith("_") and hasattr(theirs, n)}
        known = {v for n in public if isinstance(v := getattr(theirs, n), type)}
        for name in sorted(public):
            value, own = getattr(theirs, name), getattr(ours, name)
            home = getattr(value, "__module__", None) or ""
            if not callable(value) or not home.startswith("torch"):  # imported for internal use
                continue
            row = {"": value}
            if isinstance(value, type) and isinstance(own, type):
                row |= _methods(value, own, known, torch)
            found = {n: parameters_of(v) for n, v in row.items()}
            yield f"{space}.{name}", {n: v for n, v in found.items() if v is not None}


def find(root: Any, path: str) -> Any:
    """The attribute of that dotted name."""
    for name in path.split("."):
        root = getattr(root, name)
    return root


def _methods(theirs: type, ours: type, known: set[type], torch: Any) -> dict[str, Any]:
    if issubclass(theirs, torch.Tensor):  # its methods are in the other table
        return {}
    bases = (known & set(theirs.__mro__)) - {theirs}
    found = {}
    for name in dir(theirs):
        method = getattr(theirs, name)
        public = not name.startswith("_") or name in ("__call__", "__len__")
        inherited = any(getattr(base, name, None) is method for base in bases)
        here = any(name in vars(c) for c in ours.__mro__) and callable(getattr(ours, name))
        if public and callable(method) and here and not inherited:
            found[name] = method
    return found


def parameters_of(function: Any) -> list[str] | None:
    """The parameters as texts: `a`, `b = 1`, `*args`, `*` before keyword-only ones, `**kwargs`.

    A default that is an object is written as `...`. None for a function without a signature.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    texts: list[str] = []
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not any(t.startswith("*") for t in texts):
            texts.append("*")
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = repr(p.default) if _simple(p.default) else "..."
        texts.append(star + p.name + ("" if p.default is p.empty else f" = {default}"))
    return texts


if __name__ == "__main__":
    main()
