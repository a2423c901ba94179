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
z = tc.tensor([[0.3, 1.0, -0.7], [-0.2, 0.4, 2.0]], dtype=tc.float64)
s = tc.tensor([1.0, -1.0], dtype=tc.float64)
flipped = tc.tensor(y.numpy()[::-1].copy())

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
    (nn.BCELoss(reduction="none"), (y, flipped), [0.69314718056, 25.0, 100.0, 50.0, 0.287682072452, 100.0]),
    (nn.CosineEmbeddingLoss(0.1), (x, z, s), 0.855889905835),
    (nn.GaussianNLLLoss(full=True), (x, y, p), 4.42774217926),
    (nn.HingeEmbeddingLoss(0.7), (x[:, 0], s), 0.725),
    (nn.HuberLoss(delta=0.6), (x, y), 0.571666666667),
    (nn.KLDivLoss(reduction="batchmean"), (x, y), -1.34657359028),
    (nn.KLDivLoss(reduction="sum", log_target=True), (x, z), 24.5340371996),
    (nn.MarginRankingLoss(0.2), (x[:, 0], z[:, 0], s), 0.325),
    (nn.MultiLabelMarginLoss(), (z, tc.tensor([[2, 0, -1], [1, -1, 0]])), 1.23333333333),
    (nn.MultiLabelSoftMarginLoss(weight=w), (x, y), 1.10565019475),
    (nn.MultiMarginLoss(weight=w), (x, t), 0.75),
    (nn.MultiMarginLoss(p=2, margin=0.5), (x, t), 1.92708333333),
    (nn.PoissonNLLLoss(full=True), (x, 3 * y), 3.99963533332),
    (nn.PoissonNLLLoss(log_input=False, reduction="sum"), (p, y), 4.47520692333),
    (nn.SoftMarginLoss(), (x[:, 0], s), 0.569600553699),
    (nn.TripletMarginLoss(swap=True), (x, y, z), 1.4112296195),
    (nn.TripletMarginLoss(margin=2.0, p=1), (x, z, y), 3.725002),
    (nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(-1), margin=5.0), (x, z, y), 6.725),
    (nn.CosineSimilarity(), (x, z), [-0.71177981167, -0.1307498905]),
    (nn.PairwiseDistance(p=3.0), (x, z), [3.07482132754, 3.54810105112]),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "arguments", "value"), RECORDED)
def test_recorded(loss, arguments, value):
    result = loss(*arguments)
    flat = result.reshape(-1).tolist()
    assert flat == pytest.approx(value if isinstance(value, list) else [value], rel=1e-10)
    if "Distance" not in type(loss).__name__:  # a lambda cannot be pickled
        assert pickle.loads(pickle.dumps(loss))(*arguments).equal(result)


@pytest.mark.parametrize(("loss", "arguments", "value"), RECORDED)
def test_gradients_flow(loss, arguments, value):
    logits = arguments[0].clone().requires_grad_()
    loss(logits, *arguments[1:]).sum().backward()
    assert logits.grad.shape == logits.shape
    assert logits.grad.isfinite().all()


def test_weights_are_buffers():
    loss = nn.CrossEntropyLoss(w)
    assert list(loss.state_dict()) == ["weight"]
    assert loss.float().weight.dtype == tc.float32
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    assert nn.MSELoss().reduction == "mean"
    assert repr(loss) == "CrossEntropyLoss()"
    loss.weight = tc.ones(3)  # and can be changed
    assert loss(x.float(), t).item() == pytest.approx(1.91681655187)


@pytest.mark.parametrize(
    ("old", "reduction"),
    [({"size_average": False}, "sum"), ({"size_average": True}, "mean"),
     ({"reduce": False}, "none"), ({"reduce": True}, "mean"),
     ({"size_average": False, "reduce": False}, "none")],
)  # fmt: skip
def test_the_old_names_of_reduction_work_and_warn(old, reduction):
    with pytest.warns(UserWarning, match="please use reduction") as caught:
        loss = nn.MSELoss(**old)
    assert caught[0].filename == __file__
    assert loss.reduction == reduction
    assert loss(x, y).equal(F.mse_loss(x, y, reduction=reduction))


def test_errors():
    with pytest.raises(ValueError, match="not a valid value for reduction"):
        nn.L1Loss(reduction="max")(x, y)
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        nn.CrossEntropyLoss()(x, tc.tensor([3, 0]))
    with pytest.raises(
        TypeError, match=r"MSELoss.__init__\(\) got an unexpected keyword argument 'weight'"
    ):
        nn.MSELoss(weight=w)


def test_targets_of_another_shape_are_broadcast_with_a_warning():
    with pytest.warns(UserWarning, match="Using a target size"):
        assert nn.MSELoss()(x, y[0]).item() == pytest.approx(((x - y[0]) ** 2).mean().item())
    with pytest.raises(ValueError, match="Using a target size"):
        nn.BCELoss()(p, y[0])
    with pytest.raises(ValueError, match="Target size"):
        nn.BCEWithLogitsLoss()(x, y[0])
    with pytest.warns(UserWarning, match="'mean' divides"):
        nn.KLDivLoss()(x, y)


