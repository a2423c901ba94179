"""Calls about dtypes, in code that runs with either library: dtype objects, constructors, bfloat16.

Each is an expression over the names of `scope`. `outcome` makes plain values of its result.
"""

from __future__ import annotations

import contextlib
import copy
import pickle
import warnings
from typing import Any

import numpy as np

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
          "float64"]  # fmt: skip
UNSIGNED = ["uint16", "uint32", "uint64"]
TYPED = ["Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"]

OBJECTS = [
    *[f"torch.{d}" for d in (*DTYPES, *UNSIGNED, "complex64", "complex128")],
    *[f"torch.{a}" for a in ("half", "float", "double", "short", "int", "long", "cfloat", "cdouble")],
    *[f"(lambda d: (str(d), repr(d), d.itemsize, d.is_floating_point, d.is_complex, d.is_signed))(torch.{d})"
      for d in (*DTYPES, *UNSIGNED, "complex64")],
    *[f"torch.{d}.to_real(), torch.{d}.to_complex()" for d in ("float32", "float64", "bfloat16", "complex64")],
    *[f"torch.{d}.to_real()" for d in ("int64", "bool", "float16")],
    "torch.int8.to_complex()", "torch.float32.nothing", "torch.dtype('float32')", "torch.dtype()",
    "torch.float32 < torch.float64", "f'{torch.float32:>20}'", "f'{torch.bool}'",
    "torch.float32 == torch.float64", "torch.float32 == 'float32'", "torch.float32 == torch.float",
    "torch.float32 is torch.float", "torch.float32 == float", "isinstance(torch.bfloat16, torch.dtype)",
    "{torch.float32: 1, torch.bfloat16: 2, torch.bool: 3}[torch.bfloat16]",
    *[f"copy.deepcopy(torch.{d}) is torch.{d}" for d in (*DTYPES, *UNSIGNED)],
    *[f"pickle.loads(pickle.dumps(torch.{d})) is torch.{d}" for d in (*DTYPES, *UNSIGNED)],
    "torch.ones(2).dtype is torch.float32", "torch.arange(3).dtype", "torch.ones(2).bool().dtype",
    "torch.get_default_dtype()", "torch.set_default_dtype(torch.int64)", "torch.set_default_dtype(None)",
    "torch.set_default_dtype('float32')",
    *[f"repr(torch.finfo(torch.{d}))" for d in ("float16", "bfloat16", "float32", "float64")],
    *[f"repr(torch.iinfo(torch.{d}))" for d in (*DTYPES[1:6], *UNSIGNED)],
    *[f"(lambda f: (f.bits, f.eps, f.max, f.min, f.tiny, f.smallest_normal, f.resolution, f.dtype))(torch.finfo(torch.{d}))"
      for d in ("float16", "bfloat16", "float32", "float64", "complex64")],
    *[f"(lambda i: (i.bits, i.min, i.max, i.dtype))(torch.iinfo(torch.{d}))" for d in (*DTYPES[1:6], *UNSIGNED)],
    "torch.finfo().dtype", "torch.finfo(torch.int8)", "torch.finfo('float32')", "torch.iinfo(torch.float32)",
    "torch.iinfo(torch.bool)", "torch.iinfo()", "torch.finfo(torch.half) == torch.finfo(torch.float16)",
    "torch.finfo(torch.half) == torch.finfo(torch.float32)",
    *[f"[torch.promote_types(torch.{a}, getattr(torch, b)) for b in {DTYPES}]" for a in DTYPES],
    *[f"torch.promote_types(torch.uint16, torch.{b})" for b in (*DTYPES, *UNSIGNED)],
    *[f"torch.promote_types(torch.{a}, torch.complex64)" for a in DTYPES], "torch.promote_types(torch.complex64, torch.double)",
    "torch.promote_types('a', torch.float32)", "torch.promote_types(torch.float32)",
    *[f"[torch.can_cast(torch.{a}, getattr(torch, b)) for b in {[*DTYPES, 'complex64']}]" for a in (*DTYPES, "complex64")],
    *[f"[torch.result_type(x.to(torch.{a}), v) for v in (1, 1.5, True, zero.half(), zero.long(), zero.bool(), zero.bfloat16())]"
      for a in DTYPES],
    *[f"[torch.result_type(x.to(torch.{a}), x.to(getattr(torch, b))) for b in {DTYPES}]" for a in DTYPES],
    "torch.result_type(1, 2)", "torch.result_type(1.0, True)", "torch.result_type([1], 2)", "torch.is_complex(x)", "x.is_complex()",
]  # fmt: skip

