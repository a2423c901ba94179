"""Every public function, and every method and property of Tensor, has a docstring with an example.

The examples run as doctests.
"""

import inspect
import re

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tests.each import each

SPACES = {"tc": tc, "F": F, "Tensor": tc.Tensor, "Generator": tc.Generator}


def public_callables():
    """The path of each public function, class, method and property, with the object."""
    for space, owner in SPACES.items():
        for name in dir(owner):
            if not hasattr(owner, name):  # which loads what is loaded on first access
                continue
            value = inspect.getattr_static(owner, name)
            home = getattr(getattr(value, "fget", value), "__module__", "") or ""
            ours = home.startswith("tinygrad_cnn") and not inspect.ismodule(value)
            if (
                ours
                and not name.startswith("_")
                and (callable(value) or isinstance(value, property))
            ):
                yield f"{space}.{name}", value


CALLABLES = dict(public_callables())


@each(CALLABLES)
def test_has_an_example(path):
    text = inspect.getdoc(CALLABLES[path]) or ""
    assert ">>> " in text.partition("\n\n")[2], f"{path}: {text!r}"


@each([p for p in CALLABLES if p.startswith(("tc.", "F."))])
def test_speaks_of_its_own_parameters(path):
    """A letter of the ops, like x, is one of its parameters, or is introduced: "x of input"."""
    function = CALLABLES[path]
    if inspect.isfunction(function):
        text = inspect.getdoc(function).partition(">>>")[0]
        if "x" not in inspect.signature(function).parameters and re.search(r"\bx\b", text):
            assert re.search(r"\bx (of|in) (the )?input\b|\bx is (the )?input\b", text), text
