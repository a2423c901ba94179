"""Observers see ops and vjps."""

import tinygrad_cnn as tc

from .leaves import leaf


def test_observers_see_ops_and_vjps_recorded_or_not():
    events = []

    class Log(tc.Observer):
        def op_called(self, op, attributes):
            events.append(attributes)

        def op_ran(self, op, inputs, output, node):
            events.append((op.name, node is not None))

        def vjp_ran(self, node, g, gradients):
            events.append((node.op.name, "vjp"))

    x = leaf(2)
    with tc.observe(Log()):
        with tc.no_grad():
            x * 2.0
        (x * x).sum().backward()
    x * 2.0
    assert events == [
        {}, ("mul", False), {}, ("mul", True), {"dim": None, "keepdim": False}, ("sum", True),
        ("sum", "vjp"), ("mul", "vjp"),
    ]  # fmt: skip
