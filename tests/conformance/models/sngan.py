"""A discriminator under spectral norm that also knows the class; hinge losses."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import spectral_norm


class ConditionalNorm(nn.Module):
    """Batch norm whose scale and shift are looked up by class."""

    def __init__(self, channels, classes):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, affine=False)
        self.embed = nn.Embedding(classes, channels * 2)
        self.embed.weight.data[:, :channels].normal_(1, 0.02)
        self.embed.weight.data[:, channels:].zero_()

    def forward(self, x, y):
        gamma, beta = self.embed(y).chunk(2, 1)
        return gamma.view(-1, x.size(1), 1, 1) * self.bn(x) + beta.view(-1, x.size(1), 1, 1)


class Generator(nn.Module):
    def __init__(self, latent=5, classes=3):
        super().__init__()
        self.linear = nn.Linear(latent, 6 * 4 * 4)
        self.norm = ConditionalNorm(6, classes)
        self.conv = nn.Conv2d(6, 2, 3, padding=1)

    def forward(self, z, y):
        x = self.linear(z).view(-1, 6, 4, 4)
        x = F.interpolate(F.relu(self.norm(x, y)), scale_factor=2)
        return torch.tanh(self.conv(x))


class Discriminator(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv1 = spectral_norm(nn.Conv2d(2, 6, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(6, 6, 4, stride=2, padding=1))
        self.linear = spectral_norm(nn.Linear(6, 1))
        self.embed = spectral_norm(nn.Embedding(classes, 6))

    def forward(self, x, y):
        h = F.leaky_relu(self.conv1(x), 0.1)
        h = F.avg_pool2d(F.leaky_relu(self.conv2(h), 0.1), 2)
        h = torch.sum(h, dim=(2, 3))
        return self.linear(h) + torch.sum(self.embed(y) * h, dim=1, keepdim=True)


def hinge(real, fake):
    return F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()
