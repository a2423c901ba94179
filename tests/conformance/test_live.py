"""Drawn cases against PyTorch itself, if it is installed."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.testing import broadcastable_shapes, shapes

from .cases import Case, integers, positive, real, ties, unit
from .test_recorded import agree as same_outcome

torch = pytest.importorskip("torch")


def agree(code, order=2, grad=None, **inputs):
    """The same results in both libraries: values, first and second derivatives, or an error."""
    case = Case(code, code, inputs, order, grad)
    wanted = case.run(torch, torch.nn, torch.nn.functional, torch.optim)
    given = case.run(tc, nn, F, optim)
    same_outcome(given, wanted)


drawn = settings(suppress_health_check=[HealthCheck.too_slow])
few = st.integers(1, 3)
none_or_few = st.integers(0, 2)


@st.composite
def windows(draw, dims, top=3):
    """Kernel, stride, padding, dilation, and sides that mostly contain a window."""
    one = lambda low, high: draw(st.tuples(*[st.integers(low, high)] * dims))  # noqa: E731
    kernel, stride, dilation = one(1, top), one(1, 3), one(1, 2)
    padding = tuple(draw(st.integers(0, max(k // 2, 0))) for k in kernel)
    sides = tuple(max(d * (k - 1) + 1 - 2 * p, 1) + draw(st.integers(0, 4))
                  for k, p, d in zip(kernel, padding, dilation, strict=True))  # fmt: skip
    return kernel, stride, padding, dilation, sides


@drawn
@given(st.data(), st.integers(1, 3))
def test_convolution(data, dims):
    kernel, stride, padding, dilation, sides = data.draw(windows(dims, 3 if dims < 3 else 2))
    groups, n = data.draw(few), data.draw(st.integers(0, 2))
    cin, cout = groups * data.draw(few), groups * data.draw(few)
    agree(
        f"F.conv{dims}d(x, w, b, {stride}, {padding}, {dilation}, {groups})",
        x=real(n, cin, *sides), w=real(cout, cin // groups, *kernel), b=real(cout),
    )  # fmt: skip


@drawn
@given(st.data(), st.integers(1, 2))
def test_transposed_convolution(data, dims):
    kernel, stride, padding, dilation, sides = data.draw(windows(dims))
    groups = data.draw(few)
    cin, cout = data.draw(few), data.draw(few)
    extra = tuple(
        data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)
    )
    agree(
        f"F.conv_transpose{dims}d(x, w, None, {stride}, {padding}, {extra}, {groups}, {dilation})",
        x=real(2, cin * groups, *sides), w=real(cin * groups, cout, *kernel),
    )  # fmt: skip


@drawn
@given(st.data(), st.sampled_from(["max", "avg"]), st.integers(1, 2), st.booleans(), st.booleans())
def test_pooling(data, kind, dims, ceil, tied):
    kernel, stride, padding, dilation, sides = data.draw(windows(dims))
    x = (ties if tied else real)(data.draw(none_or_few), 2, *sides)
    if kind == "max":
        agree(f"F.max_pool{dims}d(x, {kernel}, {stride}, {padding}, {dilation}, {ceil})", x=x)
    else:
        include = data.draw(st.booleans())
        agree(f"F.avg_pool{dims}d(x, {kernel}, {stride}, {padding}, {ceil}, {include})", x=x)


@drawn
@given(
    st.sampled_from(["max", "avg"]),
    st.tuples(few, few),
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_adaptive_pooling(kind, size, sides):
    agree(f"F.adaptive_{kind}_pool2d(x, {size})", x=real(2, 2, *sides))


@drawn
@given(
    st.sampled_from(["nearest", "bilinear"]), st.tuples(few, few), st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.booleans(), st.floats(0.5, 2.5),
)  # fmt: skip
def test_interpolation(mode, sides, size, align, scale):
    option = f", align_corners={align}" if mode == "bilinear" else ""
    agree(f"F.interpolate(x, size={size}, mode={mode!r}{option})", x=real(1, 2, *sides))
    agree(
        f"F.interpolate(x, scale_factor={round(scale, 1)}, mode={mode!r}{option})",
        x=real(1, 2, 4, 5),
    )


@drawn
@given(st.data())
def test_normalisation(data):
    shape = data.draw(st.tuples(st.integers(2, 3), st.sampled_from([2, 4]), few, few))
    groups = data.draw(st.sampled_from([1, 2]))
    c = shape[1]
    agree("F.batch_norm(x, None, None, w, b, training=True)", x=real(*shape), w=real(c), b=real(c))
    agree(f"F.group_norm(x, {groups}, w, b)", x=real(*shape), w=real(c), b=real(c))
    agree(f"F.layer_norm(x, {shape[1:]})", x=real(*shape))


@drawn
@given(st.data(), st.sampled_from(["mean", "sum", "none"]))
def test_cross_entropy(data, reduction):
    n, c = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4))
    rest = data.draw(st.sampled_from([(), (3,), (2, 2)]))
    ignore, smoothing = data.draw(st.integers(-1, 3)), data.draw(st.sampled_from([0.0, 0.1]))
    agree(
        f"F.cross_entropy(x, t, w, ignore_index={ignore}, label_smoothing={smoothing}, reduction={reduction!r})",
        grad=("x",), x=real(n, c, *rest), t=integers(n, *rest, high=c), w=unit(c),
    )  # fmt: skip


LOSSES = [
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "binary_cross_entropy_with_logits",
    "kl_div",
    "poisson_nll_loss",
]


@drawn
@given(st.sampled_from(LOSSES), shapes(), st.sampled_from(["mean", "sum", "none"]))
def test_losses_of_numbers(loss, shape, reduction):
    agree(f"F.{loss}(x, t, reduction={reduction!r})", x=real(*shape), t=unit(*shape))


@drawn
@given(st.sampled_from(["+", "-", "*", "/", "**", "<", "=="]), broadcastable_shapes())
def test_two_operands(op, pair):
    agree(f"x {op} y", x=positive(*pair[0]), y=real(*pair[1]))


@drawn
@given(
    st.sampled_from(["sum", "mean", "prod", "amax", "amin", "logsumexp", "std", "norm", "cumsum"]),
    shapes(1),
    st.data(),
)
def test_reductions(name, shape, data):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    keep = f", keepdim={data.draw(st.booleans())}" if name != "cumsum" else ""
    agree(f"x.{name}(dim={dim}{keep})", x=real(*shape))


INDEX = st.lists(
    st.sampled_from(["0", "-1", ":", "1:", "::2", "None", "...", "[0, 0]", "torch.tensor([[0], [-1]])", "torch.tensor(0)"]),
    min_size=1, max_size=4,
).filter(lambda items: items.count("...") < 2)  # fmt: skip


@drawn
@given(INDEX, shapes(1, 4, 1, 3))
def test_indexing(items, shape):
    agree(f"x[{', '.join(items)}]", x=real(*shape))
    agree(f"y = x * 1.0\ny[{', '.join(items)}] = 2.5", x=real(*shape))
    if not any("[[" in item or item == "[0, 0]" for item in items):
        # of values written to one index twice, PyTorch gives each the gradient; here only the last
        agree(f"y = x * 1.0\ny[{', '.join(items)}] *= 2.5", x=real(*shape))


@drawn
@given(
    st.sampled_from(
        ["ij,jk->ik", "bij,bkj->bik", "ij,ij->i", "ijk->kij", "ii->i", "i,j,k->ijk", "...i,i->..."]
    ),
    st.data(),
)
def test_einsum(spec, data):
    sides = {letter: data.draw(st.integers(0, 3)) for letter in "bijk"}
    terms = spec.replace("...", "b").partition("->")[0].split(",")
    inputs = {f"x{k}": real(*(sides[letter] for letter in term)) for k, term in enumerate(terms)}
    agree(f"torch.einsum({spec!r}, {', '.join(inputs)})", **inputs)


DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
]
OPERAND = st.tuples(st.sampled_from(DTYPES), st.sampled_from(["", "[0]", "[:, 0]", "[0, 0]"]))


@drawn
@given(
    st.sampled_from(["+", "*", "/", "<", "=="]),
    OPERAND,
    OPERAND | st.sampled_from(["2", "0.5", "True"]),
)
def test_the_dtype_in_which_operands_meet(op, left, right):
    a, b = (
        x if isinstance(x, str) else f"{n}{x[1]}.to(torch.{x[0]})"
        for n, x in (("x", left), ("y", right))
    )
    agree(
        f"z = {a} {op} {b}\ny = z.dtype, z.double()",
        grad=(),
        x=integers(3, 3, high=4),
        y=integers(3, 3, high=3),
    )


@drawn
@given(st.data(), st.sampled_from(["RNN", "LSTM", "GRU"]), st.booleans())
def test_recurrent_layers(data, kind, packed):
    flag = lambda: data.draw(st.booleans())  # noqa: E731
    width, hidden, n = data.draw(few), data.draw(few), data.draw(few)
    lengths = data.draw(st.lists(few, min_size=n, max_size=n))
    how = {"num_layers": data.draw(st.integers(1, 2)), "bias": flag(), "bidirectional": flag()}
    first = how["batch_first"] = flag()
    if kind == "LSTM" and hidden > 1 and flag():
        how["proj_size"] = data.draw(st.integers(1, hidden - 1))
    if kind == "RNN" and flag():
        how["nonlinearity"] = "relu"
    steps = max(lengths)
    shape = (n, steps, width) if first else (steps, n, width)
    settings = ", ".join(f"{name}={value!r}" for name, value in how.items())
    code = f"m = fill(nn.{kind}({width}, {hidden}, {settings}))\n"
    if packed:
        code += (
            f"p = nn.utils.rnn.pack_padded_sequence(x, {lengths}, {first}, enforce_sorted=False)\n"
            f"z, h = m(p)\ny = nn.utils.rnn.pad_packed_sequence(z, {first}, 0.5), h"
        )
    else:
        code += "y = m(x)"
    agree(code, order=1 if "proj_size" in how else 2, x=real(*shape))


@drawn
@given(st.data(), st.sampled_from(["Encoder", "Decoder"]))
def test_transformer_layers(data, kind):
    heads, n, steps, others = (data.draw(few) for _ in range(4))
    width, first = heads * data.draw(few), data.draw(st.booleans())
    how = {"norm_first": data.draw(st.booleans()), "bias": data.draw(st.booleans()),
           "activation": data.draw(st.sampled_from(["relu", "gelu"])), "dropout": 0.0}  # fmt: skip
    settings = ", ".join(f"{name}={value!r}" for name, value in how.items())
    layer = f"nn.Transformer{kind}Layer({width}, {heads}, 4, batch_first={first}, {settings})"

    def sequence(length):
        return real(n, length, width) if first else real(length, n, width)

    given_ = {"x": sequence(steps)} | ({"z": sequence(others)} if kind == "Decoder" else {})
    mask = ""
    if data.draw(st.booleans()):
        name = "mask" if kind == "Encoder" else "tgt_mask"
        mask = f", {name}=nn.Transformer.generate_square_subsequent_mask({steps}).double()"
    code = f"m = fill(nn.Transformer{kind}({layer}, 2))\ny = m({', '.join(given_)}{mask})"
    agree(code, order=1, **given_)


@drawn
@given(
    st.sampled_from(["bilinear", "nearest", "bicubic"]),
    st.sampled_from(["zeros", "border", "reflection"]),
    st.booleans(), st.tuples(few, few), st.tuples(few, few), st.sampled_from([0.7, 1.3, 9.0]),
)  # fmt: skip
def test_grid_sampling(mode, padding, align, sides, out, reach):
    agree(
        f"F.grid_sample(x, g * {reach}, {mode!r}, {padding!r}, {align})",
        order=1, x=real(2, 2, *sides), g=real(2, *out, 2),
    )  # fmt: skip


@drawn
@given(
    st.sampled_from(["sum", "prod", "mean", "amax", "amin"]), st.booleans(), few,
    st.tuples(few, few), st.integers(0, 1),
)  # fmt: skip
def test_reducing_scatter(reduce, include, more, shape, dim):
    source = list(shape)
    source[dim] += more
    agree(
        f"x.scatter_reduce({dim}, i, v, {reduce!r}, include_self={include})",
        order=1, x=real(*shape), v=real(*source), i=integers(*source, high=shape[dim]),
    )  # fmt: skip


@drawn
@given(
    st.sampled_from(["quantile", "nanquantile"]), shapes(1, 3, 1), st.floats(0, 1), st.data(),
    st.sampled_from(["linear", "lower", "higher", "midpoint"]),
)  # fmt: skip
def test_quantiles(name, shape, q, data, how):
    dim = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    keep = data.draw(st.booleans())
    agree(f"x.{name}({round(q, 3)}, {dim}, {keep}, interpolation={how!r})", x=real(*shape))


@drawn
@given(shapes(1, 3, 1, 6), st.data(), st.integers(1, 4))
def test_windows(shape, data, step):
    dim = data.draw(st.integers(0, len(shape) - 1))
    size = data.draw(st.integers(0, shape[dim]))
    agree(f"x.unfold({dim}, {size}, {step}) * 1.5", x=real(*shape))


@drawn
@given(st.integers(0, 6), shapes(0, 2), st.booleans())
def test_searching(n, shape, right):
    for code in (
        f"torch.searchsorted(s.sort().values, x, right={right})",
        f"torch.bucketize(x, s, right={right})",
        "torch.isin(x, s)",
    ):
        agree(code, grad=(), s=ties(n), x=ties(*shape))


@drawn
@given(st.lists(st.sampled_from(
    ["unsqueeze_(0)", "unsqueeze_(-1)", "squeeze_()", "squeeze_(0)", "transpose_(0, -1)",
     "swapaxes_(-1, -2)", "mul_(2)", "add_(v)"]), min_size=1, max_size=5),
    st.sampled_from(["z", "z[0]", "z[:, 1:]", "z.t()"]),
    st.sampled_from(["w.mul_(3)", "z.mul_(3)", "w"]),
)  # fmt: skip
def test_shapes_that_change_in_place(changes, view, write):
    steps = "\n".join(f"w.{change}" for change in changes)
    agree(f"z = x * 1.0\nother = z[1]\nw = {view}\n{steps}\n{write}\nother.mul_(2)\ny = z * z, w * w, other",
          x=real(2, 3), v=real())  # fmt: skip
