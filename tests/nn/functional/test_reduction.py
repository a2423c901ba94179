"""The reduction of losses, and the two deprecated arguments for it."""

import inspect
import re

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F

LOSSES = {
    name: inspect.signature(getattr(F, name)).parameters
    for name in dir(F)
    if inspect.isfunction(getattr(F, name))
    and "reduction" in inspect.signature(getattr(F, name)).parameters
}
LABELS = ("cross_entropy", "nll_loss", "multi_margin_loss", "multilabel_margin_loss")


def arguments(name):
    """Positional arguments for the loss."""
    count = sum(p.default is p.empty for p in LOSSES[name].values())
    given = [tc.full((2, 3), 0.5) for _ in range(count)]
    if name in LABELS:
        given[1] = tc.zeros(2, 3).long() if name == "multilabel_margin_loss" else tc.zeros(2).long()
    if name == "cosine_embedding_loss":
        given[2] = tc.ones(2)
    return given


@pytest.mark.parametrize("name", LOSSES)
def test_the_mean_and_the_sum_are_of_the_losses_of_elements(name):
    loss = lambda reduction: getattr(F, name)(*arguments(name), reduction=reduction)  # noqa: E731
    if name == "kl_div":
        with pytest.warns(UserWarning, match="'mean' divides the total loss"):
            mean = loss("mean")
    else:
        mean = loss("mean")
    each = loss("none")
    assert mean.allclose(each.mean())
    assert loss("sum").allclose(each.sum())
    with pytest.raises(ValueError, match="total is not a valid value for reduction"):
        loss("total")


@pytest.mark.parametrize("name", [n for n in LOSSES if "reduce" in LOSSES[n]])
@pytest.mark.parametrize(
    ("old", "reduction"),
    [
        ({"reduce": False}, "none"),
        ({"size_average": False}, "sum"),
        ({"size_average": True}, "mean"),
    ],
)
def test_the_old_arguments_work_and_warn_at_the_call(name, old, reduction):
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}'") as caught:
        found = getattr(F, name)(*arguments(name), **old)
    assert caught[0].filename == __file__
    if reduction != "mean" or name != "kl_div":
        assert found.equal(getattr(F, name)(*arguments(name), reduction=reduction))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("mse_loss", "Using a target size (torch.Size([1])) that is different to the input size (torch.Size([3]))"),
        ("l1_loss", "Using a target size (torch.Size([1])) that is different"),
        ("smooth_l1_loss", "Using a target size (torch.Size([1])) that is different"),
        ("huber_loss", "Using a target size (torch.Size([1])) that is different"),
        ("binary_cross_entropy", "Using a target size (torch.Size([1])) that is different"),
        ("binary_cross_entropy_with_logits",
         "Target size (torch.Size([1])) must be the same as input size (torch.Size([3]))"),
    ],
)  # fmt: skip
def test_sizes_are_written_as_pytorch_writes_them(loss, words):
    with pytest.raises((UserWarning, ValueError), match=re.escape(words)):
        getattr(F, loss)(tc.ones(3), tc.ones(1))


@pytest.mark.parametrize("dtype", [tc.int64, tc.int32, tc.uint8, tc.bool])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (3, 3), (2, 3, 4, 4)])
def test_one_hot_integers_are_no_probabilities(shape, dtype):
    for smoothing in (0.0, 0.1):
        with pytest.raises(
            RuntimeError, match="Expected floating point type for target with class"
        ):
            F.cross_entropy(tc.ones(shape), tc.ones(shape, dtype=dtype), label_smoothing=smoothing)
