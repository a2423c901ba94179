"""EfficientNet: swish, channel gates, and samples whose block is left out at random."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def swish(x):
    return x * torch.sigmoid(x)


def drop_connect(x, rate):
    """In place: 0 for a sample with probability `rate`, else divided by what is kept."""
    keep = 1.0 - rate
    shape = (x.shape[0],) + (1,) * (x.dim() - 1)
    mask = torch.floor(keep + torch.rand(shape, dtype=x.dtype, device=x.device))
    x.div_(keep)
    x.mul_(mask)
    return x


class MBConv(nn.Module):
    def __init__(self, cin, cout, kernel, stride, expand, rate):
        super(MBConv, self).__init__()
        mid = cin * expand
        self.expand = None
        if expand > 1:
            self.expand = nn.Conv2d(cin, mid, 1, bias=False)
            self.bn0 = nn.BatchNorm2d(mid, momentum=0.01, eps=1e-3)
        pad = (kernel - 1) // 2
        self.depthwise = nn.Conv2d(mid, mid, kernel, stride, pad, groups=mid, bias=False)
        self.bn1 = nn.BatchNorm2d(mid, momentum=0.01, eps=1e-3)
        self.reduce = nn.Conv2d(mid, max(1, cin // 4), 1)
        self.restore = nn.Conv2d(max(1, cin // 4), mid, 1)
        self.project = nn.Conv2d(mid, cout, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout, momentum=0.01, eps=1e-3)
        self.rate = rate
        self.skip = stride == 1 and cin == cout

    def forward(self, inputs):
        x = inputs
        if self.expand is not None:
            x = swish(self.bn0(self.expand(x)))
        x = swish(self.bn1(self.depthwise(x)))
        gate = self.restore(swish(self.reduce(F.adaptive_avg_pool2d(x, (1, 1)))))
        x = torch.sigmoid(gate) * x
        x = self.bn2(self.project(x))
        if self.skip:
            if self.training and self.rate:
                x = drop_connect(x, self.rate)
            x = x + inputs
        return x


class EfficientNet(nn.Module):
    # out, kernel, stride, expand, repeats
    plan = ((8, 3, 1, 1, 1), (8, 3, 2, 3, 2), (12, 5, 2, 2, 2))

    def __init__(self, num_classes=10, drop=0.2, connect=0.6):
        super(EfficientNet, self).__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.SiLU()
        )
        total = sum(row[-1] for row in self.plan)
        blocks, width = [], 8
        for out, kernel, stride, expand, repeats in self.plan:
            for r in range(repeats):
                rate = connect * len(blocks) / total
                blocks.append(MBConv(width, out, kernel, 1 if r else stride, expand, rate))
                width = out
        self.blocks = nn.ModuleList(blocks)
        self.drop = drop
        self.head = nn.Linear(width, num_classes)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = F.adaptive_avg_pool2d(x, 1)
        x = x.view(x.size(0), -1)
        if self.training and self.drop > 0:
            x = F.dropout(x, p=self.drop)
        return self.head(x)
