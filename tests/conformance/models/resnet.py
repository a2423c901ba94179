"""ResNet of basic or bottleneck blocks (with groups: ResNeXt), under torchvision's names."""

import torch
import torch.nn as nn


def conv(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
    )


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs, width, stride, downsample, groups):
        super(BasicBlock, self).__init__()
        self.conv1 = conv(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += shortcut
        return self.relu(out)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, width, stride, downsample, groups):
        super(Bottleneck, self).__init__()
        self.conv1 = conv(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride, groups)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv(width, self.expansion * width, 1)
        self.bn3 = nn.BatchNorm2d(self.expansion * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x):
        shortcut = x
        out = self.conv1(x)
        out = self.bn1(out)
        out = self.relu(out)
        out = self.conv2(out)
        out = self.bn2(out)
        out = self.relu(out)
        out = self.conv3(out)
        out = self.bn3(out)
        if self.downsample is not None:
            shortcut = self.downsample(x)
        out += shortcut
        out = self.relu(out)
        return out


class ResNet(nn.Module):
    def __init__(self, block, depths, widths=(8, 12, 16, 20), groups=1, zero_last=False):
        super(ResNet, self).__init__()
        self.inputs = widths[0]
        self.conv1 = nn.Conv2d(3, widths[0], kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for i, (depth, width) in enumerate(zip(depths, widths)):
            layer = self._layer(block, width, depth, 2 if i > 0 else 1, groups)
            setattr(self, f"layer{i + 1}", layer)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(self.inputs, 10)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if zero_last:
            for name, p in self.named_parameters():
                if name.endswith("bn3.weight") or name.endswith("bn2.weight"):
                    nn.init.zeros_(p)

    def _layer(self, block, width, depth, stride, groups):
        outputs = width * block.expansion
        downsample = None
        if stride != 1 or self.inputs != outputs:
            downsample = nn.Sequential(
                conv(self.inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )
        blocks = [block(self.inputs, width, stride, downsample, groups)]
        self.inputs = outputs
        blocks += [block(outputs, width, 1, None, groups) for _ in range(depth - 1)]
        return nn.Sequential(*blocks)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = torch.flatten(self.avgpool(x), 1)
        return self.fc(x)


def resnet18():
    return ResNet(BasicBlock, [2, 2, 2, 2])


def bottleneck():
    return ResNet(Bottleneck, [1, 2, 1, 1], widths=(4, 6, 8, 8), zero_last=True)


def resnext():
    return ResNet(Bottleneck, [1, 1, 1, 1], widths=(8, 8, 12, 12), groups=4)
