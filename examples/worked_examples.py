"""Worked examples of backpropagation as pages to step through: each number with its formula.

python examples/worked_examples.py --out pages
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
import visualize


def chain() -> visualize.ByHand:
    """Scalars; x is used twice, so its gradient is a sum."""
    x = torch.tensor(2.0, requires_grad=True)
    w = torch.tensor(-3.0, requires_grad=True)
    b = torch.tensor(10.0, requires_grad=True)
    p = x * w
    q = p + b
    loss = q * x
    names = {"x": x, "w": w, "b": b, "p": p, "q": q, "L": loss}
    return visualize.by_hand(
        loss, names=names, title="The chain rule, and a sum where x is used twice"
    )


def neuron() -> visualize.ByHand:
    """A neuron with ReLU and a squared error."""
    w = torch.tensor([2.0, -1.0], requires_grad=True)
    x, t = torch.tensor([1.0, 3.0]), torch.tensor(1.0)
    b = torch.tensor(4.0, requires_grad=True)
    z = (w * x).sum() + b
    y = F.relu(z)
    error = y - t
    loss = error**2
    names = {"w": w, "x": x, "b": b, "z": z, "y": y, "t": t, "e": error, "L": loss}
    return visualize.by_hand(loss, names=names, title="A neuron with ReLU and a squared error")


def convolution() -> visualize.ByHand:
    """A 5 × 5 input and a 3 × 3 filter, stride 2, no padding: z1 to z4, the prediction, the loss."""
    a = torch.tensor(
        [[[[1.0, 0, 2, 1, 0], [0, 1, 3, 0, 1], [2, 1, 0, 2, 1], [1, 0, 1, 3, 0], [0, 2, 1, 0, 1]]]],
        requires_grad=True,
    )
    w = torch.tensor([[[[1.0, 0, -1], [0, 2, 0], [-1, 0, 1]]]], requires_grad=True)
    v = torch.tensor([[[[1.0, -1], [2, 1]]]])
    t = torch.tensor(3.0)
    z = F.conv2d(a, w, stride=2)
    parts = z * v
    prediction = parts.sum()
    error = prediction - t
    loss = error**2
    names = {
        "a": a,
        "w": w,
        "z": z,
        "v": v,
        "u": parts,
        "ŷ": prediction,
        "t": t,
        "e": error,
        "L": loss,
    }
    title = "A convolution: 5 × 5 input, 3 × 3 filter, stride 2"
    return visualize.by_hand(loss, names=names, title=title)


def max_pooling() -> visualize.ByHand:
    """The window [[1, 3], [4, 2]]: the gradient goes to the maximum, as its mask says."""
    x = torch.tensor([[[[1.0, 3], [4, 2]]]], requires_grad=True)
    y = F.max_pool2d(x, 2)
    one = torch.ones_like(y)
    return visualize.by_hand(y, names={"x": x, "y": y}, gradient=one, title="Max pooling: the mask")


def average_pooling() -> visualize.ByHand:
    """Each of the four gets a quarter of dZ = 1."""
    x = torch.tensor([[[[1.0, 3], [4, 2]]]], requires_grad=True)
    z = F.avg_pool2d(x, 2)
    one = torch.ones_like(z)
    title = "Average pooling: the shares of a quarter"
    return visualize.by_hand(z, names={"x": x, "z": z}, gradient=one, title=title)


def windows() -> visualize.ByHand:
    """Windows that overlap and lie partly in the padding, and equal maxima: the first one wins."""
    x = torch.tensor([[[[5.0, 1, 5], [2, 5, 0], [1, 3, 3]]]], requires_grad=True)
    y = F.max_pool2d(x, 3, stride=2, padding=1)
    g = torch.tensor([[[[1.0, 2], [4, 8]]]])
    title = "Max pooling: overlap, padding and equal maxima"
    return visualize.by_hand(y, names={"x": x, "y": y}, gradient=g, title=title)


def padding() -> visualize.ByHand:
    """A dilated filter whose windows lie partly in the padding."""
    x = torch.tensor(
        [[[[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0], [1, 1, 0, 2]]]], requires_grad=True
    )
    w = torch.tensor([[[[1.0, -1], [2, 1]]]], requires_grad=True)
    y = F.conv2d(x, w, stride=2, padding=1, dilation=2)
    g = torch.tensor([[[[1.0, -1], [2, 1]]]])
    title = "A convolution with padding 1 and dilation 2"
    return visualize.by_hand(y, names={"x": x, "w": w, "y": y}, gradient=g, title=title)


def softmax() -> visualize.ByHand:
    """Softmax and the negative log-likelihood of class 2."""
    s = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    p = s.softmax(0)
    q = p[1]
    loss = -q.log()
    title = "Softmax, and the loss −ln of the right class"
    return visualize.by_hand(loss, names={"s": s, "p": p, "q": q, "L": loss}, title=title)


EXAMPLES = {
    "chain": chain,
    "neuron": neuron,
    "convolution": convolution,
    "max-pooling": max_pooling,
    "average-pooling": average_pooling,
    "windows": windows,
    "padding": padding,
    "softmax": softmax,
}


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Write the pages, and return their paths."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("pages"), help="folder to write to")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    return [make().save(options.out / f"hand-{name}.html") for name, make in EXAMPLES.items()]


if __name__ == "__main__":
    for file in main():
        print(file)
