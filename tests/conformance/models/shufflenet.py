"""ShuffleNet V2: half of the channels pass by, then the halves are mixed."""

import torch
import torch.nn as nn


def shuffle(x, groups=2):
    n, c, h, w = x.size()
    x = x.view(n, groups, c // groups, h, w).transpose(1, 2).contiguous()
    return x.view(n, -1, h, w)


def pointwise(cin, cout):
    return [nn.Conv2d(cin, cout, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True)]


class Unit(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        half = cout // 2
        self.stride = stride
        self.left = nn.Sequential()
        if stride > 1:
            self.left = nn.Sequential(
                nn.Conv2d(cin, cin, 3, stride, 1, groups=cin, bias=False),
                nn.BatchNorm2d(cin),
                *pointwise(cin, half),
            )
        self.right = nn.Sequential(
            *pointwise(cin if stride > 1 else half, half),
            nn.Conv2d(half, half, 3, stride, 1, groups=half, bias=False),
            nn.BatchNorm2d(half),
            *pointwise(half, half),
        )

    def forward(self, x):
        if self.stride == 1:
            passing, rest = x.chunk(2, dim=1)
        else:
            passing = rest = x
        out = torch.cat((self.left(passing), self.right(rest)), dim=1)
        return shuffle(out)


class ShuffleNet(nn.Module):
    def __init__(self, widths=(8, 12, 16), repeats=(2, 2), num_classes=10):
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for i, repeat in enumerate(repeats):
            units = [Unit(widths[i], widths[i + 1], 2)]
            units += [Unit(widths[i + 1], widths[i + 1], 1) for _ in range(repeat - 1)]
            setattr(self, "stage{}".format(i + 2), nn.Sequential(*units))
        self.fc = nn.Linear(widths[-1], num_classes)

    def forward(self, x):
        x = self.maxpool(self.conv1(x))
        for name in ("stage2", "stage3"):
            x = getattr(self, name)(x)
        return self.fc(x.mean([2, 3]))
