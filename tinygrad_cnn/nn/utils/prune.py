"""Pruning: a mask sets parts of a parameter to 0, in each forward pass.

A pruned parameter `weight` is the product of the parameter `weight_orig` and the buffer `weight_mask`,
which a forward pre-hook of the module computes. Pruning again prunes of what is left.

>>> from tinygrad_cnn.nn.utils import prune
>>> layer = tc.nn.Linear(4, 2)
>>> layer = prune.l1_unstructured(layer, "weight", amount=0.5)
>>> (layer.weight == 0).sum(), prune.is_pruned(layer)
(tensor(4), True)
>>> layer = prune.remove(layer, "weight")  # the zeros stay
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ... import functions, random
from ...engine import wrap
from ...naming import own_methods
from ...tensor import Tensor
from ..module import Module

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured",
    "PruningContainer", "RandomStructured", "RandomUnstructured", "custom_from_mask",
    "global_unstructured", "identity", "is_pruned", "l1_unstructured", "ln_structured",
    "random_structured", "random_unstructured", "remove",
]  # fmt: skip


# --- Methods ------------------------------------------------------------------------------------


class BasePruningMethod:
    """A way to prune: a subclass defines `compute_mask`, and its `PRUNING_TYPE`.

    The type says which part of an already pruned Tensor `compute_mask` sees: "unstructured", the
    elements that are left, as a vector; "structured", the channels along `dim` that are left; "global",
    all. `apply(module, name, *args)` makes one of `args`, and prunes a parameter with it.

    >>> class Threshold(tc.nn.utils.prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         return default_mask * (t.abs() > 1)
    >>> layer = tc.nn.Linear(2, 2)
    >>> Threshold.apply(layer, "weight").compute_mask(tc.tensor([0.5, 2.0]), tc.ones(2))
    tensor([0., 1.])
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of `t`, with 0 for what is pruned, and where `default_mask` has 0."""
        raise NotImplementedError(f"{type(self).__name__} defines no compute_mask")

    def apply_mask(self, module: Module) -> Tensor:
        """The parameter of the module times its mask."""
        name = self._tensor_name
        mask = getattr(module, f"{name}_mask")
        original = getattr(module, f"{name}_orig")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(
        cls,
        module: Module,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:
        """Prune the parameter `name` of the module, and return the hook that does so.

        The masks go by `importance_scores` instead of the parameter, if given: ValueError for another
        shape. AttributeError if there is no such parameter; nothing changes then.
        """
        method = cls(*args, **kwargs)
        x = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != x.shape:
            raise ValueError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {x.shape}"
            )
        scores = (x if importance_scores is None else importance_scores).detach()
        key, hooks = _key_of(module, name), cast(Any, module._hooks)
        if key is None:
            if module._parameters.get(name) is None:
                raise AttributeError(f"{module} has no parameter {name!r}")
            hook, mask = method, _ones(x)
        else:
            before = hooks.before[key][0]
            methods = before if isinstance(before, PruningContainer) else (before,)
            hook, mask = PruningContainer(*methods, method), getattr(module, f"{name}_mask").clone()
        hook._tensor_name = method._tensor_name = name
        mask = hook.compute_mask(scores, default_mask=mask)
        if key is None:
            module.register_parameter(f"{name}_orig", module._parameters.pop(name))
        else:
            hooks.before.pop(key)
        module.register_buffer(f"{name}_mask", mask)
        hook(module, None)
        module.register_forward_pre_hook(hook)
        return hook

    def prune(
        self,
        t: Tensor,
        default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:
        """`t` with the pruned elements set to 0, for any Tensor."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise ValueError("importance_scores should have the same shape as tensor t")
        mask = _ones(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores.detach(), default_mask=mask)

    def remove(self, module: Module) -> None:
        """Make the pruned parameter an ordinary one, with its zeros."""
        name = self._tensor_name
        weight = self.apply_mask(module).detach()
        vars(module).pop(name, None)
        original: Any = module._parameters.pop(f"{name}_orig")
        original.data = weight
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several ways to prune one parameter, one after the other. Iterating gives the methods."""

    PRUNING_TYPE = "global"

    def __init__(self, *args: BasePruningMethod):
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add one. TypeError for another object."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """`default_mask`, in which the last method prunes of what is left."""
        method, mask = self._pruning_methods[-1], default_mask
        index: Any = (slice(None),) * t.ndim
        if method.PRUNING_TYPE == "unstructured":
            index = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.ndim  # type: ignore[attr-defined]
            others = tuple(d for d in range(t.ndim) if d != dim)
            index = (*index[:dim], mask.sum(others) != 0)
        elif method.PRUNING_TYPE != "global":
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        found = mask.clone()
        found[index] = method.compute_mask(t[index], default_mask=mask[index])
        return found


class Identity(BasePruningMethod):
    """Prunes nothing, with a mask of ones."""

    PRUNING_TYPE = "unstructured"

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        """Prune the parameter `name` of the module: see `BasePruningMethod.apply`."""
        return super().apply(module, name)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class CustomFromMask(BasePruningMethod):
    """Prunes where `mask` is 0. ValueError for a mask of another shape."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor):
        self.mask = mask

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:  # type: ignore[override]
        """Prune the parameter `name` of the module: see `BasePruningMethod.apply`."""
        return super().apply(module, name, mask)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise ValueError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


class _OfAnAmount(BasePruningMethod):
    """Prunes `amount`: a number of elements or channels, or a fraction of them, rounded."""

    def __init__(self, amount: float):
        if isinstance(amount, bool) or not isinstance(amount, (int, float)):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if not (amount >= 0 if isinstance(amount, int) else 0.0 <= amount <= 1.0):
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
            )
        self.amount = amount

    def count(self, size: int) -> int:
        """The number to prune, of `size` that there are. ValueError for more."""
        if isinstance(self.amount, float):
            return round(self.amount * size)
        if self.amount > size:
            raise ValueError(
                f"amount={self.amount} should be smaller than the number of parameters to "
                f"prune={size}"
            )
        return self.amount


