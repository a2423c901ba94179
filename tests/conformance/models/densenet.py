"""DenseNet: a layer reads everything made before it, joined by torch.cat."""

from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F


class DenseLayer(nn.Sequential):
    def __init__(self, channels, growth, drop):
        super(DenseLayer, self).__init__()
        self.add_module("norm1", nn.BatchNorm2d(channels))
        self.add_module("relu1", nn.ReLU(inplace=True))
        self.add_module("conv1", nn.Conv2d(channels, 2 * growth, 1, bias=False))
        self.add_module("norm2", nn.BatchNorm2d(2 * growth))
        self.add_module("relu2", nn.ReLU(inplace=True))
        self.add_module("conv2", nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False))
        self.drop = drop

    def forward(self, features):
        new = super(DenseLayer, self).forward(torch.cat(features, 1))
        if self.drop > 0:
            new = F.dropout(new, p=self.drop, training=self.training)
        return new


class DenseBlock(nn.ModuleDict):
    def __init__(self, layers, channels, growth, drop):
        super().__init__()
        for i in range(layers):
            self["layer%d" % (i + 1)] = DenseLayer(channels + i * growth, growth, drop)

    def forward(self, x):
        features = [x]
        for _, layer in self.items():
            features.append(layer(features))
        return torch.cat(features, dim=1)


class DenseNet(nn.Module):
    def __init__(self, blocks=(2, 3), growth=4, channels=8, drop=0.0, num_classes=10):
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(3, channels, kernel_size=5, stride=2, padding=2, bias=False),
                norm0=nn.BatchNorm2d(channels),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(3, stride=2, padding=1),
            )
        )
        for i, layers in enumerate(blocks):
            self.features.add_module(f"block{i + 1}", DenseBlock(layers, channels, growth, drop))
            channels += layers * growth
            if i + 1 < len(blocks):
                transition = OrderedDict()
                transition["norm"] = nn.BatchNorm2d(channels)
                transition["relu"] = nn.ReLU(inplace=True)
                transition["conv"] = nn.Conv2d(channels, channels // 2, 1, bias=False)
                transition["pool"] = nn.AvgPool2d(2, 2)
                self.features.add_module(f"transition{i + 1}", nn.Sequential(transition))
                channels = channels // 2
        self.features.add_module("norm_last", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        nn.init.constant_(self.classifier.bias, 0)

    def forward(self, x):
        x = F.relu(self.features(x), inplace=True)
        x = F.adaptive_avg_pool2d(x, (1, 1)).flatten(1)
        return self.classifier(x)
