"""ConvNeXt: 7×7 depthwise, LayerNorm over the channels, GELU, a learnt scale for each channel."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class ChannelNorm(nn.Module):
    """LayerNorm over axis 1 of (N, C, H, W), by hand."""

    def __init__(self, channels, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x):
        centred = x - x.mean(1, keepdim=True)
        variance = centred.pow(2).mean(1, keepdim=True)
        x = centred / torch.sqrt(variance + self.eps)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim, scale=0.1):
        super().__init__()
        self.spatial = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm_weight = nn.Parameter(torch.ones(dim))
        self.norm_bias = nn.Parameter(torch.zeros(dim))
        self.up = nn.Linear(dim, 4 * dim)
        self.down = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(scale * torch.ones(dim)) if scale > 0 else None

    def forward(self, x):
        y = self.spatial(x).permute(0, 2, 3, 1)  # to (N, H, W, C)
        y = F.layer_norm(y, (y.shape[-1],), self.norm_weight, self.norm_bias, 1e-6)
        y = self.down(F.gelu(self.up(y)))
        if self.gamma is not None:
            y = y * self.gamma
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self, dims=(8, 12), num_classes=10):
        super().__init__()
        self.stages = nn.ModuleList()
        channels, patch = 3, 4
        for dim in dims:
            first = [nn.Conv2d(channels, dim, kernel_size=patch, stride=patch), ChannelNorm(dim)]
            self.stages.append(nn.Sequential(*first, ConvNeXtBlock(dim)))
            channels, patch = dim, 2
        self.norm = nn.LayerNorm(dims[-1], eps=1e-6)
        self.head = nn.Linear(dims[-1], num_classes)

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return self.head(self.norm(x.mean([-2, -1])))
