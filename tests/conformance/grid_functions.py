"""Functions that load on first access: order statistics, search, sampling, distances, scattering."""

from .cases import Case, Input, booleans, given, integers, positive, real, ties, unit

INF, NAN = float("inf"), float("nan")
CASES: list[Case] = []


def add(code: str, order: int = 2, name: str = "", **inputs: Input) -> None:
    grad = inputs.pop("grad", None)
    CASES.append(Case(name or code, code, inputs, order, grad))  # type: ignore[arg-type]


# --- order statistics ---

HOLES = given([[1.0, NAN, 3.0, -2.0], [NAN, NAN, NAN, NAN], [0.5, 0.25, NAN, 4.0]])
for fn in ("quantile", "nanquantile"):
    for how in ("linear", "lower", "higher", "midpoint", "nearest"):
        add(f"torch.{fn}(x, 0.37, dim=1, interpolation={how!r})", x=real(3, 5))
        add(
            f"torch.{fn}(x, 0.3, dim=1, interpolation={how!r})",
            name=f"holes {fn} {how}",
            order=1,
            x=HOLES,
        )
        add(f"x.{fn}(q, interpolation={how!r})", name=f"vector {fn} {how}", x=real(3, 4), q=unit(3))
    add(f"torch.{fn}(x, q, 0, True)", x=real(3, 2, 4), q=given([0.0, 0.5, 1.0]), grad=("x",))
    add(
        f"torch.{fn}(x, q, -1), torch.{fn}(x[0, 0, 0], 0.2)",
        x=real(2, 3, 4),
        q=given([0.25]),
        grad=("x",),
    )
    add(f"torch.{fn}(x, 0.6, keepdim=True), torch.{fn}(x, 1, 0), torch.{fn}(x, 0, 1)", x=real(3, 4))
    add(
        f"torch.{fn}(x, 0.5, 1)",
        name=f"infinite {fn}",
        order=1,
        x=given([[1.0, INF, -INF], [INF, INF, 0.0]]),
    )
    add(f"torch.{fn}(x, 0.45, 1)", name=f"ties {fn}", x=ties(4, 5))
for k in (1, 3, 5):
    add(f"torch.kthvalue(x, {k})", x=real(3, 5))
    add(f"x.kthvalue({k}, 0, True)", x=real(5, 2))
add(
    "torch.kthvalue(x, 2), torch.kthvalue(x, 4, keepdim=True)",
    name="nan kthvalue",
    order=1,
    x=given([[1.0, NAN, 3.0, -2.0]]),
)
add("torch.kthvalue(x[0], 1), torch.kthvalue(i, 2, 0).values", x=real(3), i=integers(4, 3))
for dim in ("", "0", "1, True"):
    add(f"torch.mode(x, {dim})" if dim else "torch.mode(x)", x=ties(4, 6))
    add(f"i.mode({dim})", i=integers(3, 7, high=3))
add("torch.mode(x), torch.mode(x[0, 0])", name="nan mode", order=1, x=HOLES)

# --- without NaN ---

for fn in ("nansum", "nanmean"):
    for args in ("", "0", "(0, 1), keepdim=True", "dim=-2, keepdim=True"):
        add(f"x.{fn}({args})", name=f"holes {fn} {args}", order=1, x=HOLES)
    add(f"x.{fn}(1)", name=f"holes alone {fn}", x=HOLES, grad=())
    add(f"torch.{fn}(x, 0)", x=real(3, 4))
    add(f"torch.{fn}(torch.zeros(0, 3)), torch.{fn}(torch.zeros(0, 3), 0)")
add(
    "torch.nansum(i), torch.nansum(m), torch.nansum(i, 0, dtype=torch.float64)",
    i=integers(3, 2),
    m=booleans(4),
)
add("torch.nanmean(x, dtype=torch.float64)", order=1, x=Input((3,), dtype="float32"))

# --- special functions ---

