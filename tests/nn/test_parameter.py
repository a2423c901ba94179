"""Parameter."""

import tinygrad_cnn as tc
from tinygrad_cnn import nn


def test_a_parameter_is_a_leaf_on_the_same_memory():
    data = tc.tensor([1.0, 2.0])
    p = nn.Parameter(data)
    assert isinstance(p, tc.Tensor)
    assert p.is_leaf
    assert p.requires_grad
    with tc.no_grad():
        data.mul_(3.0)
    assert p.tolist() == [3.0, 6.0]
    assert repr(p) == "Parameter containing:\ntensor([3., 6.], requires_grad=True)"
    assert not nn.Parameter(tc.arange(3), requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,)
    assert nn.Parameter(p * 2).is_leaf, "a result of the graph is cut off from it"
    (p * p).sum().backward()
    assert p.grad.tolist() == [6.0, 12.0]
    assert not isinstance(p * 1, nn.Parameter)
    assert not isinstance(p.detach(), nn.Parameter)
