"""Style transfer: a network that paints, and the loss by Gram matrices of features."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvLayer(nn.Module):
    def __init__(self, cin, cout, kernel, stride=1, upsample=None):
        super().__init__()
        self.upsample = upsample
        self.pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(cin, cout, kernel, stride)
        self.norm = nn.InstanceNorm2d(cout, affine=True)

    def forward(self, x):
        if self.upsample:
            x = F.interpolate(x, mode="nearest", scale_factor=self.upsample)
        return self.norm(self.conv2d(self.pad(x)))


class Painter(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = ConvLayer(3, 6, kernel=3, stride=2)
        self.same = nn.ModuleList([ConvLayer(6, 6, 3), ConvLayer(6, 6, 3)])
        self.up = ConvLayer(6, 4, kernel=3, upsample=2)
        self.out = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        x = torch.relu(self.down(x))
        first, second = self.same
        x = x + second(torch.relu(first(x)))
        x = torch.relu(self.up(x))
        return torch.clamp(self.out(x), -1, 1)


def gram_matrix(x):
    (b, c, h, w) = x.size()
    features = x.view(b, c, h * w)
    return torch.bmm(features, features.transpose(1, 2)) / (c * h * w)


def total_variation(x):
    rows = torch.abs(x[:, :, 1:, :] - x[:, :, :-1, :]).sum()
    columns = torch.abs(x[:, :, :, 1:] - x[:, :, :, :-1]).sum()
    return rows + columns


def loss_function(painted, image, style):
    content = F.mse_loss(painted, image)
    return (
        content + 10.0 * F.mse_loss(gram_matrix(painted), style) + 1e-3 * total_variation(painted)
    )
