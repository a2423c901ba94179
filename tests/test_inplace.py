"""In-place operations and views: results as in PyTorch, or an error, never a wrong number."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import nn, ops


def leaf(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return tc.tensor(rng.standard_normal(shape), dtype=tc.float64, requires_grad=True)


# --- refused ---


def test_a_leaf_that_requires_grad_refuses_outside_no_grad():
    x = leaf(3)
    before = x.tolist()
    with pytest.raises(
        RuntimeError, match="^a leaf Variable that requires grad is being used in an"
    ):
        x += 1.0
    with pytest.raises(RuntimeError, match="^a view of a leaf Variable"):
        x[0].add_(1.0)
    assert x.tolist() == before
    with tc.no_grad():
        x += 1.0
    assert x.tolist() == [v + 1.0 for v in before]
    assert x.requires_grad


@pytest.mark.parametrize(
    ("make", "write"),
    [
        (lambda x: x.exp(), lambda y: y.add_(1.0)),  # exp saved its output
        (lambda x: x * x.detach(), None),
    ],
)
def test_a_saved_value_that_was_changed_raises(make, write):
    x = leaf(3)
    y = make(x)
    loss = y.sum()
    if write:
        write(y)
    else:
        with tc.no_grad():
            x.mul_(2.0)
    with pytest.raises(
        RuntimeError,
        match="^one of the variables needed for gradient computation has been modified by an inplace",
    ):
        (y.sum() if write else loss).backward()
    assert x.grad is None


def test_an_op_that_overwrites_an_input_which_another_needs_keeps_a_copy():
    a, b = leaf(3), leaf(3, seed=1)
    y = a * 1.0
    y *= b  # b̄ needs the old y
    y.sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), a.detach().numpy())


def test_an_op_that_overwrites_its_other_input_raises_in_backward():
    a = leaf(3)
    y = a * 1.0
    y *= y
    with pytest.raises(RuntimeError, match="modified by an inplace operation: `b` of mul"):
        y.sum().backward()


def test_a_change_seen_through_a_detached_alias_is_caught():
    x = leaf(3)
    y = x.exp()
    y.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_expanded_read_only_and_mistyped_targets_are_refused():
    with pytest.raises(
        RuntimeError,
        match="unsupported operation: more than one element of the written-to|read-only",
    ):
        tc.ones(1).expand(3).add_(1.0)
    frozen = np.ones(3)
    frozen.flags.writeable = False
    with pytest.raises(RuntimeError, match="read-only"):
        tc.from_numpy(frozen).add_(1.0)
    with pytest.raises(
        RuntimeError, match="result type torch.float32 can't be cast to .* torch.int64"
    ):
        tc.arange(3).add_(0.5)
    with pytest.raises(
        RuntimeError, match="result type torch.float32 can't be cast to .* torch.int64"
    ):
        tc.arange(3).div_(2)
    with pytest.raises(RuntimeError, match=r"output with shape \[3\] doesn't match the broadcast"):
        tc.ones(3).add_(tc.ones(2, 3))


def test_a_view_made_under_no_grad_is_not_written_with_a_graph():
    """The write would change the base, but not the gradient."""
    x = leaf(2, 3) * 1.0
    with tc.no_grad():
        view = x[0]
    before = x.tolist()
    for write in (lambda: view.mul_(2.0), lambda: view.copy_(leaf(3))):
        with pytest.raises(RuntimeError, match="^A view was created in no_grad mode"):
            write()
    assert x.tolist() == before
    with tc.no_grad():
        view.mul_(2.0)
    x.detach()[0].add_(1.0)


def test_a_view_of_a_constant_that_became_a_leaf_refuses():
    c = tc.ones(3)
    view, other = c[:2], c[1:]
    view.requires_grad_()
    with pytest.raises(RuntimeError, match="^a leaf Variable that requires grad"):
        view.add_(1.0)
    c.requires_grad_()
    with pytest.raises(RuntimeError, match="^a view of a leaf Variable that requires grad"):
        other.add_(1.0)


# --- right ---


def test_augmented_assignment_under_no_grad_trains_the_same_tensor():
    p = leaf(3)
    same, memory = p, p._array
    (p * p).sum().backward()
    with tc.no_grad():
        p -= 0.5 * p.grad
    assert p is same
    assert p._array is memory
    np.testing.assert_allclose(p.detach().numpy(), 0.0, atol=1e-15)


def test_in_place_ops_differentiate_like_their_out_of_place_ones():
    x, b = leaf(2, 3), leaf(3, seed=1)

    def in_place():
        y = x * 2.0
        y += b
        y.mul_(3.0)
        y.relu_()
        return y

    (in_place() ** 2).sum().backward()
    grads = x.grad.numpy().copy(), b.grad.numpy().copy()
    x.grad = b.grad = None
    (tc.relu((x * 2.0 + b) * 3.0) ** 2).sum().backward()
    np.testing.assert_allclose(grads[0], x.grad.numpy())
    np.testing.assert_allclose(grads[1], b.grad.numpy())


def test_a_write_through_a_view_moves_the_base_and_its_other_views():
    x, b = leaf(3, 4), leaf(4, seed=1)
    y = x * 1.0
    row, column, flat = y[1], y[:, 2], y.view(12)
    row *= b.detach()
    row += b
    (y.sum() + 10.0 * column.sum() + 100.0 * flat.sum()).backward()
    weight = np.full((3, 4), 101.0)
    weight[:, 2] += 10
    expected = weight.copy()
    expected[1] *= b.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), expected)
    np.testing.assert_allclose(b.grad.numpy(), weight[1])


def test_a_write_to_the_base_moves_its_views():
    x = leaf(4)
    y = x * 1.0
    v = y[1:3]
    y *= 3.0
    v.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0, 3.0, 0.0]


def test_a_constant_becomes_part_of_the_graph_when_written_to():
    b = leaf(4)
    out = tc.zeros(3, 4, dtype=tc.float64)
    out[1] = b * 2.0
    view = out[2]
    view += b
    assert out.requires_grad
    (out * tc.arange(12).view(3, 4)).sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), 2 * np.arange(4, 8) + np.arange(8, 12))


def test_setitem_cuts_off_what_it_replaces():
    x, v = leaf(4), leaf(2, seed=1)
    y = x * 1.0
    y[[0, 2]] = v
    (y * y).sum().backward()
    assert x.grad.tolist()[0] == x.grad.tolist()[2] == 0.0
    np.testing.assert_allclose(v.grad.numpy(), 2 * v.detach().numpy())


def test_setitem_with_a_place_named_twice_gives_the_gradient_to_the_value_that_stayed():
    v = leaf(3)
    y = tc.zeros(2, dtype=tc.float64)
    y[[0, 0, 1]] = v
    y.sum().backward()
    assert v.grad.tolist() == [0.0, 1.0, 1.0]


def test_x_i_plus_equals():
    x = leaf(3)
    y = x * 1.0
    y[0] += y[1]
    y[2] *= 2.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 2.0]


def test_relu_inplace_module_after_a_view():
    x = leaf(2, 3, 4)
    y = nn.functional.relu(x * 1.0)
    z = (x * 1.0).flatten(1)
    z.relu_()
    z.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), (x.detach().numpy() > 0) * 1.0)
    np.testing.assert_array_equal(y.detach().numpy().reshape(2, -1), z.detach().numpy())


def test_version_counts_writes_to_shared_storage():
    x = tc.zeros(4)
    v = x.view(2, 2)
    assert (x._version, v._version) == (0, 0)
    v[0, 0] = 1.0
    x.add_(1.0)
    assert (x._version, v._version) == (2, 2)


def test_retain_grad_follows_the_tensor_through_a_write():
    x = leaf(2)
    y = x * 1.0
    y.retain_grad()
    y *= 2.0
    (y * 3.0).sum().backward()
    assert y.grad.tolist() == [3.0, 3.0]
    assert x.grad.tolist() == [6.0, 6.0]


def test_retain_grad_follows_a_whole_family_through_a_write():
    a = tc.tensor([1.0, 2.0, 3.0], requires_grad=True)
    t = a * 2.0
    t.retain_grad()
    v = t[:2]
    v.retain_grad()
    v.mul_(10.0)
    assert t.retains_grad
    assert v.retains_grad
    t.backward(tc.ones(3))
    assert t.grad.tolist() == [1.0, 1.0, 1.0]
    t = a * 2.0
    v = t[:2]
    v.retain_grad()
    t.mul_(10.0)
    (v * v).sum().backward()
    assert v.grad.tolist() == [40.0, 80.0]


def test_writes_to_a_0d_tensor():
    a = tc.tensor(2.0, dtype=tc.float64, requires_grad=True)
    t = a * 1.0
    t.copy_(a * a)
    t.sin().backward()
    assert a.grad.item() == pytest.approx(np.cos(4.0) * 4.0)
    a.grad = None
    t = a * a
    v = t.view(1)
    v[0] *= 2.0
    t.backward()
    assert a.grad.item() == pytest.approx(8.0)


def test_new_vjps_reach_the_in_place_form():
    old = dict(ops.mul.op.vjps)
    try:
        y = leaf(2) * 1.0
        y.mul_(2.0)
        ops.mul.defvjp(a=lambda g, b: g * b * 100.0)
        x = leaf(2)
        y = x + 0.0
        y.mul_(2.0)
        y.sum().backward()
        assert x.grad.tolist() == [200.0, 200.0]
    finally:
        ops.mul.defvjp(**old)


def test_tensor_copies_and_from_numpy_shares():
    a = np.zeros(2, np.float32)
    copied, shared = tc.tensor(a), tc.from_numpy(a)
    a[0] = 1
    assert copied.tolist() == [0.0, 0.0]
    assert shared.tolist() == [1.0, 0.0]
    shared += 1.0
    assert a.tolist() == [2.0, 1.0]


@given(st.data())
def test_programs_of_views_and_writes_agree_with_functional_updates(data):
    """Random writes to random views, against the same updates out of place with `where`."""
    seed = data.draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    x = tc.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    y, z = x * 1.0, x * 1.0
    views = [y, y[1], y[:, 2], y.view(12), y.view(2, 6)[1], y.transpose(0, 1)]
    cells = np.arange(12).reshape(3, 4)
    places = [cells, cells[1], cells[:, 2], cells.reshape(12), cells.reshape(2, 6)[1], cells.T]
    for _ in range(data.draw(st.integers(1, 5))):
        k = data.draw(st.integers(0, len(views) - 1))
        factor = float(data.draw(st.integers(-2, 3)))
        mask = np.isin(cells, places[k])
        if data.draw(st.booleans()):
            views[k].mul_(factor)
            z = tc.where(tc.from_numpy(mask), z * factor, z)
        else:
            views[k].add_(factor)
            z = tc.where(tc.from_numpy(mask), z + factor, z)
    read = data.draw(st.integers(0, len(views) - 1))
    weight = tc.tensor(rng.standard_normal(places[read].shape))
    (g,) = tc.autograd.grad((views[read] * weight).sum(), x)
    (h,) = tc.autograd.grad((z.reshape(12)[places[read]] * weight).sum(), x)
    np.testing.assert_allclose(g.numpy(), h.numpy())
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy())


def test_hooks_of_a_view_are_passed_by_once_it_is_written_and_a_warning_says_so():
    # as in PyTorch, which ignores the hook silently
    base = tc.ones(3, requires_grad=True)
    x = base * 1.0
    view = x[:2]
    view.register_hook(lambda g: g * 10.0)
    before = view * 3.0
    with pytest.warns(UserWarning, match="writes to a view that has a hook"):
        view.mul_(2.0)
    (before.sum() + x.sum()).backward()
    assert base.grad.tolist() == [32.0, 32.0, 1.0]


def test_a_write_in_no_grad_gives_views_new_places_for_hooks():
    base = tc.ones(3, requires_grad=True)
    x = base * 1.0
    view = x[:2]
    view.register_hook(lambda g: g * 10.0)
    before = view * 3.0
    with tc.no_grad():
        x += 1.0
    (before.sum() + view.sum()).backward()
    assert base.grad.tolist() == [31.0, 31.0, 0.0]
