"""SqueezeNet: squeeze to few channels, expand by 1×1 and 3×3; no linear layer at all."""

import torch
import torch.nn as nn
import torch.nn.init as init


class Fire(nn.Module):
    def __init__(self, channels, squeezed, expanded):
        super(Fire, self).__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, kernel_size=1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.activation(self.squeeze(x))
        left = self.activation(self.expand1x1(x))
        right = self.activation(self.expand3x3(x))
        return torch.cat([left, right], 1)


class SqueezeNet(nn.Module):
    def __init__(self, num_classes=10):
        super(SqueezeNet, self).__init__()
        pool = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(inplace=True), pool,
            Fire(8, 2, 6), Fire(12, 2, 6), pool, Fire(12, 4, 8),
        )  # fmt: skip
        last = nn.Conv2d(16, num_classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(0.5), last, nn.AdaptiveAvgPool2d((1, 1)))
        for module in self.modules():
            if not isinstance(module, nn.Conv2d):
                continue
            if module is last:
                init.normal_(module.weight, mean=0.0, std=0.01)
            else:
                init.kaiming_uniform_(module.weight)
            init.constant_(module.bias, 0)

    def forward(self, x):
        return self.classifier(self.features(x)).squeeze()