class RandomUnstructured(_OfAnAmount):
    """Prunes random elements: those of the largest of draws as of `torch.rand_like`."""

    PRUNING_TYPE = "unstructured"

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> BasePruningMethod:  # type: ignore[override]
        """Prune the parameter `name` of the module: see `BasePruningMethod.apply`."""
        return super().apply(module, name, amount)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self.count(t.numel())
        draws = wrap(random.uniform(t.shape, t._array.dtype)) if count else t
        return _without(default_mask, functions.topk(draws.reshape(-1), count).indices)


class L1Unstructured(_OfAnAmount):
    """Prunes the elements of the smallest absolute values."""

    PRUNING_TYPE = "unstructured"

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        """Prune the parameter `name` of the module: see `BasePruningMethod.apply`."""
        return super().apply(module, name, amount, importance_scores=importance_scores)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        order = functions.topk(t.abs().reshape(-1), self.count(t.numel()), largest=False)
        return _without(default_mask, order.indices)


class _Structured(_OfAnAmount):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1):
        super().__init__(amount)
        self.dim = dim

    def channels(self, t: Tensor) -> int:
        """The number of channels. ValueError for vectors, IndexError for an axis that there is not."""
        if t.ndim <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of "
                f"shape {t.shape} with {t.ndim} dims"
            )
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        return t.shape[self.dim]

    def keeping(self, kept: np.ndarray, default_mask: Tensor) -> Tensor:
        """`default_mask` without the channels for which `kept` is False."""
        shape = [1] * default_mask.ndim
        shape[self.dim] = -1
        return default_mask * wrap(kept.reshape(shape).astype(default_mask.dtype))


class RandomStructured(_Structured):
    """Prunes random channels along `dim`: those of the smallest of draws as of `torch.rand`."""

    @classmethod
    def apply(cls, module: Module, name: str, amount: float, dim: int = -1) -> BasePruningMethod:  # type: ignore[override]
        """Prune the parameter `name` of the module: see `BasePruningMethod.apply`."""
        return super().apply(module, name, amount, dim)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        n = self.channels(t)
        count = self.count(n)
        kept = np.ones(n, bool)
        if count:
            kept[np.argsort(random.uniform((n,), t._array.dtype), kind="stable")[:count]] = False
        return self.keeping(kept, default_mask)


class LnStructured(_Structured):
    """Prunes the channels along `dim` with the smallest norms of order `n`."""

    def __init__(self, amount: float, n: Any, dim: int = -1):
        super().__init__(amount, dim)
        self.n = n

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        amount: float,
        n: Any,
        dim: int,
        importance_scores: Tensor | None = None,
    ) -> BasePruningMethod:
        """Prune the parameter `name` of the module: see `BasePruningMethod.apply`."""
        return super().apply(module, name, amount, n, dim, importance_scores=importance_scores)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        n = self.channels(t)
        others = tuple(d for d in range(t.ndim) if d != self.dim % t.ndim)
        norms = functions.norm(t, p=self.n, dim=others)
        kept = np.zeros(n, bool)
        kept[functions.topk(norms, n - self.count(n)).indices._array] = True
        return self.keeping(kept, default_mask)


# --- Functions ----------------------------------------------------------------------------------


