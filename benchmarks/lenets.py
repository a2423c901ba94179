"""The training step of LeNet-5 for libraries without PyTorch's API: JAX, autograd, MyGrad.

Network, numbers and update are those of `workloads.training_step` with `networks.lenet`. Each call
returns the loss before the step. Parameters are a list in layer order, each weight before its bias.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .workloads import Run, examples, initial

SHAPES: list[tuple[int, ...]] = [
    (6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (10, 84), (10,),
]  # fmt: skip
LEARNING_RATE, MOMENTUM = 1e-3, 0.9


def with_jax(shape: tuple[int, ...]) -> Run:
    """JAX: one jitted function for the whole step, compiled here, in JAX's layout N H W C."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    def conv(x: Any, w: Any, b: Any, pad: int) -> Any:
        layout = ("NHWC", "OIHW", "NHWC")
        return b + lax.conv_general_dilated(
            x, w, (1, 1), [(pad, pad)] * 2, dimension_numbers=layout
        )

    def pool(x: Any) -> Any:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def loss(p: Any, x: Any, labels: Any) -> Any:
        x = pool(jax.nn.relu(conv(x, p[0], p[1], 2)))
        x = pool(jax.nn.relu(conv(x, p[2], p[3], 0)))
        x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
        x = jax.nn.relu(x @ p[4].T + p[5])
        x = jax.nn.relu(x @ p[6].T + p[7])
        x = jax.nn.log_softmax(x @ p[8].T + p[9])
        return -jnp.take_along_axis(x, labels[:, None], 1).mean()

    def step(p: Any, v: Any, x: Any, labels: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(p, x, labels)
        v = [MOMENTUM * a + g for a, g in zip(v, grads, strict=True)]
        return [a - LEARNING_RATE * b for a, b in zip(p, v, strict=True)], v, value

    images, labels = examples(shape)
    p = [jnp.asarray(a) for a in initial(SHAPES)]
    v = [jnp.zeros_like(a) for a in p]
    x, y = jnp.asarray(images.transpose(0, 2, 3, 1)), jnp.asarray(labels.astype(np.int32))
    compiled = jax.jit(step, donate_argnums=(0, 1)).lower(p, v, x, y).compile()

    def run() -> Any:
        nonlocal p, v
        p, v, value = jax.block_until_ready(compiled(p, v, x, y))
        return value

    return run


def with_autograd(shape: tuple[int, ...]) -> Run:
    """HIPS/autograd, with its convolution, and pooling by reshaping as in its examples."""
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.signal import convolve

    def conv(x: Any, w: Any, b: Any) -> Any:  # convolve flips the filter
        flipped = anp.transpose(w, (1, 0, 2, 3))[:, :, ::-1, ::-1]
        y = convolve(x, flipped, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")
        return y + b[None, :, None, None]

    def pool(x: Any) -> Any:
        n, c, h, w = x.shape
        return anp.max(anp.max(x.reshape(n, c, h // 2, 2, w // 2, 2), 5), 3)

    def relu(x: Any) -> Any:
        return anp.maximum(x, 0)

    images, labels = examples(shape)
    images = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    rows = np.arange(len(labels))

    def loss(p: Any) -> Any:
        x = pool(relu(conv(images, p[0], p[1])))
        x = pool(relu(conv(x, p[2], p[3]))).reshape(len(images), -1)
        x = relu(anp.dot(x, p[4].T) + p[5])
        x = relu(anp.dot(x, p[6].T) + p[7])
        x = anp.dot(x, p[8].T) + p[9]
        x = x - anp.max(x, 1, keepdims=True)
        x = x - anp.log(anp.sum(anp.exp(x), 1, keepdims=True))
        return -anp.mean(x[rows, labels])

    p = initial(SHAPES)
    v = [np.zeros_like(a) for a in p]
    value_and_gradient = value_and_grad(loss)

    def run() -> Any:
        value, grads = value_and_gradient(p)
        _descend(p, v, grads)
        return value

    return run


def with_mygrad(shape: tuple[int, ...]) -> Run:
    """MyGrad, with its own layers."""
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.layers import conv_nd, max_pool
    from mygrad.nnet.losses import softmax_crossentropy

    images, labels = examples(shape)
    p = [mg.tensor(a) for a in initial(SHAPES)]
    v = [np.zeros_like(a.data) for a in p]

    def convolved(x: Any, k: int, pad: int) -> Any:
        y = conv_nd(x, p[k], stride=1, padding=pad) + p[k + 1].reshape(1, -1, 1, 1)
        return max_pool(relu(y), (2, 2), 2)

    def run() -> Any:
        x = convolved(convolved(images, 0, 2), 2, 0).reshape(len(images), -1)
        x = relu(mg.matmul(x, p[4].T) + p[5])
        x = relu(mg.matmul(x, p[6].T) + p[7])
        loss = softmax_crossentropy(mg.matmul(x, p[8].T) + p[9], labels)
        loss.backward()
        _descend([a.data for a in p], v, [a.grad for a in p])
        return loss.item()

    return run


def _descend(p: list[Any], v: list[Any], grads: list[Any]) -> None:
    """v = μ v + g, p −= lr · v, in place."""
    for a, b, g in zip(p, v, grads, strict=True):
        b *= MOMENTUM
        b += g
        a -= LEARNING_RATE * b
