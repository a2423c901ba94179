"""Tensor methods and functions."""

from .cases import Case, Input, booleans, given, integers, positive, real, ties, unit

INF, NAN = float("inf"), float("nan")
AWKWARD = given([-INF, -2.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, 1e30, INF, NAN])

CASES: list[Case] = []


def add(code: str, order: int = 2, name: str = "", **inputs: Input) -> None:
    grad = inputs.pop("grad", None)
    CASES.append(Case(name or code, code, inputs, order, grad))  # type: ignore[arg-type]


# --- of one tensor, element by element ---

SMOOTH = ["exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "sigmoid", "erf", "expm1",
          "square", "neg"]  # fmt: skip
POSITIVE = ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal"]
BENT = ["abs", "relu", "sign", "floor", "ceil", "round", "trunc", "frac"]
for fn in SMOOTH + BENT:
    add(f"torch.{fn}(x)", x=real(2, 3))
    add(f"x.{fn}()", x=real(0, 3))
    add(f"torch.{fn}(x)", name=f"awkward {fn}", order=1, x=AWKWARD)
for fn in POSITIVE:
    add(f"torch.{fn}(x)", x=positive(2, 3))
    add(f"x.{fn}()", name=f"awkward {fn}", order=1, x=AWKWARD)
for fn in ("asin", "acos", "erfinv"):
    add(f"torch.{fn}(x)", x=unit(5))
for bounds in ("-0.5, 0.7", "min=0.1", "max=0.1", "0.5, -0.5"):
    add(f"x.clamp({bounds})", x=real(3, 4))
add("x.clamp(min=lo, max=hi)", x=real(3, 4), lo=real(4), hi=real(3, 1))
for p in ("2", "3", "0.5", "-1", "0", "1", "-0.5", "2.5"):
    add(f"x ** {p}", x=positive(2, 3))
add("x ** 3", x=real(2, 3))
add("2.0 ** x", x=real(2, 3))
add("x ** y", x=positive(2, 3), y=real(3))
add("torch.pow(x, 2)", x=given([-1.0, 0.0, 2.0]))
add("x.nan_to_num(nan=1.0)", order=1, x=AWKWARD)
add("torch.isnan(x), torch.isinf(x), torch.isfinite(x), x == x", x=AWKWARD)

# --- of two ---

for op in ("+", "-", "*", "/"):
    for a, b in (
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((), (2, 2)),
        ((0, 3), (1, 3)),
    ):
        add(f"x {op} y", name=f"x {op} y {a} {b}", x=real(*a), y=real(*b))
    add(f"x {op} 2, 3 {op} x", x=real(4))
for op in ("//", "%"):
    add(f"x.detach() {op} y.detach()", order=1, x=real(2, 3), y=positive(3))
    add(f"x {op} 3, 7 {op} (x * 0 + 2)", order=1, name=f"int {op}", x=integers(6))
for op in ("<", "<=", ">", ">=", "==", "!="):
    add(f"x {op} y, x {op} 0", x=ties(3, 4), y=ties(4))
for op in ("&", "|", "^"):
    add(f"x {op} y", x=booleans(3, 4), y=booleans(4))
    add(f"x {op} y", name=f"int {op}", x=integers(3, 4, high=16), y=integers(4, high=16))
add("~x, torch.logical_not(x), torch.logical_and(x, y), torch.logical_or(x, y), "
    "torch.logical_xor(x, y)", x=booleans(5), y=booleans(5))  # fmt: skip
for fn in ("maximum", "minimum"):
    add(f"torch.{fn}(x, y)", x=real(2, 3), y=real(3))
    add(f"torch.{fn}(x, y)", name=f"ties {fn}", x=ties(3, 4), y=ties(3, 4))
    add(
        f"torch.{fn}(x, y)",
        name=f"nan {fn}",
        order=1,
        x=given([NAN, 1.0, 2.0]),
        y=given([0.0, NAN, 3.0]),
    )
for fn in ("fmod", "remainder"):
    add(f"torch.{fn}(x, y)", order=1, x=real(2, 3), y=given([0.7, -0.7, 0.3]))