CONSTRUCTORS = [
    *[f"torch.{t}Tensor([1, 0, 2]), torch.{t}Tensor(2, 3).shape, torch.{t}Tensor().shape" for t in TYPED],
    *[f"torch.{t}Tensor([[1.5, 0.0], [2.0, 3.0]])" for t in TYPED],
    *[f"torch.{t}Tensor(np.array([1.5, 0, 3]))" for t in TYPED],
    *[f"torch.{t}Tensor.dtype, str(torch.{t}Tensor), repr(torch.cuda.{t}Tensor)" for t in TYPED],
    *[f"[isinstance(x.to(getattr(torch, d)), torch.{t}Tensor) for d in {DTYPES}]" for t in TYPED],
    *[f"x.type(torch.{t}Tensor), x.type('torch.{t}Tensor').type()" for t in TYPED],
    *[f"(lambda t: (t.new([1, 2]), t.new(2, 3).shape, t.new().shape, t.new(x.size()).shape))(x.to(torch.{d}))" for d in DTYPES],
    *[f"x.to(torch.{d}).type()" for d in (*DTYPES, *UNSIGNED)],
    *[f"torch.cuda.{t}Tensor(2, 3)" for t in TYPED],
    "torch.cuda.FloatTensor.is_cuda, torch.FloatTensor.is_cuda, torch.FloatTensor.layout", "isinstance(x, torch.cuda.FloatTensor)",
    *[f"torch.{c}Tensor({a})" for c in ("", "Float", "Long") for a in (
        "(2, 3)", "range(3)", "'a'", "b'a'", "None", "-1", "2, -3", "True", "np.array([3])",
        "2.5", "np.float32(3)", "2, 3.0", "[2], [3]", "2, dtype=torch.float32", "2, requires_grad=True", "[True, False]", "2, device='cuda'",
        "x, device='cpu'", "[[1, 2], [3]]", "[torch.tensor(1), torch.tensor(2)]", "{1}", "{'a': 1}", "[]",
        "[[]]", "[None]", "['a']", "object()", "1 + 2j", "torch.Size([2, 3]), 2", "(2, 3), (2, 3)", "x.long()[0]", "x", "zero",
        "True, 2", "2, 3, size=3", "[float('nan')]", "[1e40]", "[2**63]", "np.ones((2, 0))")
      ],
    *[f"torch.{c}Tensor({a}).shape" for c in ("", "Float", "Long") for a in (
        "2", "2, 3", "x.size()", "torch.Size([])", "np.int64(3)", "size=(2, 3)", "2, device='cpu'", "zero.long(), 2")],
    "torch.Tensor(np.array(3)).shape",
    "torch.IntTensor([2**40])", "torch.ByteTensor([300])", "torch.ByteTensor([-1])", "torch.ByteTensor([-1.5])", "torch.LongTensor([1e19])",
    "torch.HalfTensor([1e6])", "torch.ByteTensor(np.array([300]))", "torch.FloatTensor(x).data_ptr() == x.data_ptr()",
    "torch.Tensor(x).data_ptr() == x.data_ptr()", "torch.Tensor(x) is x", "torch.Tensor(x.double()).dtype",
    "(lambda a: np.shares_memory(torch.Tensor(a).numpy(), a))(np.ones(2, np.float32))",
    "(lambda a: np.shares_memory(torch.Tensor(a).numpy(), a))(np.ones(2))",
    "(lambda w: (torch.Tensor(w).requires_grad, torch.FloatTensor(w).is_leaf))(torch.ones(2, requires_grad=True))",
    "torch.Tensor(data=[1.0]), torch.Tensor(other=x), x.new(data=[1]), x.new(other=x), x.new(size=(2,)).shape",
    "x.new(1.5)", "x.new((1, 2))", "x.new(x.long())", "x.new(x, x)", "x.new(2, device='cuda')", "x.new(np.ones(2))",
    "type(torch.nn.Parameter(x).new(2)) is torch.Tensor", "torch.nn.Parameter(x).new(2).requires_grad",
    "isinstance(1, torch.FloatTensor)", "isinstance(torch.nn.Parameter(x), torch.FloatTensor)", "torch.FloatTensor is torch.FloatTensor",
    "type('Mine', (torch.FloatTensor,), {})", "pickle.loads(pickle.dumps(torch.FloatTensor)) is torch.FloatTensor",
    "pickle.loads(pickle.dumps(torch.cuda.FloatTensor)) is torch.cuda.FloatTensor", "copy.deepcopy(torch.LongTensor) is torch.LongTensor",
    "x.type(torch.float64)", "x.type(torch.FloatTensor) is x", "x.type(None)", "x.type('foo')", "x.type('FloatTensor')", "x.type('')",
    "x.type(torch.Tensor)", "x.type(float)", "x.type(int)", "x.type(3)", "x.type(torch.device('cpu'))", "x.type(torch.cuda.FloatTensor)",
    "x.type('torch.cuda.FloatTensor')", "x.type(dtype=torch.LongTensor)", "x.type(torch.LongTensor, non_blocking=True)", "x.type(x.type())",
    *[f"torch.nn.Linear(2, 2).type({t}).weight.type()" for t in ("'torch.DoubleTensor'", "torch.HalfTensor", "torch.float64", "'foo'")],
    "torch.nn.Linear(2, 2).bfloat16().weight.dtype", "torch.nn.BatchNorm2d(2).bfloat16().num_batches_tracked.dtype",
    *[f"default_type({t})" for t in ("torch.DoubleTensor", "'torch.DoubleTensor'", "torch.HalfTensor", "torch.BFloat16Tensor",
      "torch.LongTensor", "torch.float64", "torch.Tensor", "torch.cuda.FloatTensor", "'torch.cuda.FloatTensor'", "3")],
]  # fmt: skip

