"""One training step of a small CNN by hand: each gradient beside its formula.

    python examples/backprop_by_hand.py

A 6×6 image passes through a convolution, ReLU, max pooling, a fully connected layer and softmax.
The gradients are computed from the last layer to the first, in plain loops as on paper, and
compared with those of `loss.backward()`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F

STRIDE, PADDING = 1, 1  # of the convolution; the pooling has 2×2 windows without overlap
CLASSES = 3
TOLERANCE = 1e-12  # of float64 gradients near 1: some thousand times their rounding error

Place = tuple[int, int]
Window = tuple[slice, slice]


def windows(height: int, width: int, size: int, stride: int) -> Iterator[tuple[Place, Window]]:
    """Each output position (p, q), with the window of the input that it depends on."""
    for p in range((height - size) // stride + 1):
        for q in range((width - size) // stride + 1):
            top, left = p * stride, q * stride
            yield (p, q), (slice(top, top + size), slice(left, left + size))


def padded(x: np.ndarray) -> np.ndarray:
    """The image (H, W) with zeros around it: (H + 2, W + 2)."""
    return np.pad(x, PADDING)


def forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, v: np.ndarray, c: np.ndarray
) -> dict[str, np.ndarray]:
    """All intermediate values from the image to the class probabilities, by name.

    x (6, 6), w (3, 3), b (), v (3, 9), c (3,).
    """
    size = len(w)
    xp = padded(x)
    rows = (xp.shape[0] - size) // STRIDE + 1
    columns = (xp.shape[1] - size) // STRIDE + 1
    z = np.zeros((rows, columns))
    for at, part in windows(*xp.shape, size, STRIDE):
        z[at] = (w * xp[part]).sum() + b
    a = np.maximum(z, 0)
    m = np.zeros((rows // 2, columns // 2))
    for at, part in windows(*a.shape, 2, 2):
        m[at] = a[part].max()
    logits = v @ m.ravel() + c
    e = np.exp(logits - logits.max())
    return {"z": z, "a": a, "m": m, "logits": logits, "p": e / e.sum()}


def backward(
    values: dict[str, np.ndarray], x: np.ndarray, w: np.ndarray, v: np.ndarray, target: int
) -> list[tuple[str, str, np.ndarray]]:
    """The gradients of −ln p[target], last layer first: (name, formula, gradient)."""
    z, a, m, p = (values[name] for name in ("z", "a", "m", "p"))
    steps: list[tuple[str, str, np.ndarray]] = []

    # Softmax and cross-entropy together: ∂L/∂s[k] = p[k] − [k = target].
    ds = p - (np.arange(CLASSES) == target)
    steps.append(("logits", "∂L/∂s = p − onehot(t)", ds))

    # Fully connected, s = V m + c.
    steps.append(("V", "∂L/∂V = ∂L/∂s · mᵀ", np.outer(ds, m.ravel())))
    steps.append(("c", "∂L/∂c = ∂L/∂s", ds))
    dm = (v.T @ ds).reshape(m.shape)
    steps.append(("m", "∂L/∂m = Vᵀ · ∂L/∂s", dm))

    # Max pooling: the first maximum of a window gets its whole gradient.
    da = np.zeros_like(a)
    for at, part in windows(*a.shape, 2, 2):
        i, j = np.unravel_index(a[part].argmax(), (2, 2))
        da[part][i, j] += dm[at]
    steps.append(("a", "∂L/∂a = ∂L/∂m where a is the maximum of its window, else 0", da))

    # ReLU.
    dz = da * (z > 0)
    steps.append(("z", "∂L/∂z = ∂L/∂a where z > 0, else 0", dz))

    # Convolution: each z[p, q] contributes to the filter and to the cells of its window.
    xp = padded(x)
    dw, dxp = np.zeros_like(w), np.zeros_like(xp)
    for at, part in windows(*xp.shape, len(w), STRIDE):
        dw += xp[part] * dz[at]
        dxp[part] += w * dz[at]
    dx = dxp[PADDING : dxp.shape[0] - PADDING, PADDING : dxp.shape[1] - PADDING]
    steps.append(("w", "∂L/∂w = Σ_pq x[window pq] · ∂L/∂z[p, q]", dw))
    steps.append(("b", "∂L/∂b = Σ_pq ∂L/∂z[p, q]", dz.sum()))
    steps.append(("x", "∂L/∂x[window pq] += w · ∂L/∂z[p, q]", dx))
    return steps


def by_autograd(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, v: np.ndarray, c: np.ndarray, target: int
) -> tuple[float, dict[str, np.ndarray]]:
    """The loss, and the same gradients by name, from `loss.backward()`."""
    leaves = {"x": x[None, None], "w": w[None, None], "b": b.reshape(1), "V": v, "c": c}
    t = {name: torch.tensor(value, requires_grad=True) for name, value in leaves.items()}
    t["z"] = F.conv2d(t["x"], t["w"], t["b"], stride=STRIDE, padding=PADDING)
    t["a"] = F.relu(t["z"])
    t["m"] = F.max_pool2d(t["a"], 2)
    t["logits"] = F.linear(t["m"].flatten(1), t["V"], t["c"])
    for name in ("z", "a", "m", "logits"):
        t[name].retain_grad()
    loss = F.cross_entropy(t["logits"], torch.tensor([target]))
    loss.backward()
    return loss.item(), {name: tensor.grad.numpy() for name, tensor in t.items()}


def main() -> float:
    """Print both computations. Returns the largest difference between them."""
    random = np.random.default_rng(0)
    x = random.normal(size=(6, 6))
    w, b = random.normal(size=(3, 3)), random.normal(size=())
    v, c = random.normal(size=(CLASSES, 9)), random.normal(size=CLASSES)
    target, rate = 1, 0.05

    values = forward(x, w, b, v, c)
    loss = -np.log(values["p"][target])
    steps = backward(values, x, w, v, target)
    autograd_loss, gradients = by_autograd(x, w, b, v, c, target)

    print("x (6, 6) → conv 3×3, padding 1 → z (6, 6) → relu → a → max pool 2×2 → m (3, 3)")
    print("  → s = V m + c (3,) → p = softmax s (3,) → L = −ln p[t]\n")
    with np.printoptions(precision=4, suppress=True):
        print(f"p = {values['p']}, t = {target}, L = {loss:.6f}\n")
        worst = abs(loss - autograd_loss)
        for name, formula, gradient in steps:
            difference = np.abs(gradient - gradients[name].reshape(np.shape(gradient))).max()
            worst = max(worst, difference)
            print(f"{formula}    (difference from loss.backward(): {difference:.1e})")
            print(f"{gradient}\n")

    found = {name: gradient for name, _, gradient in steps}
    moved = {"w": w, "b": b, "v": v, "c": c}
    for name, key in (("w", "w"), ("b", "b"), ("v", "V"), ("c", "c")):
        moved[name] = moved[name] - rate * found[key]
    after = -np.log(forward(x, **moved)["p"][target])
    print(f"new = old − {rate} · ∂L/∂old for w, b, V, c: L falls from {loss:.6f} to {after:.6f}")
    if not worst < TOLERANCE:
        sys.exit(f"the gradients by hand and by autograd differ by {worst:.1e}")
    return float(worst)


if __name__ == "__main__":
    main()