def identity(module: Module, name: str) -> Module:
    """Prune nothing of the parameter `name`: it gets a mask of ones. Returns the module.

    >>> list(tc.nn.utils.prune.identity(tc.nn.Linear(1, 1, bias=False), "weight").state_dict())
    ['weight_orig', 'weight_mask']
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune random elements of the parameter `name`: a number, or a fraction. Returns the module.

    TypeError and ValueError for an `amount` that is no such number.

    >>> layer = tc.nn.utils.prune.random_unstructured(tc.nn.Linear(4, 2), "weight", 3)
    >>> layer.weight_mask.sum()
    tensor(5.)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: float, importance_scores: Tensor | None = None
) -> Module:
    """Prune the smallest elements of the parameter `name`: a number, or a fraction of them.

    They go by |importance_scores|, if given. Returns the module.

    >>> layer = tc.nn.utils.prune.l1_unstructured(tc.nn.Linear(4, 2), "weight", 0.25)
    >>> layer.weight_mask.sum()
    tensor(6.)
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune random channels along `dim` of the parameter `name`: a number, or a fraction of them.

    ValueError for a parameter with one axis. Returns the module.

    >>> layer = tc.nn.utils.prune.random_structured(tc.nn.Linear(4, 2), "weight", 1, dim=1)
    >>> layer.weight_mask.sum()
    tensor(6.)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Module:
    """Prune the channels along `dim` of the parameter `name` with the smallest norms of order `n`.

    The norms are those of importance_scores, if given. Returns the module.

    >>> layer = tc.nn.utils.prune.ln_structured(tc.nn.Linear(4, 2), "weight", 0.5, n=2, dim=0)
    >>> layer.weight_mask.sum()
    tensor(4.)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune the parameter `name` where `mask` is 0. Returns the module.

    >>> layer = tc.nn.Linear(2, 1, bias=False)
    >>> layer = tc.nn.utils.prune.custom_from_mask(layer, "weight", tc.tensor([[0.0, 1.0]]))
    >>> layer.weight_mask
    tensor([[0., 1.]])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several parameters together, (module, name) each, as if they were one vector.

    `pruning_method` is an unstructured method, which gets `kwargs`; `importance_scores` maps pairs to
    their scores. TypeError for other arguments.

    >>> layers = [tc.nn.Linear(2, 2) for _ in range(2)]
    >>> pairs = [(layer, "weight") for layer in layers]
    >>> method = tc.nn.utils.prune.L1Unstructured
    >>> tc.nn.utils.prune.global_unstructured(pairs, method, amount=3)
    >>> sum(layer.weight_mask.sum() for layer in layers)
    tensor(5.)
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    if importance_scores is not None and not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs, given = list(parameters), importance_scores or {}
    if not pairs:
        raise ValueError("global_unstructured(): expected a non-empty list of parameters")
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    tensors = [getattr(module, name).detach() for module, name in pairs]
    scores = [given.get(pair, x).detach() for pair, x in zip(pairs, tensors, strict=True)]
    masks = [
        getattr(module, f"{name}_mask") if _key_of(module, name) is not None else _ones(x)
        for (module, name), x in zip(pairs, tensors, strict=True)
    ]
    flat, mask = (functions.cat([x.reshape(-1) for x in xs]) for xs in (scores, masks))
    found = PruningContainer(method).compute_mask(flat, default_mask=mask)
    parts = functions.split(found, [x.numel() for x in tensors])
    for (module, name), x, part in zip(pairs, tensors, parts, strict=True):
        custom_from_mask(module, name, part.reshape(x.shape))


def remove(module: Module, name: str) -> Module:
    """Make the pruned parameter `name` an ordinary one, with its zeros. Returns the module.

    ValueError if it is not pruned.

    >>> layer = tc.nn.utils.prune.identity(tc.nn.Linear(1, 1, bias=False), "weight")
    >>> list(tc.nn.utils.prune.remove(layer, "weight").state_dict())
    ['weight']
    """
    key = _key_of(module, name)
    if key is None:
        raise ValueError(
            f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
        )
    hooks: Any = module._hooks
    hook, _ = hooks.before.pop(key)
    hook.remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether a parameter of the module, or of a module in it, is pruned.

    >>> tc.nn.utils.prune.is_pruned(tc.nn.Linear(1, 1))
    False
    """
    return any(
        isinstance(hook, BasePruningMethod)
        for part in module.modules()
        for hook, _ in (part._hooks.before.values() if part._hooks else ())
    )


def _key_of(module: Module, name: str) -> int | None:
    """The key of the hook that prunes the parameter, or None."""
    for key, (hook, _) in module._hooks.before.items() if module._hooks else ():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return key
    return None


def _ones(x: Tensor) -> Tensor:
    return wrap(np.ones_like(x._array))


def _without(mask: Tensor, indices: Tensor) -> Tensor:
    """A copy of a mask, with 0 at the indices of its elements."""
    array = mask._array.copy()
    array.reshape(-1)[indices._array] = 0
    return wrap(array)


own_methods(globals())


if not TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here

    _not_here(globals())