BFLOAT16 = [
    *[f"torch.{f}(p)" for f in ("abs", "sqrt", "exp", "log", "log1p", "expm1", "sin", "cos", "tanh", "sigmoid", "rsqrt", "reciprocal",
      "floor", "ceil", "round", "trunc", "sign", "neg", "square", "erf", "relu", "atan", "log2", "log10", "frac")],
    *[f"F.{f}(x)" for f in ("relu", "leaky_relu", "elu", "gelu", "silu", "mish", "softplus", "hardtanh", "relu6", "hardswish", "softsign",
      "logsigmoid", "tanhshrink", "softshrink", "hardshrink", "selu", "celu", "hardsigmoid")],
    *[f"x {o} {b}" for o in "+-*/" for b in ("y", "f", "n", "p.half()", "torch.tensor(2.0)", "torch.tensor(0.5).double()", "2", "0.5", "x")],
    *[f"{a} {o} x" for o in "+-*/" for a in ("f", "n", "2", "0.5")], "x * 0.3", "x / 0.3", "x ** 2", "p ** 0.5", "2 ** x", "x // 2", "x % 2",
    *[f"x {o} {b}" for o in ("<", "<=", "==", "!=", ">", ">=") for b in ("y", "0", "f", "0.5")],
    *[f"x.{f}({a})" for f in ("sum", "mean", "amax", "amin", "std", "var", "norm", "max", "min", "argmax", "argmin", "any", "all")
      for a in ("", "1") if (f, a) != ("norm", "1")], "x.cumsum(1)", "x.logsumexp(1)", "x.prod(1)", "x.sum(dtype=torch.float32)",
    "ones.sum()", "ones.mean()", "(ones * 0.001).sum()", "ones.cumsum(0)[-1]", "x.softmax(1)", "x.log_softmax(1)", "x.sort()", "x.topk(2)",
    "x.clamp(-0.5, 0.5)", "torch.maximum(x, y)", "torch.minimum(x, y)", "torch.where(m, x, y)", "torch.where(m, x, 0.5)", "x.masked_fill(m, 0.5)",
    "x @ y.T", "x @ y[0]", "torch.mm(x, y.T)", "torch.bmm(x[None], y.T[None])", "F.linear(x, y, y[:, 0])", "torch.einsum('ij,kj->ik', x, y)",
    "torch.outer(x[0], y[0])", "x @ f.T", "F.conv2d(image, filters)", "F.conv2d(image, filters, padding=1, stride=2)",
    "F.conv_transpose2d(image, filters)", "F.conv1d(image[0], filters[0])", "F.max_pool2d(image, 2)", "F.avg_pool2d(image, 2)",
    "F.adaptive_avg_pool2d(image, 2)", "F.layer_norm(x, (4,))", "F.rms_norm(x, (4,))", "F.group_norm(image, 2)", "F.embedding(t, x)",
    "F.interpolate(image, scale_factor=2)", "F.pad(image, (1, 1))", "F.cross_entropy(x, t)", "F.nll_loss(x, t)", "F.mse_loss(x, y)",
    "F.l1_loss(x, y)", "F.smooth_l1_loss(x, y)", "F.binary_cross_entropy(u, m.bfloat16())", "F.binary_cross_entropy_with_logits(x, m.bfloat16())",
    "F.kl_div(x, u)", "F.cosine_similarity(x, y)", "F.normalize(x)", "F.scaled_dot_product_attention(x, y, x)",
    "x[0]", "x[:, 1:]", "x[t]", "x[m]", "x.T", "torch.cat([x, y])", "torch.cat([x, f])", "torch.stack([x, y])", "x.flip(0)", "x.repeat(2, 1)",
    "x.gather(1, t[:, None])", "x.index_select(0, t)", "x.tril()", "x.expand(2, 3, 4)", "x.index_add(0, t, y)", "x.isnan()", "x.isfinite()",
    *[f"x.to(torch.{d})" for d in DTYPES], *[f"n.to(torch.{d}).bfloat16()" for d in DTYPES], "f.bfloat16()", "special.bfloat16()",
    "(special.bfloat16() * 2).float()", "torch.tensor([1e-40, 1.0039, 65535.0, 3.4e38]).bfloat16().float()", "x.tolist()", "x[0, 0].item()",
    "x.element_size()", "x.type()", "x.is_floating_point()", "str(x.detach())", "repr(special.bfloat16())", "str((x * 1e10).detach())", "str(ones[:3])",
    *[f"torch.{f}, dtype=torch.bfloat16)" for f in ("zeros(2", "ones(2", "full((2,), 0.3", "arange(5", "arange(0, 1, 0.1", "linspace(0, 1, 7",
      "eye(2", "tensor([1, 2.3]", "tensor(3", "tensor([True]", "tensor([1e40, 0.1]", "zeros_like(f", "ones_like(n", "full_like(f, 0.3")],
    *[f"torch.{f}, dtype=torch.bfloat16).dtype" for f in ("rand(2", "randn(2", "randint(9, (2,)", "empty(2", "rand_like(f")],
    "x.new_zeros(2)", "x.new_tensor([1.3])", "x.new_full((2,), 0.3)", "z.fill_(0.3)", "z.add_(y)", "z.mul_(y)", "z.mul_(0.3)", "z.div_(3)",
    "z.copy_(f)", "z.add_(f)", "z.add_(n)", "z.exp_()", "z.relu_()", "z.clamp_(0, 1)", "z.zero_()", "z.sub_(y)", "f.clone().add_(x.detach())",
    "f.clone().copy_(x.detach())", "n.clone().add_(x.detach())", "z.__setitem__(0, f[0]) or z", "z.__setitem__((0, 0), 0.3) or z",
    "f.requires_grad_().bfloat16() * 2", "(f.requires_grad_().bfloat16() * y).float().sum()", "x.float() * f", "x.double().sum()",
    "-x", "abs(x)", "x.round(decimals=1)", "x.count_nonzero()", "torch.equal(x, x)", "torch.allclose(x, x)", "torch.isclose(x, y)",
]  # fmt: skip