SOME = given(
    [-INF, -30.0, -2.5, -1e-8, -0.0, 0.0, 1e-300, 0.5, 2.0, 5.0, 9.0, 26.0, 27.5, INF, NAN]
)
add("torch.erfc(x)", x=real(2, 4))
add("x.erfc()", name="awkward erfc", order=1, x=SOME)
add("torch.erfc(i), torch.erfc(x)", order=1, i=integers(4), x=Input((5,), dtype="float32"))
add("torch.xlogy(x, y)", x=real(2, 3), y=positive(3))
add("torch.xlogy(x, 0.7), torch.xlogy(1.5, y), x.xlogy(2)", x=real(3), y=positive(3))
add("torch.xlogy(x, y)", name="awkward xlogy", order=1,
    x=given([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, -2.0, INF, NAN, 0.0]),
    y=given([0.0, 1.0, -1.0, NAN, 0.0, INF, 2.0, 1.0, 1.0, INF]))  # fmt: skip
add("torch.xlogy(i, j), torch.xlogy(i, 2), torch.xlogy(2, i)", i=integers(5), j=integers(5))
add("torch.special.expm1(x), torch.special.erfc(x), torch.special.expit(x), torch.special.xlogy(x, x + 3), "
    "torch.special.logit(torch.special.expit(x)), torch.special.softmax(x, 0)", x=real(4))  # fmt: skip

# --- neighbours ---

for args in ("", "n=2", "1, 0", "n=0", "n=9", "n=2, dim=1", "prepend=y", "append=y", "2, 1, y, y"):
    inputs = {"y": real(3, 2)} if "y" in args else {}
    add(f"torch.diff(x, {args})" if args else "torch.diff(x)", x=real(3, 4), **inputs)
add("i.diff(), m.diff(), torch.diff(i, prepend=i[:1].double())", i=integers(5), m=booleans(5))
for args in ("0, 2, 1", "1, 3, 2", "-1, 4, 1", "1, 1, 3", "2, 2, 2", "0, 3, 1", "1, 5, 4"):
    add(f"x.unfold({args})", x=real(3, 5, 4))
add("x.unfold(1, 3, 1).unfold(2, 2, 2) ** 2", x=real(2, 6, 5))
add("x[0].unfold(0, 1, 1), x.unfold(0, 0, 2)", x=real(3))
add("y = x * 1.0\ny.unfold(0, 2, 2).mul_(3)", x=real(5))

# --- distances ---

for p in ("2.0", "1.0", "3.0", "0.5", "float('inf')", "0.0"):
    add(f"torch.cdist(x ** 3, y, p={p})", order=1, x=real(3, 4), y=real(2, 4))
    if p != "0.0":  # which PyTorch does not differentiate
        add(f"torch.dist(x, y, {p}), x.dist(y[0], {p})", order=1, x=real(3, 4), y=real(3, 4))
add("torch.cdist(x, y)", name="batches cdist", order=1, x=real(2, 1, 3, 4), y=real(5, 2, 4))
add("torch.cdist(x, x)", name="zeros cdist", order=1, x=real(4, 3))
add("torch.cdist(x, y)", name="many cdist", order=1, x=real(30, 3), y=real(2, 3))
for mode in (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
):
    add(f"torch.cdist(x, y, compute_mode={mode!r})", order=1, x=real(3, 4), y=real(27, 4))
add(
    "torch.cdist(x[:, :0], x[:, :0]), torch.cdist(x[:0], x), torch.cdist(x, x[:0], p=1.0)",
    order=1,
    x=real(3, 4),
)

# --- search ---

SORTED = given([-1.5, -1.0, 0.0, 0.0, 1.0, 2.5])
for args in ("", ", right=True", ", side='right'", ", side='left'", ", out_int32=True"):
    add(f"torch.searchsorted(s, x{args})", s=SORTED, x=ties(3, 4))
    if "side" not in args:
        add(f"torch.bucketize(x, s{args})", s=SORTED, x=ties(3, 4))
add("torch.searchsorted(s, x), torch.searchsorted(s, x, right=True)", name="rows searchsorted",
    s=given([[1.0, 2.0, 3.0], [0.0, 0.0, 5.0]]), x=ties(2, 4))  # fmt: skip
