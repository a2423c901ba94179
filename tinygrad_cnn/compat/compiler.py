"""`torch.compile` and `torch.compiler`: nothing is compiled, code runs as it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..nn import Module

_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")


class OptimizedModule(Module):
    """The module that `compile` returns: it runs `_orig_mod`, whose attributes it has.

    As in PyTorch, keys of its `state_dict()` begin with "_orig_mod.".
    """

    def __init__(self, mod: Module):
        super().__init__()
        self._orig_mod = mod
        self.training = mod.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The result of the module."""
        return self._orig_mod(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        modules = self.__dict__.get("_modules", {})
        if name == "_orig_mod" or "_orig_mod" not in modules:
            return super().__getattr__(name)
        return getattr(modules["_orig_mod"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        own = name in ("_orig_mod", "training", "_hooks") or name in type(self).__dict__
        if own or "_orig_mod" not in self.__dict__.get("_modules", {}):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)


def compile(
    model: Callable[..., Any] | None = None,
    *, fullgraph: bool = False, dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None, mode: str | None = None,
    options: Mapping[str, Any] | None = None, name: str | None = None, disable: bool = False,
    recompile_limit: int | None = None, isolate_recompiles: bool = False, shapes_spec: Any = None,
) -> Any:  # fmt: skip
    """The function, or a module that runs `model`: nothing is compiled. It is a decorator too.

    RuntimeError for `mode` together with `options`, and for an unknown mode.

    >>> @tc.compile
    ... def twice(x):
    ...     return x + x
    >>> twice(tc.ones(2))
    tensor([2., 2.])
    """
    if model is None:
        return lambda model: compile(model, mode=mode, options=options, disable=disable)
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    return OptimizedModule(model) if isinstance(model, Module) and not disable else model


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function: nothing is compiled. It is a decorator, with or without brackets.

    >>> @tc.compiler.disable()
    ... def f(x):
    ...     return x
    """
    return fn if fn is not None else lambda fn: fn


def allow_in_graph(fn: Any) -> Any:
    """The function."""
    return fn


assume_constant_result = wrap_numpy = allow_in_graph


def is_compiling() -> bool:
    """False: nothing is compiled.

    >>> tc.compiler.is_compiling()
    False
    """
    return False


is_dynamo_compiling = is_exporting = is_compiling


def list_backends(exclude_tags: tuple[str, ...] = ("debug", "experimental")) -> list[str]:
    """The names of compilers: there is none."""
    return []


def reset(*args: Any, **options: Any) -> None:
    """Does nothing: there is no compiled code, no graph of it, and shapes may always differ."""


cudagraph_mark_step_begin = set_stance = graph_break = mark_dynamic = reset
