"""Where there is no memory: MemoryError, after which the model goes on."""

import os
import subprocess
import sys

import pytest

import tinygrad_cnn as tc

from .allocations import count, failing
from .steps import Training, wrong_after

pytestmark = pytest.mark.usefixtures("vectorized")


def test_each_fourth_allocation_of_a_training_step_fails_in_turn():
    length = count(Training("Dense", "Adam").step)
    assert length > 100
    for k in range(2, length + 1, 4):
        came = []
        wrong = wrong_after(
            lambda step, k=k, came=came: came.append(failing(step, k)), "Dense", "Adam", 0
        )
        assert came == [True]
        assert not wrong, k


def test_a_backward_pass_without_memory_leaves_the_gradients():
    x = tc.ones(3, requires_grad=True)
    loss = (x * x).exp().sum()

    def run():
        loss.backward(retain_graph=True)

    for k in range(1, count(run) + 1):
        x.grad = tc.full((3,), 5.0)
        assert failing(run, k)
        assert x.grad.tolist() == [5.0] * 3
    run()
    assert x.grad[0] > 5


UNDER_A_LIMIT = """
import resource
import tinygrad_cnn as tc
model = tc.nn.Linear(1000, 1000)
optimizer = tc.optim.Adam(model.parameters())
x = tc.ones(2, 1000)
def step(x):
    optimizer.zero_grad()
    model(x).pow(2).mean().backward()
    optimizer.step()
step(x)
before = model.weight.detach().clone()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, limit[1]))
try:
    step(tc.ones(1, 1000).expand(100_000, 1000))
except MemoryError:
    print("no memory")
assert tc.equal(model.weight, before)
step(x)
assert not tc.equal(model.weight, before)
print("goes on")
"""


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"), reason="the size of a process, of Linux"
)
def test_a_step_under_a_limit_of_the_system():
    environment = {**os.environ, "TINYGRAD_CNN_KERNELS": "vectorized", "OPENBLAS_NUM_THREADS": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT], env=environment, capture_output=True, text=True
    )
    assert ended.stdout.split("\n")[:2] == ["no memory", "goes on"], ended.stderr
