"""Functions that are derivatives of functions: grad, vjp, jvp, jacrev, hessian.

All use reverse mode. Arguments and results may be nested dicts, lists and tuples of Tensors. A result
can be differentiated again, by another of these functions or by backward, if it depends on a Tensor
that requires grad outside.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .. import autograd, functions
from ..engine import enable_grad, grad_mode, wrap
from ..tensor import Tensor
from ..utils.pytree import tree_leaves, tree_map, tree_structure, tree_unflatten

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp"]

Function: TypeAlias = Callable[..., Any]
Argnums: TypeAlias = int | tuple[int, ...]


def _tensors_only(tree: Any, message: str, error: type[Exception] = ValueError) -> list[Any]:
    """The leaves of a tree of Tensors. `error` with `message` and the type of any other leaf."""
    found = tree_leaves(tree)
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise error(f"{message}, got {type(leaf)}")
    return found


class _Call:
    """A recorded call of a function, with fresh Tensors in place of the arguments `argnums`.

    `inputs` are their leaves. `kept` says whether results need a graph: whether gradients are
    recorded outside, and the outputs depend on a Tensor there that requires grad.
    """

    def __init__(
        self, function: Function, argnums: Argnums, args: Any, kwargs: Any, has_aux: bool, name: str
    ):
        outside = grad_mode.enabled
        self.argnums = argnums
        places = argnums if isinstance(argnums, tuple) else (argnums,)
        for k in places:
            if not -len(args) <= k < len(args):
                raise RuntimeError(f"Got argnum={k}, but only {len(args)} positional inputs")
        self.given = [args[k] for k in places]
        message = "Thing passed to transform API must be Tensor"
        own: list[Any] = []
        self.inputs: list[Any] = []
        for x in _tensors_only(self.given, message):
            if not x.is_floating_point():
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
            if outside and x.requires_grad:
                self.inputs.append(x.view_as(x))
            else:
                own.append(x.detach().requires_grad_())
                self.inputs.append(own[-1])
        self.own = {x._node for x in own}
        fresh = tree_unflatten(self.inputs, tree_structure(self.given))
        args = list(args)
        for k, value in zip(places, fresh, strict=True):
            args[k] = value
        with enable_grad():
            result = function(*args, **kwargs)
        self.aux = None
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise RuntimeError(
                    f"{name}(f, *primals): output of function f should be a tuple: (output, aux) if "
                    "has_aux is True"
                )
            result, self.aux = result
        self.result = result
        self.outputs = [y for y in tree_leaves(result) if isinstance(y, Tensor)]
        self.shared = self.reaches_outside(self.outputs)
        self.kept = outside and self.shared

    def reaches_outside(self, tensors: list[Any]) -> bool:
        """Whether Tensors depend on leaves that are not this call's own."""
        seen = {y._node for y in tensors if y._node is not None}
        todo = list(seen)
        while todo:
            node = todo.pop()
            if node.op is None and node not in self.own:
                return True
            for parent in node.parents:
                if parent is not None and parent not in seen:
                    seen.add(parent)
                    todo.append(parent)
        return False

    def pull(self, outputs: list[Any], cotangents: Any, create_graph: bool | None = None) -> Any:
        """Σ Jᵀv for each input; zeros for one that no output depends on."""
        pairs = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if y.requires_grad]
        found: Any = [None] * len(self.inputs)
        if pairs:
            ys, vs = zip(*pairs, strict=True)
            keep = self.kept if create_graph is None else create_graph
            found = autograd.grad(ys, self.inputs, vs, True, keep, allow_unused=True)
        return [
            wrap(np.zeros_like(x._array)) if g is None else g
            for x, g in zip(self.inputs, found, strict=True)
        ]

    def outer(self, tree: Any) -> Any:
        """Results as the caller sees them: without a graph that ends in this call's own inputs."""

        def seen(y: Any) -> Any:
            own = isinstance(y, Tensor) and y.requires_grad and not self.reaches_outside([y])
            return y.detach() if own or (isinstance(y, Tensor) and not grad_mode.enabled) else y

        return tree_map(seen, tree)

    def by_argument(self, values: list[Any]) -> Any:
        """One value for each input, in the form of the arguments."""
        found = tree_unflatten(values, tree_structure(self.given))
        return tuple(found) if isinstance(self.argnums, tuple) else found[0]


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that returns the gradient of `func`, and its value.

    `func` returns a Tensor without axes, or with `has_aux` that and another object, which is returned
    too: (gradient, (value, aux)). The gradient is for the argument `argnums`, or a tuple for several.
    RuntimeError for other results, and for an argument that there is not.

    >>> tc.func.grad_and_value(lambda x: (x * x).sum())(tc.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call(func, argnums, args, kwargs, has_aux, "grad_and_value")
        y = call.result
        if not isinstance(y, Tensor):
            raise RuntimeError(
                f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(y)}"
            )
        if y._array.ndim:
            raise RuntimeError(
                "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor "
                f"with {y._array.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        gradient = call.by_argument(call.pull([y], [wrap(np.ones_like(y._array))]))
        value = call.outer(y)
        return gradient, (value, call.outer(call.aux)) if has_aux else value

    return wrapper


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """A function that returns the gradient of `func`: see `grad_and_value`.

    With `has_aux` it returns (gradient, aux).

    >>> cube = lambda x: x**3
    >>> tc.func.grad(tc.func.grad(cube))(tc.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """The outputs of `func`, and a function of cotangents of them: a tuple with vᵀJ by argument.

    With `has_aux`, `func` returns (outputs, aux), and `vjp` (outputs, function, aux).

    >>> y, pull = tc.func.vjp(lambda x: x * x, tc.tensor([1.0, 2.0]))
    >>> pull(tc.ones(2))
    (tensor([2., 4.]),)
    """
    call = _Call(func, tuple(range(len(primals))), primals, {}, has_aux, "vjp")
    _tensors_only(call.result, "vjp(f, *primals): Expected f to return Tensors", RuntimeError)

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        vs = tree_leaves(cotangents)
        shapes = [tuple(v.shape) for v in vs], [tuple(y.shape) for y in call.outputs]
        if shapes[0] != shapes[1]:
            raise RuntimeError(
                f"vjp: expected cotangents of shapes {shapes[1]}, like the outputs, got {shapes[0]}"
            )
        needed = grad_mode.enabled and any(v.requires_grad for v in vs)
        keep = (call.kept or needed) if create_graph is None else create_graph
        return call.by_argument(call.pull(call.outputs, vs, keep))

    outputs = call.outer(call.result)
    return (outputs, pull, call.outer(call.aux)) if has_aux else (outputs, pull)


def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """The outputs of `func` at the tuple `primals`, and J v for the tuple v of `tangents`.

    With `has_aux`, `func` returns (outputs, aux), and `jvp` (outputs, J v, aux). An output that does
    not depend on the primals has J v = 0, with `strict` a RuntimeError. There are two backward passes:
    J v is the derivative of Jᵀu in direction v.

    >>> tc.func.jvp(lambda x: x * x, (tc.tensor([1.0, 2.0]),), (tc.tensor([1.0, 0.0]),))
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to be tuples")
    call = _Call(func, tuple(range(len(primals))), primals, {}, has_aux, "jvp")
    vs = _tensors_only(tangents, "jvp(f, primals, tangents): Expected Tensors")
    if [v.shape for v in vs] != [x.shape for x in call.inputs]:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same shapes"
        )
    ys = call.outputs
    if strict and not all(y.requires_grad for y in ys):
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): an output is independent of them"
        )
    us = [wrap(np.zeros_like(y._array)).requires_grad_() for y in ys]
    with enable_grad():
        pulled = call.pull(ys, us, True)
    pairs = [(g, v) for g, v in zip(pulled, vs, strict=True) if g.requires_grad]
    pushed: Any = [None] * len(us)
    keep = call.kept or (grad_mode.enabled and any(v.requires_grad for v in vs))
    if pairs:
        gs, parts = zip(*pairs, strict=True)
        pushed = autograd.grad(gs, us, parts, True, keep, allow_unused=True)
    pushed = [
        wrap(np.zeros_like(y._array)) if t is None else t for y, t in zip(ys, pushed, strict=True)
    ]
    results = call.outer(call.result), tree_unflatten(pushed, tree_structure(call.result))
    return (*results, call.outer(call.aux)) if has_aux else results


