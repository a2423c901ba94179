"""Trees of containers, beyond the answers that tests/conformance/test_machine.py replays."""

import pytest

from tinygrad_cnn.utils import _pytree as pytree


class Pair:
    def __init__(self, a, b):
        self.a, self.b = a, b


def test_a_class_can_be_registered_once():
    pytree.register_pytree_node(Pair, lambda p: ([p.a, p.b], "pair"), lambda xs, _: Pair(*xs))
    made = pytree.tree_map(lambda x: -x, [Pair(1, (2, 3))])[0]
    assert (made.a, made.b) == (-1, (-2, -3))
    assert pytree.tree_structure(Pair(1, 2)) == pytree.tree_structure(Pair(3, 4))
    with pytest.raises(ValueError, match="already registered"):
        pytree.register_pytree_node(Pair, lambda p: ([], None), lambda xs, _: None)


def test_specs_are_keys():
    specs = [pytree.tree_structure(t) for t in ([1, 2], [3, 4], (1, 2), 5)]
    assert len(set(specs)) == 3
    assert specs[3] == pytree.LeafSpec()
    assert repr(specs[0]) == "TreeSpec(list, None, [*, *])"


def test_in_place_map_returns_the_tree():
    seen, tree = [], [1, (2,)]
    assert pytree.tree_map_(seen.append, tree) is tree
    assert seen == [1, 2]
