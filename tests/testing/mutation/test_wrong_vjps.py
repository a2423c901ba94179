"""The corpus of wrong vjps: 41 of ten rules, and each differs from the right vjp somewhere."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tinygrad_cnn.testing.mutation.wrong_vjps import RULES, WRONG_VJPS
from tinygrad_cnn.testing.values import signed


def test_there_are_41_of_ten_rules():
    assert len({wrong.name for wrong in WRONG_VJPS}) == 41
    assert {wrong.rule.name for wrong in WRONG_VJPS} == {rule.name for rule in RULES}
    assert len(RULES) == 10


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_wrong_vjp_differs_from_the_right_one(rule):
    mistakes = {w.name: w.make() for w in WRONG_VJPS if w.rule is rule}
    same = set(mistakes)

    def compare(call):
        y = rule.forward(*call.inputs, **call.attributes)
        g = signed(np.random.default_rng(0), np.shape(y))
        right = rule.vjp(g, *call.inputs, **call.attributes)
        assert [d.shape for d in right] == [np.shape(x) for x in call.inputs]
        for name in list(same):
            wrong = mistakes[name](g, *call.inputs, **call.attributes)
            if not all(np.array_equal(a, b) for a, b in zip(right, wrong, strict=True)):
                same.remove(name)

    @settings(max_examples=60, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(rule.calls)
    def at_drawn_calls(call):
        compare(call)

    at_drawn_calls()
    for call, _ in rule.kinks:
        compare(call)
    assert same == set()
