"""The difference of two outcomes: in a value, a gradient, or an error."""

import tinygrad_cnn as tc
from tinygrad_cnn.testing import Program
from tinygrad_cnn.testing.programs.program import difference

A = "a = real([1.0, 2.0, -3.0], requires_grad=True)"


def test_a_wrong_value_and_a_missing_error_are_differences():
    program = Program((A, "b = a * 2.0", "b.sum().backward()"))
    right = program.run(tc)
    for table in ("values", "gradients"):
        wrong = program.run(tc)
        getattr(wrong, table)["a"] = getattr(wrong, table)["a"] + 1e-6
        assert f"{table[:-1]} of a" in difference(wrong, right)
        getattr(wrong, table)["a"] = None
        assert f"{table[:-1]} of a: None here" in difference(wrong, right)
    raised = Program((A, "a.add_(1.0)")).run(tc)
    assert "here: RuntimeError in statement 1" in difference(raised, right)
    assert "reference: RuntimeError" in difference(right, raised)
    assert difference(raised, raised) is None