def gradient(fn, *values):
    xs = [tc.tensor(v, dtype=tc.float64, requires_grad=True) for v in values]
    fn(*xs).sum().backward()
    return [x.grad.tolist() for x in xs]


def test_extreme_logits_and_probabilities_have_finite_losses_and_gradients():
    def bce(p):
        return F.binary_cross_entropy(p, tc.tensor([0.0, 1.0, 1.0, 0.0]).double(), reduction="none")

    ends = [0.0, 1.0, 0.0, 1.0]
    assert bce(tc.tensor(ends).double()).tolist() == [0, 0, 100, 100]
    assert gradient(bce, ends) == [[0, 0, -1e12, 1e12]]
    big = [1000.0, -1000.0]
    ones = tc.ones(2, dtype=tc.float64)
    logits = tc.tensor(big, dtype=tc.float64)
    assert F.soft_margin_loss(logits, ones, reduction="none").tolist() == [0, 1000]
    assert gradient(lambda v: F.binary_cross_entropy_with_logits(v, ones), big) == [[0, -0.5]]


def test_kinks():
    def of(name, *rest, **how):
        how.setdefault("reduction", "none")
        tensors = [tc.tensor(r, dtype=tc.float64) for r in rest]
        return lambda v: getattr(F, name)(v, *tensors, **how)

    assert gradient(of("l1_loss", [1.0]), [1.0]) == [[0]]
    assert gradient(of("huber_loss", [0.0, 0.0]), [1.0, -1.0]) == [[1, -1]]
    assert gradient(of("hinge_embedding_loss", [-1.0]), [1.0]) == [[-1]]
    assert gradient(of("margin_ranking_loss", [1.0], [1.0]), [1.0]) == [[-1]]
    tie = tc.tensor([0])
    assert gradient(lambda v: F.multi_margin_loss(v, tie), [[1.0, 0.0]]) == [[[0, 0]]]
    zero = [[0.0, 0.0]]
    assert gradient(lambda v: F.pairwise_distance(v, v.detach(), eps=0.0), zero) == [zero]
    assert gradient(lambda v: F.pairwise_distance(v, v.detach(), 3.0, eps=0.0), zero) == [zero]


def test_what_is_ignored_and_nothing_at_all():
    ignored = tc.tensor([-100, -100])
    assert F.nll_loss(x, ignored).isnan().item()
    assert F.nll_loss(x, ignored, reduction="sum").item() == 0
    assert gradient(lambda v: F.nll_loss(v, ignored), x.tolist()) == [[[0] * 3] * 2]
    empty = tc.zeros(0, 3)
    assert F.mse_loss(empty, empty).isnan().item()
    assert F.cross_entropy(empty, tc.zeros(0).long(), reduction="sum").item() == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.huber_loss(x, y, delta=0.0), RuntimeError, "huber_loss does not support non-pos"),
        (lambda: F.smooth_l1_loss(x, y, beta=-1.0), RuntimeError, "smooth_l1_loss does not support"),
        (lambda: F.nll_loss(x, t, weight=s), RuntimeError, "weight tensor should be defined"),
        (lambda: F.nll_loss(x, t[:1]), ValueError, r"Expected input batch_size \(2\) to match"),
        (lambda: F.cross_entropy(x, t.float()), RuntimeError, "expected target dtype to be Long"),
        (lambda: F.cross_entropy(x, y, ignore_index=1), RuntimeError, "ignore_index is not supp"),
        (lambda: F.gaussian_nll_loss(x, y, -p), ValueError, "var has negative entry/entries"),
        (lambda: F.gaussian_nll_loss(x, y, p[:1, :2]), ValueError, "var is of incorrect size"),
        (lambda: F.triplet_margin_loss(x, y, z, margin=0.0), ValueError, "margin must be greater"),
        (lambda: F.triplet_margin_loss(x, y[0], z), RuntimeError, "The anchor, positive, and neg"),
        (lambda: nn.TripletMarginLoss(margin=-1), ValueError, "expected margin to be greater than 0"),
        (lambda: nn.MultiMarginLoss(p=3), ValueError, "only p == 1 and p == 2 supported"),
        (lambda: F.multi_margin_loss(x, t + 1), RuntimeError, "target out of range"),
        (lambda: F.multi_margin_loss(x, t, weight=p), ValueError, "weight must be one-dimensional"),
        (lambda: F.margin_ranking_loss(x, y[0], z), RuntimeError, "margin_ranking_loss : All input"),
        (lambda: F.cosine_embedding_loss(x, y, z), RuntimeError, "0D or 1D target tensor expected"),
        (lambda: F.mse_loss(x, y, weight=w), ValueError, "Weights and input must have the same size"),
        (lambda: F.mse_loss([1.0], y), TypeError, "argument 'input' .* must be Tensor, not list"),
    ],
)  # fmt: skip
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
