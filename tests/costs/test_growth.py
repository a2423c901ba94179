"""How costs grow: twice as many inputs, outputs, views or writes cost twice as much, not four times.

Python calls and the peak of memory are counted, for n = 100 and 400.
"""

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.autograd import Function

from .meters import python_calls, traced

SMALL, FACTOR = 100, 4
MOST = 1.6 * FACTOR  # 4 for linear growth, 16 for quadratic


def leaf(*shape):
    return tc.ones(*shape, requires_grad=True)


class Each(Function):
    """As many outputs as inputs."""

    @staticmethod
    def forward(ctx, *xs):
        ctx.save_for_backward(*xs)
        return tuple(x * 2.0 for x in xs)

    @staticmethod
    def backward(ctx, *gs):
        return tuple(g * 2.0 for g in gs)


def joined(join):
    return lambda n: join([leaf(1, 2) for _ in range(n)]).sum().backward()


def chained(step, write=False):
    """Views of views, all alive, with a write through the last one or through each."""

    def run(n):
        views = [leaf(4, 2) * 1.0]
        for _ in range(n):
            views.append(step(views[-1]))
            if write:
                views[-1].mul_(1.0)
        views[-1].mul_(1.0)
        views[0].sum().backward()

    return run


def parted(part):
    """A write to each of many views that live side by side."""

    def run(n):
        y = leaf(n, 2) * 1.0
        for v in part(y):
            v.mul_(1.0)
        y.sum().backward()

    return run


def written(n, retain=False):
    y = leaf(2, 2) * 1.0
    views = [y[0] for _ in range(n)]
    for v in views:
        if retain:
            v.retain_grad()
    for _ in range(n):
        y.mul_(1.0)
    (y.sum() + views[-1].sum()).backward()


def without_grad(n):
    y = tc.ones(n)
    for v in y.unbind():
        v.mul_(1.0)


def unrecorded(n):
    y = leaf(n, 2) * 1.0
    parts = y.unbind()
    with tc.no_grad():
        for v in parts:
            v.mul_(1.0)
    y.sum().backward()


PROGRAMS = {
    "cat": joined(tc.cat),
    "stack": joined(tc.stack),
    "hstack": joined(tc.hstack),
    "dstack": joined(tc.dstack),
    "the gradient of cat, recorded": lambda n: tc.autograd.grad(
        tc.cat([leaf(2) for _ in range(n)]).exp().sum(), leaf(1), create_graph=True, allow_unused=True
    ),
    "cat of split": lambda n: tc.cat((leaf(n, 2) * 1.0).split(1)).sum().backward(),
    "sum of unbind": lambda n: sum((leaf(n, 2) * 1.0).unbind()).sum().backward(),
    "iteration": lambda n: sum(v * 2.0 for v in leaf(n, 2)).sum().backward(),
    "a Function of many outputs": lambda n: tc.stack(
        Each.apply(*[leaf(2) for _ in range(n)])
    ).sum().backward(),
    "views of views": chained(lambda x: x.view(4, 2)),
    "slices of slices": chained(lambda x: x[:]),
    "transposes of transposes, a write to each": chained(lambda x: x.t(), True),
    "views of several kinds, a write to each": chained(lambda x: x.t()[None][0].t(), True),
    "a write to each row of unbind": parted(lambda x: x.unbind()),
    "a write to each row of split": parted(lambda x: x.split(1)),
    "a write to each row": parted(lambda x: (x[i] for i in range(len(x)))),
    "a write to each row, without grad": without_grad,
    "a write to each row, unrecorded": unrecorded,
    "writes to the base of many views": written,
    "writes to the base of views that retain their gradient": lambda n: written(n, retain=True),
    "assignments": parted(lambda x: [x[i : i + 1].fill_(2.0) for i in range(len(x))]),
    "many roots": lambda n: tc.autograd.backward([leaf(1) * 2.0 for _ in range(n)]),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_costs_are_linear(name):
    run = PROGRAMS[name]
    few, many = (python_calls(lambda n=n: run(n)) for n in (SMALL, FACTOR * SMALL))
    assert many <= MOST * few
    peaks = []
    for n in (SMALL, FACTOR * SMALL):
        with traced() as meter:
            run(n)
            peaks.append(meter.peak)
    assert peaks[1] <= MOST * peaks[0]
