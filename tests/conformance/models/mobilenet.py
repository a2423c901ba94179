"""MobileNet, the first and the second: depthwise convolutions, and ReLU6."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def depthwise(channels, stride):
    return nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)


class MobileNetV1(nn.Module):
    plan = [(12, 1), (16, 2), (16, 1), (24, 2)]

    def __init__(self, num_classes=10):
        super(MobileNetV1, self).__init__()
        layers = [nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
        width = 8
        for outputs, stride in self.plan:
            layers += [depthwise(width, stride), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            layers += [nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
            layers += [nn.ReLU(inplace=True)]
            width = outputs
        self.model = nn.Sequential(*layers, nn.AvgPool2d(4))
        self.fc = nn.Linear(width, num_classes)

    def forward(self, x):
        x = self.model(x)
        x = x.view(-1, self.fc.in_features)
        return F.log_softmax(self.fc(x), dim=1)


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expand):
        super(InvertedResidual, self).__init__()
        if stride not in (1, 2):
            raise ValueError("stride should be 1 or 2 instead of {}".format(stride))
        hidden = int(round(inputs * expand))
        parts = []
        if expand != 1:
            parts.extend([nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden)])
            parts.append(nn.ReLU6(inplace=True))
        parts.extend([depthwise(hidden, stride), nn.BatchNorm2d(hidden), nn.ReLU6(inplace=True)])
        parts.extend([nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)])
        self.conv = nn.Sequential(*parts)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, num_classes=10):
        super(MobileNetV2, self).__init__()
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(True)),
            InvertedResidual(8, 4, 1, 1),
            InvertedResidual(4, 8, 2, 3),
            InvertedResidual(8, 8, 1, 3),
            InvertedResidual(8, 12, 2, 2.5),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(12, num_classes))
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out")
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.ones_(m.weight)
                nn.init.zeros_(m.bias)
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.01)

    def forward(self, x):
        x = self.features(x)
        x = nn.functional.adaptive_avg_pool2d(x, 1).reshape(x.shape[0], -1)
        return self.classifier(x)


@torch.no_grad()
def accuracy(scores, labels, ks=(1, 3)):
    """In percent, for each k: how often the label is among the k best."""
    best = scores.topk(max(ks), dim=1, largest=True, sorted=True)[1].t()
    right = best.eq(labels.view(1, -1).expand_as(best))
    return [
        right[:k].reshape(-1).float().sum(0, keepdim=True).mul_(100.0 / labels.size(0)) for k in ks
    ]