INTEGERS = [
    f"(lambda i: {code})(n.to(torch.{d}))" for d in UNSIGNED for code in (
        "i", "i[1:]", "i.float()", "i.long()", "i.bool()", "i.clone()", "i * 2", "i / 2", "i + 1.5", "i == i", "i.sum()", "i.prod()",
        "i & 1", "i | i", "i ^ i", "torch.cat([i, i])", "torch.stack([i, i])", "torch.where(i == 1, i, i)", "i.tolist()", "i.any()",
        "i.element_size()", "torch.zeros_like(i)", "i.new([1])", "i.numpy().dtype.name", "torch.from_numpy(i.numpy()).dtype",
        "torch.equal(i, i)", "i + n", "i + m", "i + n.int()", "i * f", "i.view(-1)", "i.mean()", "i.requires_grad_()", "i.is_floating_point()")
]  # fmt: skip

CASES = {
    f"{group}: {code}": code
    for group, codes in (
        ("objects", OBJECTS), ("constructors", CONSTRUCTORS), ("bfloat16", BFLOAT16), ("integers", INTEGERS),
    )
    for code in codes
}  # fmt: skip


def scope(torch: Any, nn: Any, F: Any) -> dict[str, Any]:
    """The names of the expressions: Tensors of bfloat16 that require grad, and others."""

    def numbers(*shape: int, start: float = 0.0) -> Any:
        unit = (np.arange(1, 1 + int(np.prod(shape))) * 0.6180339887498949 + start) % 1.0
        return torch.tensor((4.0 * unit - 2.0).astype(np.float32).reshape(shape))

    def default_type(t: Any) -> Any:
        try:
            torch.set_default_tensor_type(t)
            return torch.get_default_dtype(), torch.ones(1).dtype
        finally:
            torch.set_default_dtype(torch.float32)

    half = torch.bfloat16
    names = {
        "x": numbers(3, 4), "y": numbers(3, 4, start=0.3), "p": numbers(3, 4).abs() + 0.1,
        "u": torch.sigmoid(numbers(3, 4)), "image": numbers(1, 2, 4, 4), "filters": numbers(2, 2, 3, 3),
    }  # fmt: skip
    names = {name: t.to(half).requires_grad_() for name, t in names.items()}
    inf, nan = float("inf"), float("nan")
    return names | {
        "torch": torch, "nn": nn, "F": F, "np": np, "pickle": pickle, "copy": copy,
        "default_type": default_type, "f": numbers(3, 4, start=0.7), "n": torch.tensor([[1, 2, 3, 4]] * 3),
        "m": numbers(3, 4) > 0, "t": torch.tensor([0, 2, 1]), "zero": torch.tensor(0.0), "z": numbers(3, 4).to(half),
        "ones": torch.ones(5000).to(half), "special": torch.tensor([inf, -inf, nan, 0.0, -0.0, 1e39, 3.3961775e38]),
    }  # fmt: skip


