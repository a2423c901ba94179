"""Residual blocks that normalise and activate before they convolve; a wide one with dropout."""

import math

import torch.nn as nn
import torch.nn.functional as F


class PreAct(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, cout, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1, bias=False)
        if stride > 1 or cin != cout:
            self.project = nn.Conv2d(cin, cout, 1, stride=stride, bias=False)

    def forward(self, x):
        h = F.relu(self.bn1(x))
        skip = self.project(h) if hasattr(self, "project") else x
        h = self.conv2(F.relu(self.bn2(self.conv1(h)), inplace=True))
        h += skip
        return h


class PreActResNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.body = nn.Sequential()
        width = 8
        for k, (cout, stride) in enumerate([(8, 1), (12, 2), (12, 1), (16, 2)]):
            self.body.add_module("block%d" % k, PreAct(width, cout, stride))
            width = cout
        self.norm = nn.BatchNorm2d(width)
        self.linear = nn.Linear(width, num_classes)

    def forward(self, x):
        h = self.body(self.stem(x))
        h = F.avg_pool2d(F.relu(self.norm(h)), h.shape[-1])
        return self.linear(h.view(h.shape[0], -1))


class WideBlock(nn.Module):
    def __init__(self, cin, cout, stride, p):
        super(WideBlock, self).__init__()
        self.bn1 = nn.BatchNorm2d(cin, momentum=0.05)
        self.conv1 = nn.Conv2d(cin, cout, kernel_size=3, padding=1, stride=stride)
        self.drop = nn.Dropout(p=p)
        self.bn2 = nn.BatchNorm2d(cout, eps=1e-3)
        self.conv2 = nn.Conv2d(cout, cout, kernel_size=3, padding=1)
        self.shortcut = nn.Identity()
        if cin != cout or stride != 1:
            self.shortcut = nn.Conv2d(cin, cout, kernel_size=1, stride=stride)

    def forward(self, x):
        y = self.drop(self.conv1(F.relu(self.bn1(x))))
        y = self.conv2(F.relu(self.bn2(y)))
        return y + self.shortcut(x)


class WideResNet(nn.Module):
    def __init__(self, depth=10, factor=2, p=0.3, num_classes=10):
        super(WideResNet, self).__init__()
        assert (depth - 4) % 6 == 0, "depth should be 6n + 4"
        n = (depth - 4) // 6
        widths = [4] + [factor * w for w in (4, 6, 8)]
        self.conv1 = nn.Conv2d(3, widths[0], kernel_size=3, padding=1)
        self.groups = nn.ModuleList()
        for i in range(3):
            group = [WideBlock(widths[i], widths[i + 1], 1 if i == 0 else 2, p)]
            while len(group) < n:
                group.append(WideBlock(widths[i + 1], widths[i + 1], 1, p))
            self.groups.append(nn.Sequential(*group))
        self.bn = nn.BatchNorm2d(widths[-1])
        self.fc = nn.Linear(widths[-1], num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                fan = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data.normal_(0, math.sqrt(2.0 / fan))
            elif isinstance(m, nn.BatchNorm2d):
                m.weight.data.fill_(1)
                m.bias.data.zero_()

    def forward(self, x):
        x = self.conv1(x)
        for group in self.groups:
            x = group(x)
        x = F.relu_(self.bn(x))
        return self.fc(x.mean(dim=(2, 3)))
