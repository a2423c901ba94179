"""`by_hand`: values, gradients, names, errors, and the worked examples line by line."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn
from tinygrad_cnn.utils.checkpoint import checkpoint


def texts(found):
    return str(found).splitlines()


def test_the_convolution_of_the_lecture_term_by_term(worked_examples):
    lines = texts(worked_examples.convolution())
    shown = {line.partition(" = ")[0]: line.split(" = ") for line in lines}
    rows = [0, 1, 2, 5, 6, 7, 10, 11, 12]  # the window of z1 begins at a1
    for z, start in zip("₁₂₃₄", (1, 3, 11, 13), strict=True):
        wanted = " + ".join(f"w{sub(k)} · a{sub(start + r)}" for k, r in enumerate(rows, 1))
        assert shown[f"z{z}"][1] == wanted
    assert shown["∂L/∂w₁"][1] == "a₁ · ∂L/∂z₁ + a₃ · ∂L/∂z₂ + a₁₁ · ∂L/∂z₃ + a₁₃ · ∂L/∂z₄"
    assert shown["∂L/∂w₂"][1] == "a₂ · ∂L/∂z₁ + a₄ · ∂L/∂z₂ + a₁₂ · ∂L/∂z₃ + a₁₄ · ∂L/∂z₄"
    assert shown["∂L/∂w₁"][2:] == ["1 · 8 + 2 · −8 + 2 · 16 + 0 · 8", "24"]
    assert shown["∂L/∂a₁₃"][1] == "w₉ · ∂L/∂z₁ + w₇ · ∂L/∂z₂ + w₃ · ∂L/∂z₃ + w₁ · ∂L/∂z₄"


def sub(number):
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def test_the_mask_and_the_quarters(worked_examples):
    assert texts(worked_examples.max_pooling()) == [
        "y = max(x₁, x₂, x₃, x₄) = max(1, 3, 4, 2) = 4",
        "∂L/∂x₁ = 0", "∂L/∂x₂ = 0", "∂L/∂x₃ = ∂L/∂y = 1", "∂L/∂x₄ = 0",
    ]  # fmt: skip
    assert texts(worked_examples.average_pooling())[1:] == [
        f"∂L/∂x{k} = 1/4 · ∂L/∂z = 1/4 · 1 = 0.25" for k in "₁₂₃₄"
    ]


def test_equal_maxima_and_padding(worked_examples):
    found = worked_examples.windows()
    lines = texts(found)
    assert "∂L/∂x₅ = ∂L/∂y₃ + ∂L/∂y₄ = 4 + 8 = 12" in lines
    assert lines.count("∂L/∂x₁ = ∂L/∂y₁ = 1") == 1  # the first of two equal ones
    forward = found.lines.forward[1]
    assert forward[3].note == "5 of the 9 cells of this window are padding."
    dilated = texts(worked_examples.padding())
    assert (
        "y₄ = w₁ · x₆ + w₂ · x₈ + w₃ · x₁₄ + w₄ · x₁₆ = 1 · 1 + (−1 · 1) + 2 · 1 + 1 · 2 = 4"
        in dilated
    )
    assert "∂L/∂w₄ = x₆ · ∂L/∂y₁ + x₈ · ∂L/∂y₂ + x₁₄ · ∂L/∂y₃ + x₁₆ · ∂L/∂y₄ = 1 · 1 + 1 · −1 + 1 · 2 + 2 · 1 = 4" in dilated  # fmt: skip


@pytest.mark.parametrize(
    "name", ["chain", "neuron", "convolution", "windows", "padding", "softmax"]
)
def test_the_lines_add_up_to_the_gradients(worked_examples, name):
    found = getattr(worked_examples, name)()
    totals = {}
    for arrival, lines in zip(found.worked.arrivals, found.lines.backward, strict=True):
        quantity = found.worked.quantities[arrival.target]
        total = totals.setdefault(arrival.target, np.zeros(quantity.size))
        for i, line in enumerate(lines):
            np.testing.assert_allclose(sum(t.value for t in line.terms), line.value, atol=1e-6)
            total[i] += line.value
    for k, total in totals.items():
        np.testing.assert_allclose(total, found.worked.quantities[k].gradient.ravel(), atol=1e-6)
    assert len(totals) > 1 or name == "windows"


def test_gradients_are_backward_s_and_nothing_changes():
    x = tc.tensor([1.0, -2.0], requires_grad=True)
    w = tc.tensor([[0.5, 1.0], [2.0, -1.0]], requires_grad=True)
    loss = ((w @ x).tanh() * x).sum()
    found = visualize.by_hand(loss, names={"x": x, "w": w})
    assert x.grad is None
    assert w.grad is None
    loss.backward()  # nothing was freed
    gradients = {q.name: q.gradient for q in found.worked.quantities}
    np.testing.assert_allclose(gradients["x"], x.grad.numpy(), rtol=1e-6)
    np.testing.assert_allclose(gradients["w"], w.grad.numpy(), rtol=1e-6)


def test_a_fan_out_has_its_parts():
    x = tc.tensor(3.0, requires_grad=True)
    y = x * x + x
    found = visualize.by_hand(y, names={"x": x, "L": y})
    assert texts(found)[2:] == [
        "∂L/∂mul = ∂L/∂L = 1",
        "∂L/∂x through L = ∂L/∂L = 1",
        "∂L/∂x through mul = x · ∂L/∂mul = 3 · 1 = 3",
        "∂L/∂x through mul = x · ∂L/∂mul = 3 · 1 = 3",
    ]


def test_broadcast_inputs_sum_over_their_uses():
    x, b = tc.tensor([1.0, 2.0], requires_grad=True), tc.tensor(3.0, requires_grad=True)
    lines = texts(visualize.by_hand((x * b).sum(), names={"x": x, "b": b}))
    assert "∂L/∂b = x₁ · ∂L/∂mul₁ + x₂ · ∂L/∂mul₂ = 1 · 1 + 2 · 1 = 3" in lines


def test_what_the_graph_did_not_keep():
    x, t = tc.tensor(1.5, requires_grad=True), tc.tensor(0.5)
    lines = texts(visualize.by_hand((x - t) ** 2, names={"x": x, "t": t}))
    assert lines[0] == "sub = x − t = 1.5 − 0.5 = 1"  # the one with which the op gives its output
    assert texts(visualize.by_hand(x + 2.0, names={"x": x}))[0] == "L = x + 2 = 1.5 + 2 = 3.5"
    graph = visualize.by_hand((x + 2.0).tanh(), names={"x": x})
    unknown = [q.name for q in graph.worked.quantities if q.value is None]
    assert unknown == ["b", "add"]
    assert "?" in graph.html()
    watched = visualize.by_hand(lambda: (x + 2.0).tanh(), names={"x": x})
    assert all(q.value is not None for q in watched.worked.quantities)
    assert texts(watched)[0] == "add = x + 2 = 1.5 + 2 = 3.5"
    dropped = visualize.by_hand(F.dropout(x * 2, 0.5), names={"x": x})  # is not drawn again
    assert [q.name for q in dropped.worked.quantities][-1] == "L"


def test_the_seed_of_random_numbers_is_left_alone():
    x = tc.ones(3, requires_grad=True)
    loss = (F.dropout(x, 0.5) + x).sum()  # no op keeps what dropout returned
    tc.manual_seed(3)
    before = tc.randn(2)
    tc.manual_seed(3)
    found = visualize.by_hand(loss)
    assert found.worked.quantities[1].value is None
    assert tc.equal(before, tc.randn(2))


def test_names():
    model = nn.Linear(2, 1)
    x = tc.ones(1, 2)
    found = visualize.by_hand(model(x).sum(), model, names={"x": x})
    names = [q.name for q in found.worked.quantities]
    assert {"x", "weight", "bias", "linear", "L"} == set(names)
    a = tc.tensor(1.0, requires_grad=True)
    found = visualize.by_hand((a * 2) * (a * 3), names={"mul": a})
    assert [q.name for q in found.worked.quantities if q.kind == "op"] == ["mul2", "mul3", "L"]
    left = tc.tensor(1.0)
    with pytest.raises(ValueError, match="no tensor 'left'"):
        visualize.by_hand(a * 2, names={"left": left})


def test_a_gradient_that_is_given():
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    found = visualize.by_hand(y, names={"x": x, "y": y}, gradient=tc.tensor([3.0, -1.0]))
    gradients = {q.name: q.gradient for q in found.worked.quantities}
    np.testing.assert_array_equal(gradients["x"], [6.0, -4.0])
    assert found.worked.symbol == "L"


def test_errors():
    x = tc.ones(2, requires_grad=True)
    with pytest.raises(
        TypeError, match="expected a Tensor or a function that returns one, got int"
    ):
        visualize.by_hand(3)
    with pytest.raises(TypeError, match="the function returned a int"):
        visualize.by_hand(lambda: 3)
    with pytest.raises(TypeError, match=r"names\['x'\]: expected a Tensor, got int"):
        visualize.by_hand(x.sum(), names={"x": 1})
    for leaf in (x, tc.ones(2), tc.ones(2).sum()):
        with pytest.raises(ValueError, match="no op was recorded for this tensor"):
            visualize.by_hand(leaf)
    with pytest.raises(ValueError, match=r"the loss has shape \(2,\), wanted a scalar"):
        visualize.by_hand(x * 2)
    with pytest.raises(
        ValueError, match=r"gradient has shape \(3,\), wanted that of the loss, \(2,\)"
    ):
        visualize.by_hand(x * 2, gradient=tc.ones(3))
    with pytest.raises(TypeError, match="gradient: expected a Tensor, got ndarray"):
        visualize.by_hand(x * 2, gradient=np.ones(2))
    with pytest.raises(ValueError, match="digits: wanted 1 to 17, got 0"):
        visualize.by_hand(x.sum(), digits=0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="what mul saved is freed"):
        visualize.by_hand(y)
    for _ in range(61):
        x = x + 1.0
    with pytest.raises(ValueError, match="the graph has 62 ops, more than the 60"):
        visualize.by_hand(x.sum())


def test_hooks_are_told():
    x = tc.tensor(1.0, requires_grad=True)
    y = x * 2.0
    y.register_hook(lambda g: g * 3)
    found = visualize.by_hand(y * 5.0, names={"x": x, "y": y})
    (line,) = found.lines.backward[-1]
    assert [t.numbers for t in line.terms] == ["2 · 15"]
    assert (line.value, line.note) == (30.0, "A hook changed ∂L/∂y.")
    w = tc.tensor(1.0, requires_grad=True)
    w.register_hook(lambda g: g * 3)
    found = visualize.by_hand(w * w, names={"w": w})
    assert [lines[0].note.strip() for lines in found.lines.backward] == ["", "A hook makes it 6."]


def test_an_op_of_large_and_small_inputs_names_all():
    x, w, b = tc.randn(100), tc.randn(2, 100, requires_grad=True), tc.zeros(2, requires_grad=True)
    y = F.linear(x, w, b)
    lines = texts(visualize.by_hand(y.sum(), names={"x": x, "w": w, "b": b, "y": y}))
    assert lines[0].startswith("y₁ = linear(x, w, b) = ")


def test_large_arrays_show_their_shape(data_of):
    x = tc.randn(3, 40, requires_grad=True)
    w = tc.tensor(2.0, requires_grad=True)
    found = visualize.by_hand((x * w).mean(), names={"x": x, "w": w})
    boxes = {box["name"]: box for box in data_of(found.html())["boxes"]}
    assert boxes["x"]["shape"] == "3x40"
    assert boxes["x"]["elements"] == []
    assert all(lines is None for lines in found.lines.backward)
    assert "3x40" in found.source


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: tc.cat([x, x * 2]).sum(),
        lambda x: tc.stack([x, x.exp()]).mean(),
        lambda x: x.reshape(2, 1).expand(2, 3).sum(),
        lambda x: F.cross_entropy(x.unsqueeze(0), tc.tensor([1])),
        lambda x: F.layer_norm(x, (2,)).pow(3).sum(),
        lambda x: x.max(),
        lambda x: x.sort().values[0],
        lambda x: F.conv_transpose2d(x.reshape(1, 1, 1, 2), tc.ones(1, 1, 2, 2)).sum(),
        lambda x: (x.double() * 2).sum(),
        lambda x: tc.where(x > 0, x, -x).sum(),
        lambda x: x.clone().mul_(2.0).sum(),
        lambda x: x.sum() / 0.0,
        lambda x: (x * float("nan")).sum(),
        lambda x: x[:0].sum() + x.sum(),
        lambda x: x.half().sum(),
        lambda x: checkpoint(lambda a: (a * 2).tanh(), x, use_reentrant=False).sum(),
        lambda x: nn.RNN(2, 2)(x.reshape(1, 1, 2))[0].sum(),
    ],
)
def test_any_graph_gives_a_page_and_a_picture(fn, data_of):
    x = tc.tensor([1.0, -2.0], requires_grad=True)
    tc.manual_seed(0)
    found = visualize.by_hand(lambda: fn(x), names={"x": x})
    data = data_of(found.html())
    assert data["arrivals"]
    tc.manual_seed(0)
    fn(x).backward()
    gradient = next(q.gradient for q in found.worked.quantities if q.name == "x")
    np.testing.assert_allclose(gradient, x.grad.numpy(), rtol=1e-3)
    assert "digraph" in found.source


def test_bfloat16_keeps_its_formulas():
    pytest.importorskip("ml_dtypes")
    x = tc.tensor([1.0], requires_grad=True)
    lines = texts(visualize.by_hand(x.to(tc.bfloat16).exp().sum(), names={"x": x}))
    assert lines[1:3] == ["exp = e^cast = e¹ = 2.719", "L = exp = 2.719"]


def test_a_user_s_function_is_one_op():
    class Double(tc.autograd.Function):
        """y = 2x        x̄ = 2ȳ"""

        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = tc.tensor([1.0, 3.0], requires_grad=True)
    found = visualize.by_hand(Double.apply(x).sum(), names={"x": x})
    np.testing.assert_array_equal(found.worked.quantities[0].gradient, [2.0, 2.0])


def test_the_picture_has_values_and_gradients(tmp_path):
    a, b = tc.tensor(2.0, requires_grad=True), tc.tensor(-3.0, requires_grad=True)
    d = a * b
    found = visualize.by_hand(d * -2.0, names={"a": a, "b": b, "d": d})
    assert "a 2.0 | ∂L/∂a 6.0" in found.source
    svg = found.save(tmp_path / "hand.svg").read_text(encoding="utf-8")
    assert "a 2.0 | ∂L/∂a 6.0" in svg.replace("&#160;", " ").replace("\xa0", " ")
    assert found.save(tmp_path / "hand.dot").read_text(encoding="utf-8") == found.source
    assert "image/svg+xml" in found._repr_mimebundle_()
    assert repr(found) == "<ByHand: a, b, d, −2, L>"
    with pytest.raises(ValueError, match=r"the name must end in one of .html, .dot, .svg"):
        found.save(tmp_path / "hand.txt")


@pytest.mark.parametrize("name", ["<b>&\"'", "a\\N}|{", "x" * 200, "名前", "", "\x00"])
def test_names_stay_names(name, tmp_path, data_of):
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    found = visualize.by_hand((x * 2).sum(), names={name: x})
    assert data_of(found.html())["boxes"][0]["name"] == name
    assert found.html().count("<script") == 2
    assert found.save(tmp_path / "hand.svg").stat().st_size > 500
