"""Models that the tests of pictures share."""

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, padding=1)
        self.conv2 = nn.Conv2d(2, 3, 3, stride=2, bias=False)
        self.fc = nn.Linear(3 * 1 * 1, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return self.fc(F.relu(self.conv2(x)).flatten(1))


class Block(nn.Module):
    def __init__(self, c, f, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c, f, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(f)
        self.conv2 = nn.Conv2d(f, f, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(f)
        self.shortcut = None
        if stride != 1 or c != f:
            self.shortcut = nn.Sequential(nn.Conv2d(c, f, 1, stride=stride), nn.BatchNorm2d(f))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        y += x if self.shortcut is None else self.shortcut(x)
        return F.relu(y)


class ResNet(nn.Module):
    """ResNet-18 with channels from `width` up."""

    def __init__(self, width=4, blocks=(2, 2, 2, 2)):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        c = width
        for k, n in enumerate(blocks):
            f = width * 2**k
            steps = [Block(c if b == 0 else f, f, 2 if k and not b else 1) for b in range(n)]
            setattr(self, f"layer{k + 1}", nn.Sequential(*steps))
            c = f
        self.fc = nn.Linear(c, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
        self.bottom = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU())
        self.head = nn.Conv2d(6, 1, 1)

    def forward(self, x):
        a = self.down(x)
        b = self.bottom(F.max_pool2d(a, 2))
        n, c, h, w = b.shape
        b = b.reshape(n, c, h, 1, w, 1).expand(n, c, h, 2, w, 2).reshape(n, c, 2 * h, 2 * w)
        return self.head(tc.cat([b, a], dim=1))


class Recurrent(nn.Module):
    """One cell, called over and over."""

    def __init__(self, steps=3):
        super().__init__()
        self.cell = nn.Linear(3, 3)
        self.steps = steps

    def forward(self, x):
        for _ in range(self.steps):
            x = self.cell(x).tanh()
        return x


def mlp():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
