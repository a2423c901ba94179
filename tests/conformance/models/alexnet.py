"""AlexNet, thin: large strides, two groups, normalisation over neighbouring channels, dropout."""

import torch
import torch.nn as nn


class AlexNet(nn.Module):
    def __init__(self, classes: int = 10, drop: float = 0.5) -> None:
        super().__init__()
        lrn = dict(size=5, alpha=1e-2, beta=0.75, k=2.0)
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(**lrn),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(8, 12, 5, padding=2, groups=2),
            nn.ReLU(inplace=True),
            nn.LocalResponseNorm(**lrn),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(12, 16, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 12, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((2, 3))
        self.classifier = nn.Sequential(
            nn.Dropout(drop),
            nn.Linear(12 * 2 * 3, 32),
            nn.ReLU(inplace=True),
            nn.Dropout(drop),
            nn.Linear(32, classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.avgpool(self.features(images))
        return self.classifier(torch.flatten(maps, start_dim=1))
