"""Signals in time: a plain stack of Conv1d, and dilated causal convolutions with gates."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class SignalNet(nn.Module):
    def __init__(self, channels=2, classes=4):
        super(SignalNet, self).__init__()
        self.layer1 = self.layer(channels, 6, 7)
        self.layer2 = self.layer(6, 8, 5)
        self.layer3 = self.layer(8, 8, 3)
        self.dropout = nn.Dropout(0.25)
        self.classifier = nn.Linear(8 * 5, classes)

    @staticmethod
    def layer(cin, cout, kernel):
        return nn.Sequential(
            nn.Conv1d(cin, cout, kernel_size=kernel, padding=kernel // 2),
            nn.BatchNorm1d(cout),
            nn.ReLU(),
            nn.MaxPool1d(kernel_size=2),
        )

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.adaptive_avg_pool1d(x, 5)
        return self.classifier(self.dropout(x.flatten(start_dim=1)))


class WaveBlock(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.pad = dilation
        self.filter = nn.Conv1d(channels, channels, 2, dilation=dilation)
        self.gate = nn.Conv1d(channels, channels, 2, dilation=dilation)
        self.out = nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        past = F.pad(x, (self.pad, 0))
        h = torch.tanh(self.filter(past)) * torch.sigmoid(self.gate(past))
        return x + self.out(h), h


class WaveNet(nn.Module):
    """The next sample out of those before it."""

    def __init__(self, channels=6, dilations=(1, 2, 4)):
        super().__init__()
        self.first = nn.Conv1d(1, channels, 1)
        self.blocks = nn.ModuleList([WaveBlock(channels, d) for d in dilations])
        self.last = nn.Sequential(nn.ReLU(), nn.Conv1d(channels, 1, 1))

    def forward(self, x):
        x, total = self.first(x), 0
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        return self.last(total)
