"""Memory: bytes that a graph saves, arrays that are allocated, and the peak of a step.

As in test_calls.py, the figures are today's, and a test fails above them.
"""

import gc

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn
from tinygrad_cnn.utils.checkpoint import checkpoint

from .meters import allocations, kept, traced
from .networks import NETWORKS, resnet, training_step

N, C, H = 8, 16, 16  # images, channels, rows and columns of the input
CLASSES = 64  # of the losses: the logits have as many numbers as ...
SIZE = N * C * H * H  # ... the input; float32
UNIT = 4 * SIZE  # bytes
PIXELS, POOLED, VECTORS = N * H * H, SIZE // 4, SIZE // 512

# (the op of x; bytes saved for backward, without parameters and labels; arrays of the size of x
# allocated forward and backward with NumPy's kernels; and with the compiled ones if they differ).
# The derivatives determine the saved bytes. The result is one array, and the gradient of a leaf is
# one. More arrays are temporaries of NumPy, or masks of a byte per number (0.25). Winograd's
# transforms of filters have a size of 0.28.
OPS = {
    "add": (lambda x: x + x, 0, (1, 1)),
    "mul": (lambda x: x * x, UNIT, (1, 3)),  # x
    "exp": (lambda x: x.exp(), UNIT, (1, 1)),  # y
    "tanh": (lambda x: x.tanh(), UNIT, (1, 3)),  # y
    "flatten": (lambda x: x.flatten(1), 0, (0, 1)),
    "cat": (lambda x: tc.cat([x, x], 1), 0, (2, 1)),
    "relu": (F.relu, UNIT, (1, 1.5)),  # y
    "leaky_relu": (F.leaky_relu, SIZE, (2.25, 2)),  # a byte
    "relu6": (F.relu6, SIZE, (1.5, 1)),  # a byte
    "gelu": (F.gelu, UNIT, (8, 15)),  # x
    "dropout": (lambda x: F.dropout(x, 0.5), SIZE, (3.25, 2)),  # a byte; draws float64
    "conv2d": (lambda x: F.conv2d(x, W3, padding=1), UNIT, (1, 2.56), (1.28, 1.56)),
    "conv2d 1×1": (lambda x: F.conv2d(x, W1), UNIT, (1, 2), (1, 1)),
    "conv2d depthwise": (lambda x: F.conv2d(x, WD, padding=1, groups=C), UNIT, (1, 2), (1, 1)),
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), POOLED, (0.25, 1)),  # a byte per window
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2), 0, (0.75, 1.75)),
    "batch_norm": (
        lambda x: F.batch_norm(x, *NORM, training=True), UNIT + 12 * C, (3, 3), (1, 1),
    ),  # x, μ, σ² in the memory of μ, 1/σ
    "layer_norm": (
        lambda x: F.layer_norm(x.view(-1, 512), (512,)), UNIT + 12 * VECTORS, (3, 2), (1, 2),
    ),
    "linear": (lambda x: F.linear(x.view(-1, 512), WL), UNIT, (2, 9)),  # W̄ has 8 times the size
    "softmax": (lambda x: x.view(-1, 512).softmax(1), UNIT, (2, 3)),  # y
    "log_softmax": (lambda x: x.view(-1, 512).log_softmax(1), UNIT, (2, 3)),  # y
    "cross_entropy": (lambda x: F.cross_entropy(x.view(-1, 512), LABELS), UNIT, (1, 2)),  # x
    "mse_loss": (lambda x: F.mse_loss(x, ZEROS), UNIT, (2, 2)),  # the difference
}  # fmt: skip
# The arrays of a step that have at least a quarter of the size of the first convolution's output:
# their number, and the sum of their sizes in units of that size.
ALLOCATED = {
    "LeNet-5": {"vectorized": (11, 6.2), "compiled": (10, 5.9)},
    "ResNet": {"vectorized": (117, 82.3), "compiled": (60, 47.1)},
}
BATCH = {"LeNet-5": 128, "ResNet": 32}
# The peak of a step beyond the saved arrays and the gradients of parameters, in sizes of the first
# convolution's output: a cotangent, the next one, a mask, minus the memory freed before.
WORKSPACE = {
    "LeNet-5": {"vectorized": 1.5, "compiled": 1.25},
    "ResNet": {"vectorized": 1.25, "compiled": 1.0},
}


def drawn(*shape):
    values = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return tc.from_numpy(values).requires_grad_()


W3, W1, WD, WL = drawn(C, C, 3, 3), drawn(C, C, 1, 1), drawn(C, 1, 3, 3), drawn(512, 512)
NORM = tc.zeros(C), tc.ones(C), drawn(C), drawn(C)
LABELS, ZEROS = tc.from_numpy(np.arange(VECTORS)), tc.zeros(N, C, H, H)
LEAVES = W3, W1, WD, WL, *NORM, LABELS, ZEROS


