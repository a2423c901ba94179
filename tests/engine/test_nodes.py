"""How nodes are freed. `tests/faults/test_depth.py` frees deep graphs on small stacks."""

import gc
import sys
import threading

import numpy as np
import pytest

import tinygrad_cnn as tc
from tests.soak.depth import SHAPES, Square
from tinygrad_cnn.engine.nodes import MAX_DEPTH, Cut, Node


def chain(n, y=None):
    y = tc.ones(2, requires_grad=True) if y is None else y
    for _ in range(n):
        y = y + 1.0
    return y


def graph_of(root):
    """All nodes that `root` leads to, the oldest first."""
    found, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node is not None and node not in found:
            found.add(node)
            stack.extend(() if node.op is None else node.parents)
    return sorted(found, key=lambda node: node.number)


def longest_recursion(root):
    """The number of nodes on the longest path that meets no cut."""
    longest = {None: 0}
    for node in graph_of(root):
        above = () if node.op is None else node.parents
        below_it = 1 + max([longest[p] for p in above], default=0)
        longest[node] = 0 if type(node) is Cut else below_it
    return max(longest.values())


@pytest.mark.parametrize("shape", [s for s in SHAPES if s != "views_without_graph"])
def test_paths_without_a_cut_are_short(shape):
    with np.errstate(all="ignore"):
        root = SHAPES[shape](5000 if shape == "second_order" else 1200)._node
    assert longest_recursion(root) <= MAX_DEPTH


@pytest.mark.parametrize("n", [1, MAX_DEPTH - 1, MAX_DEPTH, 3 * MAX_DEPTH])
def test_a_small_graph_has_no_cut(n):
    cuts = [node for node in graph_of(chain(n)._node) if type(node) is Cut]
    assert len(cuts) == n // MAX_DEPTH


def test_nodes_that_may_hold_other_tensors_are_cuts():
    x = tc.ones(2, requires_grad=True)
    y = x * 2.0
    assert type(x._node) is type(y._node) is Node
    for t in (x, y):
        t.register_hook(lambda g: None)
    assert type(x._node) is type(y._node) is type(Square.apply(x, y)._node) is Cut
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_long_paths_of_views_have_cuts_too():
    length, longest = 0, 0
    path = SHAPES["views_without_graph"](1000)._replay
    while path is not None:
        length = 0 if isinstance(path, Node) else length + 1
        longest = max(longest, length)
        path = path.first if isinstance(path, Node) else path[0]
    assert longest <= MAX_DEPTH


def test_a_write_through_a_long_path_of_views():
    x = tc.zeros(1000)
    y = x
    for _ in range(999):
        y = y[1:]
    y += 1.0
    assert x.nonzero().tolist() == [[999]]
    x.requires_grad_()
    base = x * 1.0
    y = base
    for _ in range(999):
        y = y[1:]
    y *= 3.0
    base.sum().backward()
    assert x.grad[-2:].tolist() == [1.0, 3.0]


def test_a_graph_that_a_finalizer_saves_from_the_collector_is_not_walked():
    saved = []

    class Saves:
        def __del__(self):
            saved.append(self.y)

    cycle = Saves()
    cycle.y, cycle.cycle = chain(2 * MAX_DEPTH), cycle
    del cycle
    gc.collect()
    with pytest.raises(RuntimeError, match="a second time: what released"):
        saved[0].sum().backward()


class Falls:
    """An object whose finalizer calls a function."""

    def __init__(self, function):
        self.function = function

    def __del__(self):
        self.function()


def hooked(y, thing):
    """A Tensor that leads to `y`, with a hook that holds `thing`."""
    z = y * 1.0
    z.register_hook(lambda g: thing and None)
    return z


def nodes():
    return sum(isinstance(x, Node) for x in gc.get_objects())


def test_a_finalizer_that_fails_stops_no_release(monkeypatch):
    noted = []
    monkeypatch.setattr(sys, "unraisablehook", lambda failure: noted.append(failure.exc_type))
    gc.collect()
    before = nodes()
    y = chain(3 * MAX_DEPTH, hooked(chain(3 * MAX_DEPTH), Falls(lambda: 1 / 0)))
    del y
    assert noted == [ZeroDivisionError]
    assert nodes() == before


def test_a_finalizer_may_make_and_release_graphs():
    gc.collect()
    before, seen = nodes(), []

    def work():
        y = chain(3 * MAX_DEPTH)
        y.sum().backward()
        seen.append(nodes())

    y = chain(2 * MAX_DEPTH, hooked(chain(2 * MAX_DEPTH), Falls(work)))
    del y, work
    assert len(seen) == 1
    assert nodes() == before


def test_a_release_does_not_wait_for_that_of_another_thread():
    inside, go_on = threading.Event(), threading.Event()
    held = [hooked(chain(3), Falls(lambda: (inside.set(), go_on.wait(10))))]
    thread = threading.Thread(target=held.clear)
    gc.collect()
    before = nodes()
    thread.start()
    assert inside.wait(10)
    y = chain(5 * MAX_DEPTH)
    during = nodes()
    del y
    left = nodes()
    go_on.set()
    thread.join()
    assert during > 5 * MAX_DEPTH
    assert left <= before


def test_an_interrupt_at_any_line_of_a_release_leaves_nothing(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda failure: None)
    code = Cut.__del__.__code__
    gc.collect()
    before = nodes()
    for at in range(60):
        left = at

        def trace(frame, event, argument):
            nonlocal left
            if frame.f_code is not code:
                return None
            if event == "line":
                left -= 1
                if left == -1:
                    raise KeyboardInterrupt
            return trace

        y = chain(3 * MAX_DEPTH)
        old = sys.gettrace()
        sys.settrace(trace)
        try:
            del y
        finally:
            sys.settrace(old)
        assert nodes() == before, at
        if left >= 0:
            break
    assert 10 < at < 59  # all lines were tried