add("torch.searchsorted(s, x, sorter=s.argsort())", s=ties(7), x=ties(3))
add("torch.searchsorted(s, 1), torch.searchsorted(s, 0.5), torch.bucketize(3, s), torch.searchsorted(i, x)",
    s=SORTED, i=given([1, 2, 3], dtype="int64"), x=real(3))  # fmt: skip
add(
    "torch.searchsorted(s, s), torch.bucketize(s, s, right=True)",
    name="nan searchsorted",
    s=given([0.0, 1.0, INF, NAN]),
)
add("torch.searchsorted(s[:0], x), torch.searchsorted(s, x[:0])", s=SORTED, x=real(3))
add("torch.isin(i, j), torch.isin(i, j, invert=True), torch.isin(i, 2), torch.isin(2, j), "
    "torch.isin(i, j, assume_unique=True)", i=integers(3, 4, high=9), j=integers(3, high=9))  # fmt: skip
add(
    "torch.isin(x, y), torch.isin(x, i), torch.isin(x, y[:0])",
    x=ties(3, 4),
    y=given([NAN, 0.0, 2.0]),
    i=integers(2),
)
for args in ("", "return_inverse=True", "return_counts=True", "True, True"):
    add(
        f"torch.unique_consecutive(i, {args})" if args else "i.unique_consecutive()",
        i=integers(3, 9, high=2),
    )
    for dim in ("0", "-1"):
        joined = f"{args}, dim={dim}" if args else f"dim={dim}"
        add(f"torch.unique_consecutive(i, {joined})", i=integers(5, 1, high=2))
        add(f"torch.unique(i, {joined.replace('True, True', 'return_inverse=True, return_counts=True')})",
            i=integers(6, 2, high=2))  # fmt: skip
add(
    "torch.unique_consecutive(x), torch.unique_consecutive(x[:0], True, True)",
    x=given([1.0, 1.0, NAN, NAN, -0.0, 0.0]),
    grad=(),
)

# --- shapes ---

for n in (1, 2, 3):
    add(f"torch.atleast_{n}d(x), torch.atleast_{n}d(x[0]), torch.atleast_{n}d(x[0, 0]), torch.atleast_{n}d(x, x[0]), "
        f"torch.atleast_{n}d([x, x[0, 0]]), torch.atleast_{n}d(x[None, None])", x=real(2, 3))  # fmt: skip
add(
    "torch.column_stack([x, y, x[:, 0]]), torch.column_stack((y[0, 0], y[0, 1]))",
    x=real(3, 2),
    y=real(3, 4),
)
for cut in (
    "2",
    "3",
    "7",
    "(1,)",
    "[1, 3]",
    "(-2,)",
    "(3, 1)",
    "(0, 9)",
    "()",
    "torch.tensor([1, 2])",
    "torch.tensor(2)",
):
    add(f"torch.tensor_split(x, {cut})", x=real(4, 2))
    add(f"x.tensor_split({cut}, dim=1)", x=real(2, 5))
add("x.tensor_split(sections=2), x.tensor_split(indices=(1,), dim=0), "
    "torch.tensor_split(x, tensor_indices_or_sections=torch.tensor(2))", x=real(3))  # fmt: skip
for change in ("unsqueeze_(0)", "unsqueeze_(-1)", "squeeze_()", "squeeze_(0)", "squeeze_((0, 3))", "squeeze_(1)",
               "transpose_(1, 2)", "swapaxes_(0, -1)", "swapdims_(1, 2)", "transpose_(1, 2).squeeze_(0).unsqueeze_(1)"):  # fmt: skip
    add(f"y = x * 1.0\ny.{change}\ny = y * y", x=real(1, 2, 3, 1))
    add(
        f"z = x * 1.0\nv = z[:, 1]\nz.{change}\nv.mul_(2)\ny = z * z, v",
        name=f"view before {change}",
        x=real(1, 2, 3, 1),
    )
add("y = x * 1.0\ny.t_()\ny[0] = 3.0\ny = y * y", x=real(2, 3))
add("z = x * 1.0\nw = z[0]\nw.unsqueeze_(0).t_()\nw.mul_(2)\ny = z * z, w", x=real(2, 3))
add("y = x.clone()\ny.resize_(2, 2)\nz = x.clone().resize_(3, 2)\ny = y, z, x.clone().resize_as_(y), "
    "x.clone().resize_(9)[:6], x.clone().resize_((0,))", x=real(2, 3), grad=())  # fmt: skip