@pytest.mark.parametrize("name", OPS)
def test_what_an_op_keeps_and_allocates(name, kernel_set):
    run, kept_bytes, *most = OPS[name]
    x = drawn(N, C, H, H)
    assert kept(run(x), besides=LEAVES) <= kept_bytes
    forward = sum(allocations(lambda: run(x), UNIT // 8))
    y = run(x)
    g = tc.ones(y.shape)
    results = [run(x), y]

    def backward():
        x.grad = None
        for leaf in LEAVES:
            leaf.grad = None
        results.pop().backward(g)

    del y
    found = np.round([forward / UNIT, sum(allocations(backward, UNIT // 8)) / UNIT], 2)
    assert all(np.less_equal(found, most[-1 if kernel_set == "compiled" else 0])), found


@pytest.mark.parametrize("op", [tc.exp, tc.sigmoid, lambda x: x * x])
def test_backward_frees_as_it_goes(op):
    """The backward pass of a long chain never holds three arrays more than the forward pass."""
    x = tc.zeros(1 << 16, requires_grad=True)
    one = 4 << 16
    op(x).sum().backward()  # compiled before
    x.grad = None
    with traced() as memory:
        y = x
        for _ in range(20):
            y = op(y)
        loss = y.sum()
        del y
        held = memory.now
        assert held < 20.1 * one
        memory.start()
        loss.backward()
        assert memory.peak < 3.1 * one
        assert held + memory.now < 1.1 * one  # the gradient


def test_cotangents_are_summed_in_place():
    """Where four paths meet: a product for each path, the first sum, and two in-place additions."""
    x, levels = tc.zeros(1 << 16, requires_grad=True), 10

    def run():
        x.grad = None
        y = x
        for _ in range(levels):
            y = y * 1.0 + y * 2.0 + y * 3.0 + y * 4.0
        y.sum().backward()

    forward = levels * (4 + 3)
    assert len(allocations(run, 4 << 16)) <= forward + levels * (4 + 1)


def sizes_of(name):
    """(a step, bytes saved by its graph, bytes of all gradients, bytes of the first output)."""
    network, shape = NETWORKS[name]
    model, shape = network(), (BATCH[name], *shape)
    x, labels = tc.randn(*shape), tc.zeros(shape[0], dtype=tc.int64)
    loss = F.cross_entropy(model(x), labels)
    held = kept(loss, besides=(*model.parameters(), *model.buffers(), x, labels))
    gradients = sum(4 * p.numel() for p in model.parameters())
    return training_step(model, shape), held, gradients, 4 * model[0](x).numel()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_most_that_a_step_holds(name, kernel_set):
    step, held, gradients, largest = sizes_of(name)
    step()
    step()
    with traced() as memory:
        step()
        workspace = memory.peak - held - gradients
        assert workspace <= WORKSPACE[name][kernel_set] * largest, workspace / largest
        growth = []
        for _ in range(3):  # what Python or a cache keeps once is no leak
            gc.collect()  # it empties Python's lists of free objects, which grow by 8 kB at each step
            after = memory.now
            step()
            gc.collect()
            growth.append(memory.now - after)
        assert min(growth) < 10_000  # bytes: nothing remains


@pytest.mark.parametrize("name", NETWORKS)
def test_the_arrays_that_a_step_allocates(name, kernel_set):
    step, _, _, largest = sizes_of(name)
    sizes = allocations(step, largest // 4)
    found = len(sizes), sum(sizes) / largest
    assert all(np.less_equal(found, ALLOCATED[name][kernel_set])), found


class Checkpointed(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return checkpoint(self.module, x)


def test_checkpoint_halves_the_most_that_a_step_holds(kernel_set):
    """A ResNet of 8 blocks: the arrays between blocks, and the inside of one block at a time."""
    peaks = []
    for around in (Checkpointed, lambda block: block):
        model = resnet(8, 4, around)
        step = training_step(model, (32, 3, 32, 32))
        step()
        model.zero_grad()
        with traced() as memory:
            step()
            peaks.append(memory.peak)
    assert peaks[0] <= 0.5 * peaks[1], peaks


def test_checkpoint_holds_one_part_at_a_time():
    """8 parts of 8 ops keep an array per part, the rest of one part, and temporaries."""
    x, one, halfway = tc.zeros(1 << 16, requires_grad=True), 4 << 16, []

    def part(x):
        for k in range(8):
            x = x * x
            if k == 3:
                x.register_hook(lambda g: halfway.append(memory.now / one))
        return x

    with traced() as memory:
        y = x
        for _ in range(8):
            y = checkpoint(part, y)
        loss = y.sum()
        del y
        assert memory.now < 7.2 * one  # the first argument, x, was there
        loss.backward()
        assert memory.peak < (7 + 7 + 2.2) * one  # and the cotangent of the part is freed
    # the arguments of the parts below, this one's, three that are saved, and the cotangent
    assert np.all(halfway <= np.arange(6, -2, -1) + 1 + 3 + 1.2), halfway
