"""Squeeze and excitation: a gate for each channel, in residual blocks."""

import torch.nn as nn
import torch.nn.functional as F


class Gate(nn.Module):
    def __init__(self, channels, reduction=4):
        super(Gate, self).__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.excite = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channels // reduction, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        n, c, _, _ = x.size()
        gate = self.excite(self.squeeze(x).view(n, c))
        return x * gate.view(n, c, 1, 1).expand_as(x)


class Block(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super(Block, self).__init__()
        self.net = nn.Sequential(
            nn.Conv2d(cin, cout, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(cout),
            nn.ReLU(),
            nn.Conv2d(cout, cout, 3, padding="same", bias=False),
            nn.BatchNorm2d(cout),
            Gate(cout),
        )
        self.shortcut = nn.Sequential()
        if (cin, stride) != (cout, 1):
            self.shortcut = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride=stride, bias=False), nn.BatchNorm2d(cout)
            )

    def forward(self, x):
        out = self.net(x)
        out += self.shortcut(x)
        return F.relu(out)


class SENet(nn.Module):
    def __init__(self, num_classes=10):
        super(SENet, self).__init__()
        self.stem = nn.Conv2d(3, 8, kernel_size=3, padding=1)
        self.blocks = nn.ModuleList([Block(8, 8), Block(8, 16, 2), Block(16, 16, 2)])
        self.linear = nn.Linear(16, num_classes)

    def forward(self, x):
        x = self.stem(x)
        for i, block in enumerate(self.blocks):
            x = block(x)
        x = F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)
        return self.linear(x)