add("torch.atan2(x, y)", x=real(2, 3), y=real(3))
for fn in ("hypot", "logaddexp"):
    add(f"torch.{fn}(x, y)", x=real(2, 3), y=real(3))
    add(f"x.{fn}(y)", name=f"awkward {fn}", order=1, x=AWKWARD, y=AWKWARD)
    add(f"torch.{fn}(x, y)", name=f"awkward {fn} in another order", order=1,
        x=AWKWARD, y=given([1e30, NAN, INF, -INF, 2.0, -1e30, -0.0, 800.0, -1e30, -INF, INF]))  # fmt: skip
    add(f"torch.{fn}(x.double(), y), torch.{fn}(n, x), torch.{fn}(x, torch.tensor(2.0).double())",
        name=f"dtypes {fn}", order=1, x=real(4, dtype="float32"), y=real(4, dtype="float32"), n=integers(4))  # fmt: skip
add("torch.lerp(x, y, 0.3)", x=real(3), y=real(3))
add("torch.lerp(x, y, w)", x=real(3), y=real(3), w=unit(3))
add("torch.addcmul(x, y, z, value=0.5)", x=real(2, 3), y=real(3), z=real(2, 1))
add("torch.addcdiv(x, y, z, value=0.5)", x=real(2, 3), y=real(3), z=positive(2, 1))
add("torch.where(c, x, y)", c=booleans(2, 3), x=real(3), y=real(2, 1))
add("torch.where(c, x, 0.0)", c=booleans(2, 3), x=real(2, 3))
add("torch.where(c)", c=booleans(3, 4))
add("x.add(y, alpha=3), torch.sub(x, y, alpha=2)", x=real(3), y=real(3))
add("torch.div(x, y, rounding_mode='floor'), torch.div(x, y, rounding_mode='trunc')", order=1,
    x=real(2, 3), y=positive(3))  # fmt: skip
add("x.allclose(x + 1e-9), torch.isclose(x, x + 1e-4), torch.equal(x, x)", x=real(3))

# --- reductions ---

for fn in ("sum", "mean", "prod", "amax", "amin", "logsumexp", "std", "var"):
    for dim in ("0", "-1", "1, keepdim=True"):
        add(f"x.{fn}({dim})", x=real(3, 2, 4))
for fn in ("sum", "mean", "prod", "max", "min", "amax", "amin", "std", "var", "norm"):
    add(f"x.{fn}()", x=real(3, 2))
for fn in ("sum", "mean", "amax", "std", "var", "logsumexp"):
    add(f"x.{fn}((0, 2))", x=real(3, 2, 4))
for fn in ("sum", "prod", "mean"):
    add(f"torch.ones(0, 3).{fn}(0)")
    add(f"x.{fn}(0, dtype=torch.float64)", name=f"integers {fn}", x=integers(3, 2))
add("x.sum(), x.prod(), (x > 2).sum(), x.bool().sum(0)", x=integers(3, 2))
for fn in ("max", "min"):
    add(f"x.{fn}(1)", x=ties(4, 5))
    add(f"x.{fn}(0, keepdim=True)", x=real(4, 5))
    add(f"x.{fn}()", name=f"ties {fn}()", x=ties(4, 5))
    add(f"torch.arg{fn}(x), x.arg{fn}(1), x.arg{fn}(dim=0, keepdim=True)", x=ties(4, 5))
    add(f"x.{fn}(0)", name=f"nan {fn}", order=1, x=given([[1.0, NAN], [NAN, 2.0], [3.0, 0.0]]))
add("x.amax(1)", name="ties amax", x=ties(4, 5))
for fn in ("std", "var"):
    add(f"x.{fn}(dim=1, unbiased=False), x.{fn}(dim=1, correction=2)", x=real(3, 4))
add("torch.var_mean(x, 1)", x=real(3, 4))
add("torch.std_mean(x, dim=(0, 1))", x=real(3, 4))
for args in ("", "p=1", "dim=1", "2, dim=(0, 1)", "p=3, dim=0, keepdim=True", "p=float('inf')"):
    add(f"torch.norm(x, {args})" if args else "torch.norm(x)", x=real(3, 4))