for call in ("torch.max(x, 1, out=(a, b))", "torch.min(x, 1, out=(a, b))", "torch.sort(x[:, 0], out=(a, b))",
             "torch.kthvalue(x, 2, out=(a, b))", "torch.mode(x, out=(a, b))", "torch.topk(x[0], 2, out=(a, b))",
             "torch.median(x, 1, out=(a, b))"):  # fmt: skip
    add(
        f"a, b = torch.zeros(2).double(), torch.zeros(2).long()\nr = {call}\ny = a, b, r[0], r[1]",
        x=real(2, 3),
        grad=(),
    )
for call in ("torch.quantile(x, 0.3, 1, out=a)", "torch.max(x[:, 0], x[:, 1], out=a)", "torch.nansum(x, 1, out=a)",
             "torch.nanmean(x, 1, out=a)", "torch.erfc(x[:, 0], out=a)", "torch.xlogy(x[:, 0], 2, out=a)",
             "torch.diff(x[0], out=a)", "torch.column_stack([x[:1, :2]], out=a[None])"):  # fmt: skip
    add(f"a = torch.zeros(2).double()\nr = {call}\ny = a, r", x=real(2, 3), grad=())

# --- writes by an index ---

PLACES = "i = torch.tensor([0, 2, 0])\n"
for accumulate in (False, True):
    if accumulate:  # else PyTorch gives every value of a place the gradient
        add(f"{PLACES}y = x.index_put((i,), v, {accumulate})", x=real(3, 2), v=real(3, 2))
    add(f"y = x.index_put((torch.tensor([2, 0]),), v, {accumulate})", x=real(3, 2), v=real(2))
    add(
        f"y = torch.index_put(x, (torch.tensor([[1], [0]]), torch.tensor([0, 1])), v, {accumulate})",
        x=real(3, 2),
        v=real(2, 2),
    )
    add(f"y = x.index_put((x > 0,), v, {accumulate})", x=real(3, 2), v=real(1))
    add(
        f"y = x.index_put((torch.tensor([True, False, True]), torch.tensor([1, 0])), v, {accumulate})",
        x=real(3, 2),
        v=real(),
    )
    add(f"y = x * 1.0\ny.index_put_((torch.tensor(1),), v, {accumulate})", x=real(3, 2), v=real(2))
for reduce in ("sum", "prod", "mean", "amax", "amin"):
    for include in (True, False):
        how = f"{reduce!r}, include_self={include}"
        add(
            f"x.scatter_reduce(1, i, v, {how})",
            x=real(3, 4),
            v=real(3, 6),
            i=integers(3, 6, high=4),
        )
        order = 2 if include else 1  # PyTorch's second gradient of a product without x is rounding
        add(f"torch.scatter_reduce(x, 0, i, v, {how})", order=order,
            x=real(3, 4), v=real(4, 3), i=integers(4, 3, high=3))  # fmt: skip
        if include or reduce[0] != "a":  # else PyTorch divides the gradient by too many
            add(f"x.scatter_reduce(0, i, v, {how})", name=f"ties scatter_reduce {how}", order=1,
                x=ties(3), v=ties(9), i=integers(9, high=3))  # fmt: skip
        add(
            f"n.scatter_reduce(0, i, m, {how})",
            name=f"integers scatter_reduce {how}",
            n=integers(3),
            m=integers(9),
            i=integers(9, high=3),
        )
        add(
            f"y = x * 1.0\ny.scatter_reduce_(0, i, v, {how})",
            x=real(3),
            v=real(5),
            i=integers(5, high=3),
        )
    add(f"x.scatter_reduce(0, torch.tensor(0), v, {reduce!r}), x.scatter_reduce(0, torch.zeros(0).long(), v, {reduce!r})",
        x=real(), v=real())  # fmt: skip

# --- grid_sample ---

