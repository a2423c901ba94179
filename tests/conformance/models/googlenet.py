"""GoogLeNet: four branches side by side; two more classifiers while it is trained."""

from collections import namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

Outputs = namedtuple("Outputs", "logits aux1 aux2")


class ConvBN(nn.Module):
    def __init__(self, cin, cout, **kwargs):
        super(ConvBN, self).__init__()
        self.conv = nn.Conv2d(cin, cout, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(cout, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    def __init__(self, cin, one, three, five, pool):
        super(Inception, self).__init__()
        self.one = ConvBN(cin, one, kernel_size=1)
        self.three = nn.Sequential(
            ConvBN(cin, three[0], kernel_size=1), ConvBN(*three, kernel_size=3, padding=1)
        )
        self.five = nn.Sequential(  # as 5 x 1 and 1 x 5
            ConvBN(cin, five[0], kernel_size=1),
            ConvBN(five[0], five[0], kernel_size=(5, 1), padding=(2, 0)),
            ConvBN(*five, kernel_size=(1, 5), padding=(0, 2)),
        )
        self.pool = ConvBN(cin, pool, kernel_size=1)

    def forward(self, x):
        pooled = F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        branches = [self.one(x), self.three(x), self.five(x), self.pool(pooled)]
        return torch.cat(branches, 1)


class Auxiliary(nn.Module):
    def __init__(self, channels, classes):
        super(Auxiliary, self).__init__()
        self.conv = ConvBN(channels, 6, kernel_size=1)
        self.fc1 = nn.Linear(6 * 4, 16)
        self.fc2 = nn.Linear(16, classes)

    def forward(self, x):
        x = self.conv(F.adaptive_avg_pool2d(x, (2, 2)))
        x = F.relu(self.fc1(torch.flatten(x, 1)), inplace=True)
        x = F.dropout(x, 0.7, training=self.training)
        return self.fc2(x)


class GoogLeNet(nn.Module):
    def __init__(self, classes=10, aux=True):
        super(GoogLeNet, self).__init__()
        self.stem = nn.Sequential(
            ConvBN(3, 8, kernel_size=7, stride=2, padding=3),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            ConvBN(8, 12, kernel_size=3, padding=1),
        )
        self.a3 = Inception(12, 4, (4, 6), (2, 4), 4)
        self.b3 = Inception(18, 6, (4, 8), (3, 4), 2)
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.a4 = Inception(20, 4, (4, 6), (2, 4), 4)
        self.b4 = Inception(18, 6, (4, 8), (3, 4), 2)
        self.aux1 = Auxiliary(18, classes) if aux else None
        self.aux2 = Auxiliary(20, classes) if aux else None
        self.dropout = nn.Dropout(p=0.2)
        self.fc = nn.Linear(20, classes)

    def normalised(self, x):
        reds, greens, blues = x[:, 0], x[:, 1], x[:, 2]
        reds = torch.unsqueeze(reds, 1) * (0.229 / 0.5) + (0.485 - 0.5) / 0.5
        greens = greens.unsqueeze(1) * (0.224 / 0.5) + (0.456 - 0.5) / 0.5
        blues = blues[:, None] * (0.225 / 0.5) + (0.406 - 0.5) / 0.5
        return torch.cat((reds, greens, blues), dim=1)

    def forward(self, x):
        aux1 = aux2 = None
        x = self.b3(self.a3(self.stem(self.normalised(x))))
        x = self.a4(self.maxpool(x))
        if self.training and self.aux1 is not None:
            aux1 = self.aux1(x)
        x = self.b4(x)
        if self.training and self.aux2 is not None:
            aux2 = self.aux2(x)
        x = F.adaptive_avg_pool2d(x, 1)
        x = self.fc(self.dropout(torch.flatten(x, 1)))
        if self.training and self.aux1 is not None:
            return Outputs(x, aux1, aux2)
        return x
