"""A Call prints as code that makes it again."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings

from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import strategy_for
from tinygrad_cnn.testing.snippets import snippet


@pytest.mark.parametrize("name", sorted(registry))
def test_calls_are_shown_as_code_that_makes_them_again(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if not registry[name].forward.__module__.startswith("tinygrad_cnn.ops."):
        return

    @settings(max_examples=5, phases=[Phase.generate])
    @given(strategy_for(name))
    def check(call):
        code = snippet(registry[name], call).rsplit("\n", 1)[0]
        for k, x in enumerate(call.inputs):  # as the code says of a large array
            if f"np.load('inputs_{k}.npy')" in code:
                np.save(f"inputs_{k}.npy", x)
        exec(code, scope := {})
        assert repr(scope["call"]) == repr(call)
        for a, b in zip(scope["call"].inputs, call.inputs, strict=True):
            np.testing.assert_array_equal(a, b)

    check()