add("x.norm()", name="norm of zeros", order=1, x=given([0.0, 0.0]))
add(
    "x.prod(0)",
    name="prod with zeros",
    x=given([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [3.0, 4.0, 5.0]]),
)
add("x.any(), x.all(), x.any(1), x.all(0, keepdim=True)", x=booleans(3, 4))
for fn in ("cumsum", "cumprod"):
    add(f"x.{fn}(1)", x=real(2, 4))
    add(f"torch.{fn}(x, dim=0)", x=real(3, 2))
add("x.cumsum(0)", x=integers(5))
add("x.softmax(1), torch.log_softmax(x, 0)", x=real(3, 4))
add("x.median(), x.median(1)", order=1, x=real(3, 5))
add("torch.bincount(x), torch.bincount(x, minlength=9)", x=integers(12))
add("torch.unique(x)", x=integers(12))
add("x.nonzero(), x.count_nonzero()", x=integers(3, 4, high=2))

# --- products ---

for a, b in (((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
             ((2, 1, 2, 3), (4, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3))):  # fmt: skip
    add("x @ y", name=f"x @ y {a} {b}", x=real(*a), y=real(*b))
add("torch.mm(x, y)", x=real(2, 3), y=real(3, 4))
add("torch.bmm(x, y)", x=real(2, 2, 3), y=real(2, 3, 4))
add("torch.mv(x, y), torch.dot(y, y), torch.outer(y, y)", x=real(2, 3), y=real(3))
add("torch.addmm(z, x, y, beta=0.5, alpha=2)", x=real(2, 3), y=real(3, 4), z=real(4))
add("torch.baddbmm(z, x, y)", x=real(2, 2, 3), y=real(2, 3, 4), z=real(2, 2, 4))
for spec, shapes in (("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("ii->i", ((3, 3),)),
                     ("ii", ((3, 3),)), ("bij,bjk->bik", ((2, 2, 3), (2, 3, 2))), ("i,j->ij", ((2,), (3,))),
                     ("bnqd,bnkd->bnqk", ((1, 2, 3, 2), (1, 2, 4, 2))), ("...ij,...jk->...ik", ((2, 2, 3), (3, 2))),
                     ("ij->ji", ((2, 3),)), ("ij->", ((2, 3),)), ("i,ij,j->", ((2,), (2, 3), (3,))),
                     ("abc,abd->cd", ((2, 2, 3), (2, 2, 2)))):  # fmt: skip
    named = {f"x{k}": real(*shape) for k, shape in enumerate(shapes)}
    add(f"torch.einsum({spec!r}, {', '.join(named)})", **named)
add("torch.tensordot(x, y, dims=2)", x=real(2, 3, 4), y=real(3, 4, 2))

# --- shapes ---

SHAPED = [
    "view(6, 4)", "view(-1)", "view(2, -1, 2)", "reshape(4, 6)", "flatten()", "flatten(1)", "flatten(0, 1)",
    "unflatten(2, (2, 2))", "squeeze()", "unsqueeze(0)", "unsqueeze(-1)", "permute(2, 0, 1)", "permute((1, 2, 0))",
    "transpose(0, 2)", "movedim(0, 2)", "swapaxes(0, 1)", "expand(5, 2, 3, 4)", "expand(-1, 3, 4)", "repeat(2, 1, 3)",
    "repeat(2, 1, 1, 2)", "repeat_interleave(2, dim=1)", "repeat_interleave(2)", "tile((2, 2))", "contiguous()",
    "chunk(2, dim=2)", "chunk(3, 1)", "chunk(5, 2)", "split(2, dim=1)", "split([1, 2], dim=1)", "unbind(1)",
    "narrow(2, 1, 2)", "select(1, 2)", "flip(0)", "flip([0, 2])", "roll(1, 0)", "roll((1, -2), (0, 2))", "roll(5)",
    "tril()", "triu(1)", "tril(-1)", "diagonal(dim1=1, dim2=2)", "diagonal(1, 0, 2)", "mT", "sort(1)",
    "sort(dim=2, descending=True)", "topk(2)", "topk(2, dim=1, largest=False)", "argsort(2)",
    "index_select(1, torch.tensor([2, 0, 2]))", "clone()", "size()", "size(1)", "dim()", "numel()",
    "view(torch.Size([4, 6]))", "masked_fill(torch.tensor([True, False, True, False]), 7.0)",
]  # fmt: skip
for shaped in SHAPED:
    add(f"x.{shaped}", x=real(2, 3, 4))
add("x.squeeze(), x.squeeze(1), x.squeeze((0, 3)), x.squeeze(2)", x=real(1, 2, 3, 1))
add("x.t()", x=real(2, 3))
add("torch.diag(x), torch.diag(y), torch.diag_embed(x)", x=real(3), y=real(3, 3))
for index in ("0", "-1", "1:", "::2", "..., 1", "None", ":, None", "1, 2", "torch.tensor([1, 0, 1])", "[1, 0]",
              ":, torch.tensor([[0, 2], [1, 1]])", "torch.tensor([0, 1]), torch.tensor([2, 0])", "x > 0",
              "x.sum((1, 2)) > -99", ":, 1:3, ::2", "..., None, 0", "0, :, torch.tensor([1, 3])",
              "torch.tensor([0, 1]), :, torch.tensor([1, 3])", "-1:", "5:", "torch.tensor(1)", "True"):  # fmt: skip
    add(f"x[{index}]", x=real(2, 3, 4))
for index, value in (("0", "1.5"), ("x > 0", "0.0"), (":, 1", "v"), ("..., torch.tensor([0, 2])", "v[:, :1, None]"),
                     ("1, 2, 3", "7"), ("torch.tensor([1, 0])", "x.flip(0)")):  # fmt: skip
    add(f"y = x * 1.0\ny[{index}] = {value}", x=real(2, 3, 4), v=real(2, 4))
add("torch.cat([x, y], 1)", x=real(2, 3), y=real(2, 2))
add("torch.cat((x, y, x), dim=-1)", x=real(2, 0), y=real(2, 2))
add("torch.stack([x, y], dim=1)", x=real(2, 3), y=real(2, 3))
add("torch.hstack([x, y]), torch.vstack([x, x])", x=real(2, 3), y=real(2, 2))
add("torch.meshgrid(x, y, indexing='ij')", x=real(2), y=real(3))
add("torch.meshgrid(x, y, indexing='xy')", x=real(2), y=real(3))
add("x.gather(1, i)", x=real(3, 4), i=integers(3, 2, high=4))
add("x.gather(0, i)", x=real(3, 4), i=integers(2, 4, high=3))
add("x.scatter(1, torch.tensor([[0, 2], [1, 3], [3, 0]]), v)", x=real(3, 4), v=real(3, 2))
add("x.scatter(1, torch.tensor([[0], [1], [3]]), 1.0)", x=real(3, 4))
add("x.scatter_add(0, i, v)", x=real(3, 4), v=real(2, 4), i=integers(2, 4, high=3))
add("x.index_add(0, i, v)", x=real(3, 4), v=real(5, 4), i=integers(5, high=3))
add("torch.take_along_dim(x, x.argsort(1), dim=1)", x=real(3, 4))
add("x.masked_fill(m, -1e9), x.masked_select(m)", x=real(3, 4), m=booleans(3, 4))
add("x.sort(stable=True)[1], x.argsort(stable=True, descending=True)", x=ties(9))
add("torch.tril(torch.ones(3, 4)), torch.triu(torch.ones(3, 3), diagonal=1)")
add("torch.broadcast_to(x, (2, 3))", x=real(3))
add("torch.cross(x, y, dim=1)", x=real(2, 3), y=real(2, 3))

# --- making tensors ---

for made in ("tensor([[1, 2], [3, 4]])", "tensor(1.5)", "tensor([1, 2.5])", "tensor([True, False])", "tensor([])",
             "zeros(2, 3)", "ones((2, 3), dtype=torch.int64)", "full((2, 2), 3)", "full((2,), 1.5)", "arange(5)",
             "arange(1, 2, 0.25)", "arange(5, 1, -2)", "linspace(0, 1, 5)", "linspace(1, 0, 1)", "eye(3)", "eye(2, 3)",
             "zeros(0, 2)", "empty(2, 0)", "as_tensor([1.0, 2.0])", "from_numpy(np.arange(3))", "zeros_like(torch.ones(2, dtype=torch.int32))",
             "full_like(torch.ones(2), 7.0)", "ones(3).new_zeros(2)", "ones(3, dtype=torch.float64).new_tensor([1, 2])",
             "ones(2).to(torch.float64)", "ones(2).double().float()", "arange(3).float()", "tensor([1.9, -1.9]).long()",
             "tensor([0, 2]).bool()", "ones(2).type(torch.int32)", "tensor([300]).to(torch.uint8)", "tensor(3).item()",
             "logspace(0, 2, 3)", "tensor([[1.0, 2.0]]).tolist()", "ones(2, 3).size()", "tensor(2) * 1.5", "tensor([1, 2]) / 2",
             "tensor([1, 2]) / torch.tensor([2, 2])", "tensor([1], dtype=torch.uint8) + torch.tensor([1], dtype=torch.int8)",
             "ones(2) + torch.ones((), dtype=torch.float64)", "ones(2) * torch.ones(2, dtype=torch.float64)",
             "tensor([1, 2]) + 0.5", "tensor([True]) + torch.tensor([True])", "tensor([True]) * 2", "tensor([1]) ** 2.0",
             "tensor([1, 2]).mean(dtype=torch.float32)", "tensor([3, 4]).float().norm()", "ones(2).half().dtype",
             "get_default_dtype()", ):  # fmt: skip
    add(f"torch.{made}", name=f"made {made}")
for text in ("tensor([1.0, 2.5])", "tensor([1, 2])", "tensor(3.0)", "tensor([1e-5, 1.0])", "tensor([1e10, 1.0])", "zeros(0)",
             "tensor([float('nan'), float('inf')])", "tensor([[1.0, 2.0], [3.0, 4.0]])", "tensor([True])", "zeros(2, 3, 4)",
             "arange(2000.0)", "ones(2, dtype=torch.float64)", "tensor([1.5], requires_grad=True)", "tensor([0.1, 1234.5])",
             "ones(50, 60)", "tensor([1e-8])", "tensor([1.0, 1e6])", "tensor([123456789])", "tensor([[]])", "tensor(5)"):  # fmt: skip
    add(f"repr(torch.{text})", name=f"printed {text}")

# --- in place ---

for write in ("add_(2.0)", "add_(v)", "mul_(v)", "sub_(v, alpha=2)", "div_(v)", "clamp_(-1, 1)", "clamp_(min=0)", "zero_()",
              "fill_(3.0)", "copy_(v)", "relu_()", "exp_()", "sqrt_()", "abs_()", "neg_()", "sigmoid_()", "tanh_()", "pow_(2)",
              "masked_fill_(v > 1, 0.0)", "round_()", "lerp_(v, 0.5)", "hypot_(v)",
              "addcmul_(v, v, value=2)", "index_fill_(0, torch.tensor([0]), 5.0)", "clamp_min_(0.5)", "floor_()", "reciprocal_()"):  # fmt: skip
    add(f"y = x * 1.0\ny.{write}", name=f"in place {write}", x=positive(2, 3), v=positive(2, 3))
add("y = x * 1.0\ny[0] += v\ny[:, 1:].mul_(2)\ny.view(-1)[::2] -= 1", x=real(2, 3), v=real(3))
add("y = x * 1.0\ny.scatter_(1, torch.tensor([[0], [2]]), v)", x=real(2, 3), v=real(2, 1))
add("y = x * 1.0\ny.index_add_(0, torch.tensor([1, 1]), v)", x=real(2, 3), v=real(2, 3))
