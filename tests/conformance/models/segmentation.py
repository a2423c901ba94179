"""A fully convolutional head on a dilated backbone, its scores grown to the image's size."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Pyramid(nn.Module):
    """Dilated convolutions side by side, and the whole image's mean."""

    def __init__(self, cin, cout, rates=(1, 2, 3)):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(cin, cout, 3, padding=rate, dilation=rate, bias=False) for rate in rates
        )
        self.image = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(cin, cout, 1), nn.ReLU())
        self.project = nn.Sequential(nn.Conv2d(4 * cout, cout, 1), nn.GroupNorm(2, cout), nn.ReLU())

    def forward(self, x):
        found = [F.relu(conv(x)) for conv in self.convs]
        mean = F.interpolate(self.image(x), size=x.shape[-2:], mode="bilinear", align_corners=False)
        return self.project(torch.cat(found + [mean], dim=1))


class FCN(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.LeakyReLU(0.1),
            nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.BatchNorm2d(12), nn.ELU(),
        )  # fmt: skip
        self.pyramid = Pyramid(12, 8)
        self.classifier = nn.Conv2d(8, classes, 1)
        self.skip = nn.Conv2d(3, classes, 1)

    def forward(self, x):
        size = x.shape[-2:]
        scores = self.classifier(self.pyramid(self.backbone(x)))
        scores = F.interpolate(scores, size=size, mode="bilinear", align_corners=False)
        small = F.interpolate(x, scale_factor=0.5, mode="nearest")
        coarse = F.interpolate(self.skip(small), size, mode="nearest")
        return {"out": scores + coarse, "coarse": coarse}


def criterion(outputs, target):
    losses = {}
    for name, x in outputs.items():
        losses[name] = F.cross_entropy(x, target, ignore_index=255)
    return losses["out"] + 0.5 * losses["coarse"]