def jacrev(
    func: Function, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Function:
    """A function that returns the Jacobian of `func`, of shape (*output, *input).

    For several outputs, or inputs (nested, or by a tuple `argnums`), it has the form of the outputs
    with the form of the inputs inside. There is one backward pass for each number of the output;
    `chunk_size` has no effect. With `has_aux` it returns (Jacobian, aux).

    >>> tc.func.jacrev(lambda x: x * x)(tc.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call(func, argnums, args, kwargs, has_aux, "vjp")
        _tensors_only(call.result, "jacrev: Expected f to return Tensors", RuntimeError)
        jacobians = []
        for y in call.outputs:
            rows = []
            for k in range(y.numel()):
                v = np.zeros(y._array.shape, y._array.dtype)
                v.flat[k] = 1
                rows.append(call.pull([y], [wrap(v)]))
            parts = []
            for i, x in enumerate(call.inputs):
                shape = (*y.shape, *x.shape)
                column = [row[i] for row in rows]
                parts.append(
                    functions.reshape(functions.stack(column), shape)
                    if column
                    else wrap(np.zeros(shape, x._array.dtype))
                )
            jacobians.append(call.by_argument(parts))
        found = tree_unflatten(jacobians, tree_structure(call.result))
        return (found, call.outer(call.aux)) if has_aux else found

    return wrapper


def jacfwd(
    func: Function, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """`jacrev`: the same Jacobian, computed in reverse mode. `randomness` has no effect.

    >>> tc.func.jacfwd(lambda x: x.sum())(tc.tensor([1.0, 2.0]))
    tensor([1., 1.])
    """
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """A function that returns the Hessian of `func`: the Jacobian of its Jacobian.

    >>> tc.func.hessian(lambda x: (x**3).sum())(tc.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)
