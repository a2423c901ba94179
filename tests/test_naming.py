"""Errors of public classes name the public class, and never a private base."""

import inspect
import re

import pytest

import tinygrad_cnn as tc
from tests.each import each
from tinygrad_cnn.naming import own_methods

SPACES = (
    tc, tc.nn, tc.nn.utils, tc.nn.utils.parametrize, tc.optim, tc.optim.lr_scheduler, tc.autograd,
    tc.utils.data, tc.utils.transforms, tc.utils.datasets, tc.distributions, tc.nn.utils.prune,
    tc.optim.swa_utils,
)  # fmt: skip


def public_classes():
    """Each public class, by its path."""
    for space in SPACES:
        for name in getattr(space, "__all__", dir(space)):
            value = getattr(space, name)
            ours = isinstance(value, type) and value.__module__.startswith("tinygrad_cnn")
            if ours and not name.startswith("_"):
                yield f"{space.__name__}.{name}", value


CLASSES = dict(public_classes())
TAKES_ANYTHING = "tinygrad_cnn.nn.Identity"
OF_A_TUPLE = "tinygrad_cnn.Size"  # the constructor of tuple


def complaint(call):
    """The text of the TypeError that the call raises, or None."""
    try:
        call()
    except TypeError as error:
        return str(error)
    except Exception:
        return None
    return None


def check_name(cls, text):
    """The text starts with the class, or with the public base that defines the constructor."""
    assert not re.search(r"\b_[A-Z]", text), text
    owners = [c.__name__ for c in cls.__mro__ if c in CLASSES.values()]
    assert re.match(rf"({'|'.join(owners)})\b", text), text


@each([p for p in CLASSES if p not in (TAKES_ANYTHING, OF_A_TUPLE)])
def test_an_unknown_keyword_is_an_error_that_names_the_class(path):
    text = complaint(lambda: CLASSES[path](no_such_keyword=1))
    check_name(CLASSES[path], text)
    assert "no_such_keyword" in text or "takes no" in text


@each([p for p in CLASSES if p != OF_A_TUPLE])
def test_a_missing_argument_is_an_error_that_names_the_class(path):
    cls = CLASSES[path]
    text = complaint(lambda: cls())
    if text is not None:
        check_name(cls, text)


@each(CLASSES)
def test_methods_are_named_after_a_public_class(path):
    cls = CLASSES[path]
    if issubclass(cls, tc.Tensor):  # its methods are made from functions
        return
    public = {c.__name__ for c in CLASSES.values()}
    for name in dir(cls):
        method = inspect.getattr_static(cls, name)
        if not name.startswith("__") and inspect.isfunction(method):
            assert method.__qualname__.split(".")[0] in public, method.__qualname__


@pytest.mark.parametrize(("call", "message"), [
    (lambda: tc.nn.Conv2d(1, 2, 3, chanels=3), r"^Conv2d.__init__\(\) got an unexpected keyword argument 'chanels'$"),
    (lambda: tc.nn.Conv2d(1), r"^Conv2d.__init__\(\) missing 2 required positional arguments"),
    (lambda: tc.nn.Conv2d(1, 2, 3)(tc.ones(1, 1, 3, 3), stride=2), r"^Conv2d.forward\(\) got an"),
    (lambda: tc.nn.BatchNorm1d(2).reset_parameters(1), r"^BatchNorm1d.reset_parameters\(\) takes 1"),
    (lambda: tc.nn.Linear(1, 1).state_dict(name=1), r"^Module.state_dict\(\) got an unexpected"),
    (lambda: tc.nn.Sequential().append(), r"^Sequential.append\(\) missing 1 required"),
    (lambda: tc.nn.Threshold(1.0), r"^Threshold.__init__\(\) missing 1 required positional argument: 'value'$"),
    (lambda: tc.nn.ELU(1.0, alpha=2.0), r"^ELU.__init__\(\) got multiple values for argument 'alpha'$"),
    (lambda: tc.nn.GaussianNLLLoss(True), r"^GaussianNLLLoss.__init__\(\) takes 1 positional argument but 2"),
    (lambda: tc.nn.Module(1), r"^Module.__init__\(\) takes 1 positional argument but 2 were given$"),
    (lambda: tc.nn.Module(a=1), r"^Module.__init__\(\) got an unexpected keyword argument 'a'$"),
    (lambda: tc.optim.lr_scheduler.LambdaLR(x=1), r"^LambdaLR.__init__\(\) got an unexpected"),
])  # fmt: skip
def test_examples(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_copies_are_the_same_code_and_find_their_super():
    class Base:
        __module__ = "room.base"

        def f(self, a, *, b=2):
            """A docstring."""
            return super().__repr__() and (a, b)

        def g(self):
            return "Base"

    class Public(Base):
        __module__ = "room.public"

        def g(self):
            return "Public"

    class Child(Public):
        __module__ = "room.public"

    own_methods({"__name__": "room", "Public": Public, "Child": Child, "_Base": Base})
    assert Public.f is not Base.f
    assert Public.f.__code__ is Base.f.__code__
    assert (Public.f.__qualname__, Public.f.__doc__) == ("Public.f", "A docstring.")
    assert inspect.signature(Public.f) == inspect.signature(Base.f)
    assert (Public().f(1), Child().f(1, b=3), Child().g()) == ((1, 2), (1, 3), "Public")
    with pytest.raises(TypeError, match=r"^Public.f\(\) missing"):
        Child().f()


@pytest.mark.parametrize(
    "cls", ["Tensor", "no_grad", "enable_grad", "set_grad_enabled", "Generator"]
)
def test_public_classes_own_their_methods(cls):
    """An error for wrong arguments names the class that the user knows, or the method alone."""
    public = getattr(tc, cls)
    for name in dir(public):
        function = inspect.getattr_static(public, name)
        home = getattr(function, "__module__", None) or ""
        if inspect.isfunction(function) and home.startswith("tinygrad_cnn"):
            owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2]
            known = owner in ("", "<locals>") or hasattr(tc, owner)
            assert known, f"{cls}.{name} is {function.__qualname__}"


def test_messages_name_the_function_that_was_called():
    x = tc.ones(2)
    for call, words in [
        (lambda: tc.arctan(), 'arctan() missing 1 required positional arguments: "input"'),
        (
            lambda: tc.absolute(x, banana=1),
            "absolute() got an unexpected keyword argument 'banana'",
        ),
        (lambda: x.cumsum_(), 'cumsum_() missing 1 required positional arguments: "dim"'),
        (lambda: x.float(banana=1), "Tensor.float() got an unexpected keyword argument 'banana'"),
        (lambda: tc.clip(), "clip() received an invalid combination of arguments"),
        (lambda: x.not_equal(), "not_equal() received an invalid combination of arguments"),
        (lambda: x.divide_("a"), "divide_() received an invalid combination of arguments"),
    ]:
        with pytest.raises(TypeError, match=re.escape(words)):
            call()
