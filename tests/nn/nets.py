"""A small module with every kind of part."""

import tinygrad_cnn as tc
from tinygrad_cnn import nn


class Net(nn.Module):
    """Two linear layers, a buffer of each kind, and a layer that is registered twice."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tc.ones(1))
        self.first = nn.Linear(3, 4)
        self.again = self.first
        self.register_buffer("offset", tc.zeros(4))
        self.register_buffer("scratch", tc.zeros(2), persistent=False)
        self.act = nn.ReLU()
        self.second = nn.Linear(4, 2, bias=False)

    def forward(self, x):
        return self.second(self.act(self.first(x) * self.scale + self.offset))


def names(pairs):
    return [name for name, _ in pairs]
