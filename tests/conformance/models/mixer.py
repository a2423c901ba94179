"""MLP-Mixer: linear layers over the patches, then over the channels."""

import torch.nn as nn


class FeedForward(nn.Sequential):
    def __init__(self, dim, hidden):
        super().__init__(
            nn.Linear(dim, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, dim)
        )


class MixerLayer(nn.Module):
    def __init__(self, patches, dim):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.tokens = FeedForward(patches, 2 * patches)
        self.channels = FeedForward(dim, 2 * dim)

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class Mixer(nn.Module):
    def __init__(self, dim=10, depth=2, num_classes=10):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, 4, stride=4)
        self.layers = nn.Sequential(*(MixerLayer(16, dim) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, num_classes)

    def forward(self, x):
        x = self.embed(x).flatten(2).mT
        x = self.norm(self.layers(x))
        return self.head(x.mean(1))
