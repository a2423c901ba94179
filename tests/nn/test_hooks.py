"""Hooks of modules around forward and backward."""

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn


def test_forward_hooks_see_and_change():
    net, seen = nn.Linear(2, 2), []
    pre = net.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    first = net.register_forward_pre_hook(lambda m, args: seen.append("first"), prepend=True)
    single = net.register_forward_pre_hook(lambda m, args: seen.append(args[0].tolist()))
    post = net.register_forward_hook(lambda m, args, y: y * 0 + len(args))
    x = tc.ones(1, 2)
    assert net(x).tolist() == [[1.0, 1.0]]
    assert seen == ["first", [[2.0, 2.0]]]
    for handle in (pre, single, post):
        handle.remove()
        handle.remove()
    with first:
        pass
    assert net(x).equal(nn.functional.linear(x, net.weight, net.bias))
    assert len(seen) == 2


def test_forward_hooks_with_keyword_arguments():
    class Add(nn.Module):
        def forward(self, x, *, other):
            return x + other

    add = Add()
    add.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"other": kwargs["other"] * 10}), with_kwargs=True
    )
    add.register_forward_hook(lambda m, args, kwargs, y: y + kwargs["other"], with_kwargs=True)
    assert add(tc.tensor(1.0), other=tc.tensor(2.0)).item() == 41.0
    add.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="new args and kwargs"):
        add(tc.tensor(1.0), other=tc.tensor(2.0))


def test_backward_hook_sees_both_gradients_and_may_replace_the_first():
    layer, seen = nn.Linear(2, 3), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].clone(), go[0].clone())))
    x = tc.randn(4, 2, requires_grad=True)
    y = layer(x)
    g = tc.randn(4, 3)
    (y * g).sum().backward()
    ((grad_input, grad_output),) = seen
    assert grad_output.allclose(g)
    assert grad_input.allclose(g @ layer.weight.detach())
    assert x.grad.allclose(grad_input)
    handle = layer.register_full_backward_hook(lambda m, gi, go: (gi[0] * 0,))
    x.grad = None
    layer(x).sum().backward()
    assert (x.grad == 0).all()
    handle.remove()
    layer.register_full_backward_hook(lambda m, gi, go: gi * 2)
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        layer(x).sum().backward()


def test_backward_hook_where_the_input_needs_no_gradient_and_relu_follows_in_place():
    conv, seen = nn.Conv2d(1, 2, 3), []
    conv.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].shape)))
    net = nn.Sequential(conv, nn.ReLU(inplace=True))
    net(tc.randn(1, 1, 5, 5)).sum().backward()
    assert seen == [((None,), (1, 2, 3, 3))]
    with tc.no_grad():
        net(tc.randn(1, 1, 5, 5))
    assert len(seen) == 1


def test_backward_hooks_that_are_not_there_say_so():
    class Two(nn.Module):
        def forward(self, *xs):
            return xs[0] + xs[1] if len(xs) == 2 else list(xs)

    two = Two()
    two.register_full_backward_hook(lambda m, gi, go: None)
    x = tc.ones(1, requires_grad=True)
    with pytest.raises(NotImplementedError, match="2 Tensors that require grad"):
        two(x, x)
    with pytest.raises(NotImplementedError, match="it returned a list"):
        two(x)
    assert two(x, tc.ones(1)).item() == 2.0


def test_a_hook_that_is_always_called_sees_a_failure():
    log = []
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda m, args, y: log.append(y is None), always_call=True)
    layer.register_forward_hook(lambda m, args, y: log.append("only after"))
    with pytest.raises(RuntimeError):
        layer(tc.ones(1, 3))
    assert log == [True]
    layer(tc.ones(1, 2))
    assert log == [True, False, "only after"]


def test_a_backward_pre_hook_sees_and_replaces_the_gradient_of_the_output():
    layer, seen = nn.Linear(2, 1, bias=False), []
    layer.register_full_backward_pre_hook(lambda m, g: (g[0] * 2,))
    layer.register_full_backward_hook(lambda m, before, after: seen.append(after[0].item()))
    x = tc.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    assert seen == [2]
    assert x.grad.equal(2 * layer.weight.detach())
    assert layer.weight.grad.tolist() == [[2, 2]]


def test_backward_hooks_of_a_norm_run_once_where_the_gradient_is_recorded():
    norm, calls = nn.BatchNorm1d(2), []
    norm.register_full_backward_hook(lambda module, grads, out: calls.append(grads[0].shape))
    x = tc.arange(6.0).reshape(3, 2).requires_grad_()
    (g,) = tc.autograd.grad((norm(x) ** 3).sum(), x, create_graph=True)
    assert calls == [(3, 2)]
    (g * g).sum().backward()
    assert calls == [(3, 2), (3, 2)]


def test_the_older_backward_hook_does_the_same():
    layer, seen = nn.Linear(2, 1), []
    handle = layer.register_backward_hook(
        lambda module, before, after: seen.append((before, after))
    )
    x = tc.ones(3, 2, requires_grad=True)
    layer(x).sum().backward()
    ((before, after),) = seen
    assert after[0].tolist() == [[1.0]] * 3
    assert tc.equal(before[0], x.grad)
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 1


@pytest.mark.parametrize("first", ["register_backward_hook", "register_full_backward_hook"])
def test_the_two_backward_hooks_do_not_mix(first):
    both = {"register_backward_hook", "register_full_backward_hook"}
    (second,) = both - {first}
    layer = nn.Linear(1, 1)
    getattr(layer, first)(print)
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full"):
        getattr(layer, second)(print)
