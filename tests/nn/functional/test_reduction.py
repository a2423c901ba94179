"""The reduction of losses, and the two deprecated arguments for it."""

import inspect

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F

LOSSES = {
    name: inspect.signature(function).parameters
    for name, function in vars(F).items()
    if inspect.isfunction(function) and "reduction" in inspect.signature(function).parameters
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
