"""Counts of calls of Python functions and kernels, and of multiplications.

The figures are today's, and a test fails above them. If a figure grows for a good reason, raise it
in the table. Otherwise remove the call: every user pays for it.
"""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn, optim

from .meters import kernel_calls, python_calls
from .networks import NETWORKS, training_step

# Python calls for one more op on two Tensors: its forward, its vjps and the work of the engine ...
OP = {"mul": 6, "add": 6, "relu": 11}
# ... for one more call of a module, forward, without the function that it calls ...
MODULE = {"Identity": 2, "ReLU": 2, "a Sequential's": 2}
# ... and for one more parameter in a step of an optimizer.
PARAMETER = {"zero_grad": 2, "SGD": 7, "SGD with momentum": 7, "Adam": 10, "AdamW": 11}
# Python calls of the forward pass of a layer, and of both passes of the layer and a sum. Compiled
# convolutions depend on the width of vectors: the figure is the largest for 16, 32 and 64 bytes.
LAYER = {
    "Linear": {"vectorized": (13, 90), "compiled": (14, 93)},
    "Conv2d": {"vectorized": (45, 174), "compiled": (71, 201)},
    "BatchNorm2d": {"vectorized": (52, 131), "compiled": (57, 141)},
    "MaxPool2d": {"vectorized": (29, 107), "compiled": (35, 116)},
    "Dropout": {"vectorized": (12, 65), "compiled": (12, 65)},
    "CrossEntropyLoss": {"vectorized": (24, 53), "compiled": (28, 63)},
}
# Python calls of a training step of two images.
STEP = {
    "LeNet-5": {"vectorized": 647, "compiled": 771},
    "ResNet": {"vectorized": 2937, "compiled": 4171},
}
# Calls of kernels in a step, the same for both sets. The first convolution computes no gradient of
# the images, and a 1×1 image is pooled like any other.
KERNELS = {
    "LeNet-5": {
        "conv2d": 2, "conv2d_weight": 2, "conv2d_input": 1, "max_pool2d": 2, "max_pool2d_scatter": 2,
        "matmul": 3 * 3,
    },
    "ResNet": {
        "conv2d": 10, "conv2d_weight": 10, "conv2d_input": 9, "avg_pool2d": 1, "avg_pool2d_input": 1,
        "matmul": 3,
    },
}  # fmt: skip


def one_more(run):
    """Python calls of `run(n)` per unit of n, without the constant part."""
    few, many = python_calls(lambda: run(4)), python_calls(lambda: run(8))
    return (many - few) / 4


X = tc.linspace(0, 1, 512).reshape(2, 4, 8, 8).requires_grad_()  # varied, as images are
W = tc.ones(2, 4, 8, 8, requires_grad=True)


@pytest.mark.parametrize("name", OP)
def test_an_op_and_its_vjps(name):
    def run(n):
        y = X
        for _ in range(n):
            y = y.relu() if name == "relu" else y * W if name == "mul" else y + W
        y.sum().backward()

    assert one_more(run) <= OP[name]


def test_calling_a_module():
    def calls_of(module, function):
        def run(n):
            for _ in range(n):
                module(X)

        return one_more(run) - (python_calls(lambda: function(X)) if function else 0)

    assert calls_of(nn.Identity(), None) <= MODULE["Identity"]
    assert calls_of(nn.ReLU(), nn.functional.relu) <= MODULE["ReLU"]
    sequence = lambda n: nn.Sequential(*[nn.Identity() for _ in range(n)])(X)  # noqa: E731
    made = lambda n: nn.Sequential(*[nn.Identity() for _ in range(n)])  # noqa: E731
    assert one_more(sequence) - one_more(made) <= MODULE["a Sequential's"]


@pytest.mark.parametrize("name", PARAMETER)
def test_a_parameter_in_a_step(name):
    optimizers = {
        "SGD with momentum": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9),
        "Adam": optim.Adam,
        "AdamW": optim.AdamW,
    }

    def calls(n):
        parameters = [nn.Parameter(tc.ones(3)) for _ in range(n)]
        optimizer = optimizers.get(name, lambda ps: optim.SGD(ps, lr=0.1))(parameters)
        for p in parameters:
            p.grad = tc.ones(3)
        return python_calls(getattr(optimizer, "zero_grad" if name == "zero_grad" else "step"))

    assert (calls(8) - calls(4)) / 4 <= PARAMETER[name]


@pytest.mark.parametrize("name", LAYER)
def test_a_layer(name, kernel_set):
    layers = {
        "Linear": (nn.Linear(8, 8), X),
        "Conv2d": (nn.Conv2d(4, 4, 3, padding=1), X),
        "BatchNorm2d": (nn.BatchNorm2d(4), X),
        "MaxPool2d": (nn.MaxPool2d(2), X),
        "Dropout": (nn.Dropout(), X),
        "CrossEntropyLoss": (nn.CrossEntropyLoss(), tc.ones(2, 4, requires_grad=True)),
    }
    layer, x = layers[name]
    more = (tc.tensor([1, 2]),) if name == "CrossEntropyLoss" else ()

    def both():
        y = layer(x, *more)
        (y.sum() if y.ndim else y).backward()

    forward = python_calls(lambda: layer(x, *more))
    found = forward, python_calls(both)
    assert all(np.less_equal(found, LAYER[name][kernel_set])), found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step(name, kernel_set):
    network, shape = NETWORKS[name]
    model = network()
    step = training_step(model, (2, *shape))
    assert python_calls(step) <= STEP[name][kernel_set]
    with kernel_calls() as counts:
        step()
    assert {kernel: counts.get(kernel) for kernel in KERNELS[name]} == KERNELS[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_multiplies_three_times_as_much_as_a_forward_pass(name, kernel_set):
    """One for each of y, x̄ and w̄, minus the gradient of the images."""
    network, shape = NETWORKS[name]
    model = network()
    found = nn.summary(model, (2, *shape))
    first = next(row.multiply_adds for row in found.rows if row.type == "Conv2d")
    step = training_step(model, (2, *shape))
    with kernel_calls() as counts:
        step()
    assert counts["multiply-adds"] == 3 * found.multiply_adds - first
