"""Hooks of modules: functions that see, and may change, what goes in and out of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..hooks import RemovableHandle
from ..tensor import Tensor


class Hooks:
    """The hooks of one module; a module without any has no such object."""

    def __init__(self) -> None:
        self.before: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.after: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.backward: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.before_backward: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.before_save: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.after_save: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.before_load: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.after_load: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.always: set[int] = set()  # hooks after forward that also see its exceptions

    def add(
        self, kind: str, hook: Callable[..., Any], with_kwargs: bool = False, prepend: bool = False,
        always: bool = False,
    ) -> RemovableHandle:  # fmt: skip
        """Add `hook` as the last of its kind, or with `prepend` as the first."""
        hooks: dict[int, Any] = getattr(self, kind)
        earlier = list(hooks.items()) if prepend else []
        for key, _ in earlier:
            del hooks[key]
        handle = RemovableHandle(hooks, hook)
        hooks[handle.id] = (hook, with_kwargs)
        if always:
            self.always.add(handle.id)
        hooks.update(earlier)
        return handle

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`module.forward(*args, **kwargs)` with all the hooks around it."""
        for hook, with_kwargs in list(self.before.values()):
            result = hook(module, args, kwargs) if with_kwargs else hook(module, args)
            if result is None:
                continue
            if not with_kwargs:
                args = result if isinstance(result, tuple) else (result,)
            elif isinstance(result, tuple) and len(result) == 2:
                args, kwargs = result
            else:
                raise RuntimeError(
                    "a forward pre-hook with kwargs must return None or a tuple of new args and "
                    f"kwargs, but got {result!r}"
                )
        run = self._watched if self.backward or self.before_backward else _plain
        ran: set[int] = set()
        y = None
        try:
            y = run(module, args, kwargs)
            for key, (hook, with_kwargs) in list(self.after.items()):
                ran.add(key)
                result = hook(module, args, kwargs, y) if with_kwargs else hook(module, args, y)
                if result is not None:
                    y = result
        except Exception:
            for key, (hook, with_kwargs) in list(self.after.items()):
                if key in self.always and key not in ran:
                    hook(module, args, kwargs, y) if with_kwargs else hook(module, args, y)
            raise
        return y

    def run(self, kind: str, *args: Any) -> None:
        """Call the hooks of saving and loading; they return None."""
        for hook, _ in list(getattr(self, kind).values()):
            if hook(*args) is not None:
                raise RuntimeError(f"a hook around state_dict must return None: {hook!r}")

    def _watched(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Forward between two clones, whose gradients are what the backward hooks are given.

        A clone's gradient is complete when the whole module has been gone through, and an in-place
        op that follows the module cannot touch what it saved.
        """
        places = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        if len(places) > 1:
            raise NotImplementedError(
                f"full backward hook on {type(module).__name__}: it was called with {len(places)} "
                "Tensors that require grad, only one is supported"
            )
        inner = list(args)
        for i in places:
            inner[i] = args[i].clone()
        y = module.forward(*inner, **kwargs)
        if not isinstance(y, Tensor):
            raise NotImplementedError(
                f"full backward hook on {type(module).__name__}: it returned a "
                f"{type(y).__name__}, only a Tensor is supported"
            )
        y = y.clone()
        if not y.requires_grad:
            return y
        seen: list[Any] = []  # ȳ, until x̄ comes

        def run(grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
            grad_output = (seen.pop(),)
            for hook, _ in list(self.backward.values()):
                result = hook(module, grad_input, grad_output)
                if result is None:
                    continue
                result = result if isinstance(result, tuple) else (result,)
                if len(result) != len(grad_input):
                    raise RuntimeError(
                        f"Backward hook returned an invalid number of grad_input, got "
                        f"{len(result)}, but expected {len(grad_input)}"
                    )
                grad_input = result
            return grad_input

        def output_ready(g: Any) -> Any:
            for hook, _ in list(self.before_backward.values()):
                result = hook(module, (g,))
                if result is not None:
                    g = result[0] if isinstance(result, tuple) else result
            seen.append(g)
            if not places:
                run((None,) * len(args))
            return g

        def input_ready(g: Any) -> Any:
            grads: list[Any] = [None] * len(args)
            grads[places[0]] = g
            return run(tuple(grads))[places[0]]

        y.register_hook(output_ready)
        if places:
            inner[places[0]].register_hook(input_ready)
        return y


def _plain(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return module.forward(*args, **kwargs)
