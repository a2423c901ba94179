"""`torch.jit` and `torch.fx.wrap`: there is no script, code runs as it is written.

`is_scripting()` is False, so the code that guards against scripts is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final as Final, NoReturn

from ..nn import Module


def is_scripting() -> bool:
    """False: code is never compiled to a script."""
    return False


def is_tracing() -> bool:
    """False: code is never traced."""
    return False


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """The function, class or module itself.

    >>> @tc.jit.script
    ... def twice(x):
    ...     return x + x
    >>> twice(tc.ones(1))
    tensor([2.])
    """
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The function or module itself. Unlike a trace it keeps its loops and branches."""
    return func


def export(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function: a decorator of methods that a script would export."""
    return fn


unused = interface = script_if_tracing = script_method = export
_script_if_tracing = _overload = _overload_method = export


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function: a decorator, with or without brackets, of what a script would leave out."""
    return drop if callable(drop) else export


def freeze(mod: Module, *args: Any, **kwargs: Any) -> Module:
    """The module itself."""
    return mod


optimize_for_inference = trace_module = freeze


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value."""
    return the_value


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function that holds the result of the call, which is run at once. See `wait`."""
    result = func(*args, **kwargs)
    return lambda: result


def wait(future: Callable[[], Any]) -> Any:
    """The result of a call that `fork` ran."""
    return future()


def _no_files(*args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(
        "TorchScript files are not supported: save `module.state_dict()` with `save`, and load it "
        "into a module of the same class with `load_state_dict`"
    )


save = load = _no_files


optimized_execution = nullcontext  # a `with` block without effect


def set_fusion_strategy(strategy: Any) -> list[Any]:
    """Does nothing: there are no scripts."""
    return []


enable_onednn_fusion = set_fusion_strategy


class ScriptModule(Module):
    """A module that is a script. `script` makes none, so it serves as a base class and for isinstance."""

    save = _no_files


class RecursiveScriptModule(ScriptModule):
    """The class of PyTorch's scripts of modules."""


class ScriptFunction:
    """The class of PyTorch's scripts of functions. `script` makes none."""


class Attribute:
    """A value with a type, for scripts."""

    def __init__(self, value: Any, type: Any):
        self.value, self.type = value, type


class TracerWarning(Warning):
    """PyTorch's warning about traces. Nothing raises it here."""


class Error(RuntimeError):
    """PyTorch's error of scripts. Nothing raises it here."""


def wrap(fn_or_name: str | Callable[..., Any]) -> Any:
    """The argument: a decorator of functions that a symbolic trace would not enter.

    RuntimeError for what is neither a callable nor a name.
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError(
            "Unsupported type for global function! Must be either a callable or string name"
        )
    return fn_or_name
