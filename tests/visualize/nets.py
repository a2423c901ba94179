"""Small models that the tests of pictures share; `networks` is in examples/."""

import networks

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn


class LeNet(nn.Module):
    """Images (N, 1, 8, 8) to logits (N, 4), with a stride and a convolution without bias."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, padding=1)
        self.conv2 = nn.Conv2d(2, 3, 3, stride=2, bias=False)
        self.fc = nn.Linear(3 * 1 * 1, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        return self.fc(F.relu(self.conv2(x)).flatten(1))


class ResNet(networks.ResNet):
    """For images (N, 3, 8, 8): a 3×3 stem, and no module without parameters."""

    def __init__(self, width=4, blocks=(2, 2, 2, 2)):
        super().__init__(blocks, width)
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        del self.maxpool, self.avgpool

    def forward(self, images):
        x = F.relu(self.bn1(self.conv1(images)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class UNet(networks.UNet):
    """For images (2, 1, 4, 4), where batch norm has two values for each channel at the bottom."""

    def __init__(self):
        super().__init__(width=1)


class Recurrent(nn.Module):
    """One cell, called again and again."""

    def __init__(self, steps=3):
        super().__init__()
        self.cell = nn.Linear(3, 3)
        self.steps = steps

    def forward(self, x):
        for _ in range(self.steps):
            x = self.cell(x).tanh()
        return x


def mlp():
    """Vectors (N, 4) to logits (N, 3)."""
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


# For the tests that draw each of them: the model, and the shape of its input.
EXAMPLES = {
    "lenet": (LeNet, (2, 1, 8, 8)),
    "resnet": (ResNet, (2, 3, 8, 8)),
    "unet": (UNet, (2, 1, 4, 4)),
    "recurrent": (Recurrent, (1, 3)),
    "mlp": (mlp, (2, 4)),
}


def loss_of(name, y):
    """A loss of the output of an example: LeNet has labels."""
    return F.cross_entropy(y, tc.zeros(2, dtype=tc.int64)) if name == "lenet" else y.sum()
