"""Temporal convolutions under weight norm: dilated, causal by what is cut off at the end."""

import torch.nn as nn
from torch.nn.utils import weight_norm


class Cut(nn.Module):
    def __init__(self, size):
        super(Cut, self).__init__()
        self.size = size

    def forward(self, x):
        return x[:, :, : -self.size].contiguous()


class TemporalBlock(nn.Module):
    def __init__(self, cin, cout, kernel, dilation, p=0.2):
        super(TemporalBlock, self).__init__()
        pad = (kernel - 1) * dilation
        layers = []
        for inputs in (cin, cout):
            conv = nn.Conv1d(inputs, cout, kernel, padding=pad, dilation=dilation)
            layers += [weight_norm(conv), Cut(pad), nn.ReLU(), nn.Dropout(p)]
        self.net = nn.Sequential(*layers)
        self.downsample = nn.Conv1d(cin, cout, 1) if cin != cout else None
        self.relu = nn.ReLU()
        self.init_weights()

    def init_weights(self):
        if self.downsample is not None:
            self.downsample.weight.data.normal_(0, 0.01)

    def forward(self, x):
        rest = x if self.downsample is None else self.downsample(x)
        return self.relu(self.net(x) + rest)


class TCN(nn.Module):
    def __init__(self, inputs=3, widths=(6, 6, 8), kernel=3, classes=4):
        super(TCN, self).__init__()
        blocks = []
        for i, width in enumerate(widths):
            blocks.append(TemporalBlock(inputs, width, kernel, dilation=2**i))
            inputs = width
        self.network = nn.Sequential(*blocks)
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        y = self.network(x)
        return self.linear(y[:, :, -1])
