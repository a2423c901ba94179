"""A Tensor that changes its own shape: views, graphs, hooks, and what is refused."""

import pytest

import tinygrad_cnn as tc


def doubled(*shape):
    """A leaf, and a Tensor that an op made of it."""
    p = tc.ones(*shape, requires_grad=True)
    return p, p * 2


def test_each_returns_the_tensor_itself():
    x = tc.zeros(1, 2, 3)
    for change in (
        lambda: x.squeeze_(0), lambda: x.unsqueeze_(-1), lambda: x.transpose_(0, 1),
        lambda: x.swapaxes_(0, 2), lambda: x.swapdims_(1, 2), lambda: x.squeeze_((0, 1)),
        lambda: x.squeeze_(), lambda: x.resize_(2, 2), lambda: x.t_(),
    ):  # fmt: skip
        assert change() is x
    assert x.shape == (2, 2)


def test_memory_stays():
    x = tc.arange(4.0).reshape(2, 2)
    before = x.data_ptr()
    x.t_().unsqueeze_(0)
    assert x.data_ptr() == before
    assert x.tolist() == [[[0.0, 2.0], [1.0, 3.0]]]


def test_the_graph_goes_on():
    p, x = doubled(2, 3)
    x.t_()
    x[0] = 0.0
    (x * x).sum().backward()
    assert p.grad.tolist() == [[0.0, 8.0, 8.0]] * 2


def test_views_made_before_see_the_same_memory():
    p, x = doubled(2, 3)
    row = x[0]
    x.t_()
    x.mul_(3)
    row.mul_(5)
    assert x.tolist() == [[30.0, 6.0]] * 3
    (x.sum() + row.sum()).backward()
    assert p.grad.tolist() == [[60.0] * 3, [6.0] * 3]


def test_views_made_after_see_the_same_memory():
    p, x = doubled(2, 3)
    row = x[0]
    column = x.t_()[1]
    row[1] = 9.0
    assert column.tolist() == [9.0, 2.0]
    column.sum().backward()
    assert p.grad.tolist() == [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]


def test_a_view_changes_its_shape():
    p, x = doubled(2, 3)
    row = x[0]
    row.unsqueeze_(1).mul_(4)
    assert row.shape == (3, 1)
    x.sum().backward()
    assert p.grad.tolist() == [[8.0] * 3, [2.0] * 3]


def test_second_derivatives():
    p = tc.tensor([[1.0, 2.0]], requires_grad=True)
    x = p * p
    x.t_().squeeze_(1)
    (g,) = tc.autograd.grad((x * x).sum(), p, create_graph=True)
    g.sum().backward()
    assert p.grad.tolist() == [[12.0, 48.0]]


def test_a_hook_and_retain_grad_serve_the_old_shape():
    _, x = doubled(2, 3)
    shapes = []
    x.register_hook(lambda g: shapes.append(g.shape))
    x.retain_grad()
    x.t_().sum().backward()
    assert shapes == [(2, 3)]
    assert x.grad.shape == (2, 3)


def test_leaves():
    p = tc.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        p.t_()
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        p[0].unsqueeze_(0)
    with tc.no_grad():
        p.unsqueeze_(0)
    (p * 2).sum().backward()
    assert p.grad.shape == (1, 2, 3)
    view = p[0]
    with tc.no_grad(), pytest.raises(NotImplementedError, match="has views"):
        p.squeeze_(0)
    assert view.shape == (2, 3)


def test_an_error_changes_nothing():
    x = tc.zeros(2, 3)
    view = x[0]
    for wrong in (lambda: x.unsqueeze_(5), lambda: x.transpose_(0, 2), lambda: x.squeeze_(2)):
        with pytest.raises(IndexError):
            wrong()
    assert x.shape == (2, 3)
    x.detach_()  # it is no view
    view.fill_(1.0)
    assert x[0].tolist() == [1.0, 1.0, 1.0]


# --- resize_ ---


def test_fewer_elements_are_the_first_ones_on_the_same_memory():
    x = tc.arange(6)
    view = x[:2]
    x.resize_(2, 2)
    assert x.tolist() == [[0, 1], [2, 3]]
    view[0] = 9
    assert x[0, 0].item() == 9


def test_the_order_is_that_of_memory():
    x = tc.arange(6).reshape(2, 3).t()
    assert x.resize_(4).tolist() == [0, 1, 2, 3]


def test_a_transposed_tensor_stays_so():
    x = tc.arange(6.0).reshape(2, 3)
    x.t_()
    assert (x.is_contiguous(), x.stride()) == (False, (1, 3))
    x.numpy()[0, 1] = 9.0
    assert x[0, 1].item() == 9.0
    assert x.stride() == (1, 3)
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        x.view(-1)


def test_more_elements_keep_the_old_ones():
    x = tc.arange(3.0)
    x.resize_((2, 3))
    assert x.shape == (2, 3)
    assert x[0].tolist() == [0.0, 1.0, 2.0]
    assert x.resize_as_(tc.ones(4, 1)).shape == (4, 1)
    buffer = tc.zeros(0)
    assert buffer.resize_(2).copy_(tc.ones(2)).tolist() == [1.0, 1.0]


def test_what_cannot_grow():
    base = tc.arange(6.0)
    with pytest.raises(RuntimeError, match="not resizable"):
        base[:2].resize_(9)
    view = base[:2]
    with pytest.raises(RuntimeError, match="not resizable"):
        base.resize_(9)
    assert view.tolist() == [0.0, 1.0]
    shared = tc.zeros(2)
    array = shared.numpy()
    with pytest.raises(RuntimeError, match="not resizable"):
        shared.resize_(9)
    assert array.shape == (2,)


def test_what_resize_refuses():
    with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
        tc.ones(2, requires_grad=True).resize_(1)
    with pytest.raises(NotImplementedError, match="side by side"):
        tc.ones(2, 3)[:, :2].resize_(2)
    with pytest.raises(NotImplementedError, match="memory_format"):
        tc.ones(2).resize_(1, memory_format=tc.contiguous_format)
