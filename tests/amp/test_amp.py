"""autocast and GradScaler, beyond the answers that tests/conformance/test_machine.py replays."""

import threading
import warnings

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.amp import autocast_mode


def test_cpu_autocast_says_once_that_it_keeps_dtypes(monkeypatch):
    monkeypatch.setattr(autocast_mode, "_warned", [])
    x = tc.ones(2, 2)
    with (
        pytest.warns(UserWarning, match="computes in the dtype of the inputs"),
        tc.autocast("cpu", dtype=tc.float16),
    ):
        assert (x @ x).dtype == tc.float32
    with tc.autocast("cpu", dtype=tc.float16):  # which warns no more: warnings are errors here
        assert (x @ x).dtype == tc.float32


def test_autocast_is_left_after_an_exception_and_nests():
    with pytest.raises(ZeroDivisionError), tc.autocast("mps"):
        assert tc.is_autocast_enabled("mps")
        with tc.autocast("mps", enabled=False):
            assert not tc.is_autocast_enabled("mps")
        assert tc.is_autocast_enabled("mps")
        _ = 1 / 0
    assert not tc.is_autocast_enabled("mps")


def test_one_autocast_object_may_be_used_again_and_inside_itself():
    mode = tc.autocast("mps")
    with mode, mode:
        assert tc.is_autocast_enabled("mps")
    with mode:
        assert tc.is_autocast_enabled("mps")
    assert not tc.is_autocast_enabled("mps")


def test_autocast_is_of_one_thread():
    seen = []
    with tc.autocast("mps"):
        thread = threading.Thread(target=lambda: seen.append(tc.is_autocast_enabled("mps")))
        thread.start()
        thread.join()
    assert seen == [False]


def test_a_decorated_function_keeps_its_name_and_signature():
    @tc.autocast("cuda", enabled=False)
    def step(x, *, y=2):
        """A docstring."""
        return x + y

    assert (step(1, y=3), step.__name__, step.__doc__) == (4, "step", "A docstring.")


def test_the_boilerplate_of_mixed_precision_trains():
    tc.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scaler = tc.cuda.amp.GradScaler()
        model = tc.nn.Linear(2, 1)
        optimizer = tc.optim.SGD(model.parameters(), lr=0.1)
        x, y = tc.randn(8, 2), tc.randn(8, 1)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            with tc.cuda.amp.autocast():
                loss = ((model(x) - y) ** 2).mean()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            tc.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


def test_a_scaled_step_is_the_step():
    def trained(scaler):
        tc.manual_seed(0)
        model = tc.nn.Linear(3, 2)
        optimizer = tc.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            scaler.scale(model(tc.ones(4, 3)).square().mean()).backward()
            scaler.step(optimizer)
            scaler.update()
        return model.weight

    on, off = tc.amp.GradScaler("cpu", 2.0**10), tc.amp.GradScaler("cpu", enabled=False)
    assert tc.equal(trained(on), trained(off))  # a power of two rounds nothing


def test_two_optimizers_have_stages_of_their_own():
    p, q = (tc.nn.Parameter(tc.ones(1)) for _ in range(2))
    first, second = (tc.optim.SGD([t], lr=1.0) for t in (p, q))
    scaler = tc.amp.GradScaler("cpu", 4.0)
    scaler.scale((p + q * tc.inf).sum()).backward()
    assert scaler.step(first) is None
    scaler.step(second)
    assert (p.item(), q.item()) == (0.0, 1.0)  # the second overflowed and was skipped
    scaler.update()
    assert scaler.get_scale() == 2.0


def test_unscaled_gradients_are_noticed_as_changed_by_the_graph():
    x = tc.ones(1, requires_grad=True)
    scaler = tc.amp.GradScaler("cpu", 4.0)
    scaler.scale((x * x).sum()).backward(create_graph=True)
    y = x.grad * x.grad  # which saves the gradient
    scaler.unscale_(tc.optim.SGD([x], lr=1.0))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_the_scale_does_not_grow_to_infinity():
    scaler = tc.amp.GradScaler("cpu", 3e38, growth_interval=1)
    p = tc.nn.Parameter(tc.ones(1))
    p.grad = tc.ones(1)
    scaler.scale(tc.ones(1))
    scaler.step(tc.optim.SGD([p], lr=1.0))
    scaler.update()
    assert scaler.get_scale() == pytest.approx(3e38)


def test_a_state_without_an_entry_changes_nothing():
    scaler = tc.amp.GradScaler("cpu", 4.0)
    with pytest.raises(KeyError):
        scaler.load_state_dict({"scale": 8.0})
    assert scaler.get_scale() == 4.0
