"""Classify an image by a ResNet with weights of PyTorch's format, and draw what it looked at.

    python examples/pretrained.py --weights resnet18-f37072fd.pth --image cat.jpg --out cat-cam.png

The weights are those of torchvision's ResNet-18, -34, -50, -101 or -152, or of another network with
the same names, however many classes it has: depth and classes are read from the file. `--classes
FILE` has the name of each class on a line. The picture is a Grad-CAM (Selvaraju et al. 2017,
section 3): the places in the last feature maps that raise the score of the first class.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import runs
from matplotlib.figure import Figure
from networks import Block, Bottleneck, ResNet
from PIL import Image, UnidentifiedImageError

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)  # of ImageNet's images
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
SHORT_SIDE, SIDE = 256, 224
SHOWN = 5  # classes


def network(path: Path) -> ResNet:
    """The ResNet with the weights in a file. InputError for a file with others."""
    state = runs.read(path)
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]  # a checkpoint of a training run
    if not isinstance(state, Mapping) or not isinstance(state.get("fc.weight"), torch.Tensor):
        raise runs.InputError(f"{path}: holds no weights of a ResNet: there is no fc.weight")
    blocks = [blocks_of(state, f"layer{k}.") for k in range(1, 5)]
    kind = Bottleneck if "layer1.0.conv3.weight" in state else Block
    model = ResNet(blocks, classes=len(state["fc.weight"]), block=kind)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise runs.InputError(f"{path}: {' '.join(str(error).split())}") from None
    return model.eval()


def blocks_of(state: Mapping[str, Any], stage: str) -> int:
    """The number of residual blocks of a stage."""
    names = (str(name) for name in state)
    return len({name.split(".")[1] for name in names if name.startswith(stage)})


def read_image(path: Path) -> Image.Image:
    """The middle of an image, 224 by 224 pixels. InputError for a file that is no image."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise runs.InputError(f"{path}: cannot be read: {error}") from None
    scale = SHORT_SIDE / min(image.size)
    width, height = (max(round(n * scale), SHORT_SIDE) for n in image.size)
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    return image.crop((left, top, left + SIDE, top + SIDE))


def to_tensor(image: Image.Image) -> torch.Tensor:
    """The normalised image (1, 3, 224, 224)."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    return ((pixels - MEAN) / STD).unsqueeze(0)


def grad_cam(
    model: nn.Module, layer: nn.Module, image: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits (classes,) of an image (1, 3, H, W), and the heat (H, W) of the best class.

    The heat is in [0, 1]. With A_k the feature maps of `layer` and s the score, it is
    relu(Σ_k α_k A_k), enlarged and divided by its maximum, where α_k is the
    mean of ∂s/∂A_k over the map.
    """
    maps: list[torch.Tensor] = []
    handle = layer.register_forward_hook(lambda module, args, output: maps.append(output))
    try:
        logits = model(image)[0]
    finally:
        handle.remove()
    (gradient,) = torch.autograd.grad(logits.max(), maps[0])
    alpha = gradient.mean(dim=(2, 3), keepdim=True)  # (1, K, 1, 1)
    heat = F.relu((alpha * maps[0].detach()).sum(1, keepdim=True))
    heat = F.interpolate(heat, size=image.shape[2:], mode="bilinear")[0, 0]
    return logits.detach(), heat / heat.max().clamp(min=1e-12)


def draw(image: Image.Image, heat: torch.Tensor, title: str, path: Path) -> None:
    """Write the image, and the image under its heat."""
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    plain, warm = figure.subplots(1, 2)
    for axes in (plain, warm):
        axes.imshow(image)
        axes.set_axis_off()
    warm.imshow(heat.numpy(), cmap="jet", alpha=0.45, vmin=0, vmax=1)
    figure.suptitle(title)
    figure.savefig(path, dpi=100)


def names_of(path: Path | None, count: int) -> list[str]:
    """The names of the classes: lines of a file, or numbers."""
    if path is None:
        return [f"class {k}" for k in range(count)]
    try:
        names = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise runs.InputError(f"{path}: cannot be read: {error}") from None
    if len(names) != count:
        raise runs.InputError(f"{path}: has {len(names)} lines, the network has {count} classes")
    return names


def run(options: argparse.Namespace) -> list[tuple[str, float]]:
    """Classify and draw. Returns the best classes with their probabilities."""
    model, image = network(options.weights), read_image(options.image)
    names = names_of(options.classes, model.fc.out_features)
    logits, heat = grad_cam(model, model.layer4, to_tensor(image))
    values, places = F.softmax(logits, 0).topk(min(SHOWN, len(names)))
    best = [(names[k], p) for k, p in zip(places.tolist(), values.tolist(), strict=True)]
    for name, probability in best:
        print(f"{probability:7.2%}  {name}")
    draw(image, heat, f"{best[0][0]}: {best[0][1]:.1%}", options.out)
    print(f"Grad-CAM: {options.out}")
    return best


def main(argv: Sequence[str] | None = None) -> list[tuple[str, float]]:
    """Run. A bad file ends the program with one line on standard error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True, help="the .pth file")
    parser.add_argument("--image", type=Path, required=True, help="a picture of any size")
    parser.add_argument("--classes", type=Path, help="text file with a name for each class")
    parser.add_argument("--out", type=Path, default=Path("grad-cam.png"),
                        help="picture to write (default: %(default)s)")  # fmt: skip
    try:
        return run(parser.parse_args(argv))
    except runs.InputError as error:
        sys.exit(f"pretrained.py: {error}")


if __name__ == "__main__":
    main()
