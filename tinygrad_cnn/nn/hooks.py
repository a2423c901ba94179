"""Hooks of modules: functions that see, and may change, the arguments and results of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .. import functions
from ..hooks import RemovableHandle
from ..tensor import Tensor

Hook: TypeAlias = Callable[..., Any]


class Hooks:
    """The hooks of one module, in a dict for each kind. A module without hooks has no such object."""

    def __init__(self) -> None:
        self.before: dict[int, tuple[Hook, bool]] = {}  # the hook, and whether it takes kwargs
        self.after: dict[int, tuple[Hook, bool]] = {}
        self.backward: dict[int, tuple[Hook, bool]] = {}
        self.before_backward: dict[int, tuple[Hook, bool]] = {}
        self.before_save: dict[int, tuple[Hook, bool]] = {}
        self.after_save: dict[int, tuple[Hook, bool]] = {}
        self.before_load: dict[int, tuple[Hook, bool]] = {}
        self.after_load: dict[int, tuple[Hook, bool]] = {}
        self.full: bool | None = None  # whether backward hooks are full ones; None: there were none
        self.always: set[int] = set()  # hooks after forward that also see its exceptions

    def add(
        self,
        kind: str,
        hook: Hook,
        with_kwargs: bool = False,
        prepend: bool = False,
        always: bool = False,
    ) -> RemovableHandle:
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
        """Run `module.forward(*args, **kwargs)` with the hooks around it."""
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
        """Call the hooks of one kind around saving or loading. They must return None."""
        for hook, _ in list(getattr(self, kind).values()):
            if hook(*args) is not None:
                raise RuntimeError(f"a hook around state_dict must return None: {hook!r}")

    def _watched(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run forward between two clones. The backward hooks get the gradients of the clones.

        The gradient of the first clone is complete once the backward pass has left the module. And
        an in-place op on the output cannot change an array that the module saved.
        """
        places = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        if len(places) > 1:
            raise NotImplementedError(
                f"full backward hook on {type(module).__name__}: it was called with {len(places)} "
                "Tensors that require grad, only one is supported"
            )
        inner = list(args)
        for i in places:
            inner[i] = functions.clone(args[i])
        y = module.forward(*inner, **kwargs)
        if not isinstance(y, Tensor):
            raise NotImplementedError(
                f"full backward hook on {type(module).__name__}: it returned a "
                f"{type(y).__name__}, only a Tensor is supported"
            )
        y = functions.clone(y)
        if not y.requires_grad:
            return y
        seen: list[Any] = []  # holds ȳ until x̄ is known

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


class Hookable:
    """The part of `Module` that registers hooks. Each returns a handle, whose `remove()` undoes it."""

    _hooks: Hooks | None = None  # an instance has this attribute once it has hooks

    def _add_hook(self, kind: str, hook: Hook, **options: bool) -> RemovableHandle:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks.add(kind, hook, **options)

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each forward. A value that it returns replaces `args`.

        With `with_kwargs` the call is `hook(module, args, kwargs)`, which returns None or both.
        `prepend` puts the hook before earlier ones.

        >>> layer = tc.nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
        >>> layer(tc.zeros(1))
        tensor([1.])
        """
        return self._add_hook("before", hook, prepend=prepend, with_kwargs=with_kwargs)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after each forward. A value that it returns replaces
        `output`.

        With `with_kwargs` the call is `hook(module, args, kwargs, output)`. With `always_call` it
        also comes after a forward that raised, with output None; the exception then continues.

        >>> layer = tc.nn.Identity()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output * 2)
        >>> layer(tc.ones(1))
        tensor([2.])
        """
        return self._add_hook(
            "after", hook, prepend=prepend, with_kwargs=with_kwargs, always=always_call
        )

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in the backward pass, with tuples of Tensors.

        `grad_input` has None for arguments that need no gradient; a value that the hook returns
        replaces it. The module may take at most one Tensor that requires grad, and must return a
        Tensor: other calls raise NotImplementedError.

        >>> layer, x = tc.nn.Linear(1, 1), tc.ones(1, requires_grad=True)
        >>> handle = layer.register_full_backward_hook(lambda module, before, after: print(after))
        >>> layer(x).sum().backward()
        (tensor([1.]),)
        """
        return self._add_backward_hook(hook, True, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in the backward pass.

        The older form of `register_full_backward_hook`, and the same here: `grad_input` has the
        gradients of the module's arguments. (In PyTorch it has those of the last op in the module.)
        Raises RuntimeError for a module with full backward hooks.

        >>> layer, x = tc.nn.Linear(1, 1), tc.ones(1, requires_grad=True)
        >>> handle = layer.register_backward_hook(lambda module, before, after: print(after))
        >>> layer(x).sum().backward()
        (tensor([1.]),)
        """
        return self._add_backward_hook(hook, False, False)

    def _add_backward_hook(self, hook: Hook, full: bool, prepend: bool) -> RemovableHandle:
        hooks = self._hooks
        if hooks is not None and hooks.full not in (None, full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. "
                "Please use only one of them."
            )
        handle = self._add_hook("backward", hook, prepend=prepend)
        self._hooks.full = full  # type: ignore[union-attr]
        return handle

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward, with a tuple of one Tensor.

        A value that it returns replaces `grad_output`. The limits are those of
        `register_full_backward_hook`.
        """
        return self._add_hook("before_backward", hook, prepend=prepend)

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before this module's part of `state_dict`."""
        return self._add_hook("before_save", hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict`."""
        return self._add_hook("after_save", hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, ..)` before `load_state_dict` reads this module.

        The other arguments are local_metadata, strict, missing_keys, unexpected_keys and error_msgs.
        The hook may change the keys of `state_dict`, which is a copy.
        """
        return self._add_hook("before_load", hook)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after `load_state_dict`; it may change the lists."""
        return self._add_hook("after_load", hook)