GRID = "F.grid_sample(x, g"
for padding in ("zeros", "border", "reflection"):
    for align in (False, True):
        rest = f"padding_mode={padding!r}, align_corners={align})"
        for mode in ("bilinear", "nearest", "bicubic"):
            add(f"{GRID} * 0.9, {mode!r}, {rest}", order=1, x=real(2, 3, 3, 4), g=real(2, 2, 5, 2))
            add(f"{GRID} * 40, {mode!r}, {rest}", order=1, x=real(1, 2, 3, 2), g=real(1, 3, 4, 2))
            add(f"{GRID}, {mode!r}, {rest}", name=f"corners {mode} {rest}", order=1, x=real(1, 2, 3, 5),
                g=given([[[[-1, -1], [1, 1], [0, 0], [-1, 1], [0.5, -0.5], [1, 0], [2, -2], [-3, 0.25]]]]))  # fmt: skip
            add(
                f"{GRID}, {mode!r}, {rest}",
                name=f"one cell {mode} {rest}",
                order=1,
                x=real(1, 2, 1, 1),
                g=real(1, 2, 3, 2),
            )
        for mode in ("bilinear", "nearest"):
            add(
                f"{GRID} * 0.8, {mode!r}, {rest}",
                name=f"volume {mode} {rest}",
                order=1,
                x=real(2, 2, 3, 4, 2),
                g=real(2, 2, 3, 2, 3),
            )
add(
    f"{GRID}, align_corners=False), {GRID})",
    order=1,
    x=Input((1, 2, 4, 3), dtype="float32"),
    g=Input((1, 3, 2, 2), dtype="float32"),
)
add(
    f"{GRID}, align_corners=True)",
    name="no images",
    order=1,
    x=real(0, 2, 3, 3),
    g=real(0, 2, 2, 2),
)
add(
    f"{GRID}, align_corners=True)",
    name="no places",
    order=1,
    x=real(1, 2, 3, 3),
    g=real(1, 0, 2, 2),
)
for align in (False, True):
    add(f"F.affine_grid(t, (2, 3, 4, 5), align_corners={align})", t=real(2, 2, 3))
    add(f"F.affine_grid(t, [1, 1, 2, 3, 4], {align})", t=real(1, 3, 4))
    add(f"F.affine_grid(t, torch.Size([1, 1, 1, 2]), {align})", t=real(1, 2, 3))
add("F.grid_sample(x, F.affine_grid(t, x.shape, align_corners=False), align_corners=False)", order=1,
    x=real(2, 1, 4, 4), t=real(2, 2, 3))  # fmt: skip

# --- lazy layers ---

for made, x in (("LazyLinear(3)", real(2, 4)), ("LazyLinear(3, bias=False)", real(4)),
                ("LazyConv1d(3, 2)", real(2, 4, 5)), ("LazyConv2d(4, 3, padding=1, groups=2)", real(1, 2, 4, 3)),
                ("LazyConv2d(2, 1, bias=False)", real(3, 4, 4)), ("LazyConv3d(2, 2)", real(1, 3, 3, 2, 2)),
                ("LazyConvTranspose1d(3, 2, stride=2)", real(2, 4, 3)), ("LazyConvTranspose2d(4, 2, groups=2)", real(1, 2, 3, 3)),
                ("LazyConvTranspose3d(2, 2)", real(1, 3, 2, 2, 2)), ("LazyBatchNorm1d()", real(3, 4)),
                ("LazyBatchNorm2d(affine=False)", real(2, 3, 2, 2)), ("LazyBatchNorm3d(bias=False)", real(2, 2, 2, 2, 1)),
                ("LazyBatchNorm2d(track_running_stats=False)", real(2, 3, 2, 2)), ("LazyInstanceNorm1d()", real(2, 3, 4)),
                ("LazyInstanceNorm2d(affine=False)", real(2, 3, 2, 2)), ("LazyInstanceNorm3d()", real(2, 2, 2, 2, 1))):  # fmt: skip
    add(
        f"m = nn.{made}\ns = str(m)\nm(x.float())\nfill(m)\ny = m(x), s, type(m).__name__",
        x=x,
        name=f"lazy {made}",
    )
