"""LeNet-5, ResNet and U-Net, written as for PyTorch. `gallery.py` draws them."""

from __future__ import annotations

from collections.abc import Sequence

import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn


class LeNet(nn.Module):
    """LeNet-5: images (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)  # (N, 6, 14, 14)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 16, 5, 5)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Block(nn.Module):
    """The residual block of ResNet-18 and -34: (N, C, H, W) to (N, F, H / stride, W / stride)."""

    expansion = 1

    def __init__(self, c: int, f: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c, f, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(f)
        self.conv2 = nn.Conv2d(f, f, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(f)
        self.downsample = None
        if stride != 1 or c != f:
            self.downsample = nn.Sequential(
                nn.Conv2d(c, f, 1, stride=stride, bias=False), nn.BatchNorm2d(f)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y)


class Bottleneck(nn.Module):
    """The residual block of ResNet-50: (N, C, H, W) to (N, 4F, H / stride, W / stride)."""

    expansion = 4

    def __init__(self, c: int, f: int, stride: int = 1) -> None:
        super().__init__()
        wide = f * self.expansion
        self.conv1, self.bn1 = nn.Conv2d(c, f, 1, bias=False), nn.BatchNorm2d(f)
        self.conv2 = nn.Conv2d(f, f, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(f)
        self.conv3, self.bn3 = nn.Conv2d(f, wide, 1, bias=False), nn.BatchNorm2d(wide)
        self.downsample = None
        if stride != 1 or c != wide:
            self.downsample = nn.Sequential(
                nn.Conv2d(c, wide, 1, stride=stride, bias=False), nn.BatchNorm2d(wide)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y)


class ResNet(nn.Module):
    """ResNet (He et al. 2016): images (N, 3, H, W) to logits (N, classes).

    Blocks 2, 2, 2, 2 make it ResNet-18; 3, 4, 6, 3 make it ResNet-34, or with `Bottleneck`
    ResNet-50. Its parameters have the names that they have in torchvision.
    """

    def __init__(
        self,
        blocks: Sequence[int] = (2, 2, 2, 2),
        width: int = 64,
        classes: int = 10,
        block: type[Block] | type[Bottleneck] = Block,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        c = width
        for k, n in enumerate(blocks):
            f = width * 2**k
            strides = [2 if k else 1] + [1] * (n - 1)
            layer: list[nn.Module] = []
            for stride in strides:
                layer.append(block(c, f, stride))
                c = f * block.expansion
            setattr(self, f"layer{k + 1}", nn.Sequential(*layer))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(F.relu(self.bn1(self.conv1(images))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class DoubleConv(nn.Module):
    """Two 3×3 convolutions, each with batch norm and ReLU: (N, C, H, W) to (N, F, H, W)."""

    def __init__(self, c: int, f: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, f, 3, padding=1, bias=False), nn.BatchNorm2d(f)
        self.conv2, self.bn2 = nn.Conv2d(f, f, 3, padding=1, bias=False), nn.BatchNorm2d(f)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class Up(nn.Module):
    """Nearest-neighbour upsampling: (N, C, H, W) to (N, C, 2H, 2W)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        x = x.reshape(n, c, h, 1, w, 1).expand(n, c, h, 2, w, 2)
        return x.reshape(n, c, 2 * h, 2 * w)


class UNet(nn.Module):
    """A small U-Net: images (N, 1, H, W) to logits of a mask (N, 1, H, W). 4 divides H and W."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.down1, self.down2 = DoubleConv(1, width), DoubleConv(width, 2 * width)
        self.bottom = DoubleConv(2 * width, 4 * width)
        self.up2, self.join2 = Up(), DoubleConv(6 * width, 2 * width)
        self.up1, self.join1 = Up(), DoubleConv(3 * width, width)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        a = self.down1(images)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.bottom(F.max_pool2d(b, 2))
        b = self.join2(torch.cat([self.up2(c), b], dim=1))
        a = self.join1(torch.cat([self.up1(b), a], dim=1))
        return self.head(a)