def outcome(name: str, torch: Any, nn: Any, F: Any) -> dict[str, Any]:
    """`values` of the result and `gradients` of Σ y in plain numbers, or the type of the error."""
    group, code = name.split(":")[0], CASES[name]
    names = scope(torch, nn, F)
    if group != "bfloat16":
        names["x"] = torch.ones(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = eval(code, names)
        except Exception as error:
            known = [base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"]
            return {"error": known[0]}
        found = {"values": plain(torch, result)}
        first = result[0] if isinstance(result, tuple) and result else result
        if isinstance(first, torch.Tensor) and first.requires_grad:
            with contextlib.suppress(RuntimeError):  # PyTorch has no derivative of floor_divide
                first.sum().backward()
            found["gradients"] = {
                key: plain(torch, t.grad) for key, t in names.items()
                if isinstance(t, torch.Tensor) and t.is_leaf and t.grad is not None
            }  # fmt: skip
    return found


def plain(torch: Any, value: Any) -> Any:
    """A value that JSON can hold: a Tensor as its dtype, shape and numbers."""
    if isinstance(value, torch.Tensor):
        numbers = [repr(v) for v in value.detach().double().reshape(-1).tolist()]
        return {"dtype": str(value.dtype), "shape": list(value.shape), "numbers": numbers}
    if isinstance(value, (tuple, list)):
        return [plain(torch, v) for v in value]
    if isinstance(value, (bool, int, float)) or value is None:
        return repr(value)
    return str(value)
