"""Losses: against numbers of PyTorch 2.13, and against their functionals."""

import pickle

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

x = tc.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], dtype=tc.float64)
y = tc.tensor([[0.5, 0.0, 1.0], [1.0, 0.25, 0.0]], dtype=tc.float64)
w = tc.tensor([1.0, 2.0, 0.5], dtype=tc.float64)
p = x.sigmoid()
t = tc.tensor([2, 0])

RECORDED = [
    (nn.CrossEntropyLoss(), (x, t), 1.91681655187),
    (nn.CrossEntropyLoss(weight=w), (x, t), 2.22088976838),
    (nn.CrossEntropyLoss(w, label_smoothing=0.1), (x, t), 2.28863892184),
    (nn.CrossEntropyLoss(ignore_index=2, reduction="sum"), (x, t), 2.8290362014),
    (nn.CrossEntropyLoss(reduction="none"), (x, t), [1.00459690234, 2.8290362014]),
    (nn.CrossEntropyLoss(), (x, y), 2.05284530263),
    (nn.NLLLoss(), (x, t), -0.375),
    (nn.NLLLoss(weight=w, reduction="sum"), (x, t), -0.5),
    (nn.MSELoss(), (x, y), 2.27083333333),
    (nn.MSELoss(reduction="sum"), (x, y), 13.625),
    (nn.L1Loss(), (x, y), 1.25),
    (nn.SmoothL1Loss(), (x, y), 0.796875),
    (nn.SmoothL1Loss(beta=0.5, reduction="none"), (x, y), [0.25, 1.75, 0.25, 0.5, 2.5, 0.75]),
    (nn.BCELoss(), (p, y), 0.767009190285),
    (nn.BCELoss(weight=w), (p, y), 1.10565019475),
    (nn.BCEWithLogitsLoss(), (x, y), 0.767009190285),
    (nn.BCEWithLogitsLoss(pos_weight=w, reduction="sum"), (x, y), 4.37716348752),
]


@pytest.mark.parametrize(("loss", "arguments", "value"), RECORDED)
def test_recorded(loss, arguments, value):
    result = loss(*arguments)
    flat = result.reshape(-1).tolist()
    assert flat == pytest.approx(value if isinstance(value, list) else [value], rel=1e-10)
    assert pickle.loads(pickle.dumps(loss))(*arguments).equal(result)


@pytest.mark.parametrize(("loss", "arguments", "value"), RECORDED)
def test_gradients_flow(loss, arguments, value):
    logits = arguments[0].clone().requires_grad_()
    loss(logits, arguments[1]).sum().backward()
    assert logits.grad.shape == logits.shape
    assert logits.grad.isfinite().all()


def test_weights_are_buffers():
    loss = nn.CrossEntropyLoss(w)
    assert list(loss.state_dict()) == ["weight"]
    assert loss.float().weight.dtype == tc.float32
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    assert nn.MSELoss().reduction == "mean"
    assert repr(loss) == "CrossEntropyLoss()"
    loss.weight = tc.ones(3)  # and may be changed
    assert loss(x.float(), t).item() == pytest.approx(1.91681655187)


@pytest.mark.parametrize(
    ("old", "reduction"),
    [({"size_average": False}, "sum"), ({"size_average": True}, "mean"),
     ({"reduce": False}, "none"), ({"reduce": True}, "mean"),
     ({"size_average": False, "reduce": False}, "none")],
)  # fmt: skip
def test_the_old_names_of_reduction_work_and_warn(old, reduction):
    with pytest.warns(UserWarning, match="please use reduction"):
        loss = nn.MSELoss(**old)
    assert loss.reduction == reduction
    assert loss(x, y).equal(F.mse_loss(x, y, reduction=reduction))


def test_errors():
    with pytest.raises(ValueError, match="not a valid value for reduction"):
        nn.L1Loss(reduction="max")(x, y)
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        nn.CrossEntropyLoss()(x, tc.tensor([3, 0]))
    with pytest.raises(TypeError, match="MSELoss: got an unexpected keyword argument 'weight'"):
        nn.MSELoss(weight=w)
