"""VGG: a list of widths, "M" where it pools."""

import torch.nn as nn

WIDTHS = {
    "small": [4, "M", 8, "M", 12, 12, "M"],
    "deeper": [4, 4, "M", 8, 8, "M", 12, "M", 16, "M"],
}


def make_layers(widths, batch_norm=False, channels=3):
    layers = []
    for width in widths:
        if width == "M":
            layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
            continue
        layers += [nn.Conv2d(channels, width, kernel_size=3, padding=1)]
        if batch_norm:
            layers += [nn.BatchNorm2d(width)]
        layers += [nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers), channels


class VGG(nn.Module):
    def __init__(self, kind, batch_norm=False, num_classes=10):
        super(VGG, self).__init__()
        self.features, width = make_layers(WIDTHS[kind], batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Sequential(
            nn.Linear(width * 4, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, num_classes)
        )
        self.reset()

    def reset(self):
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                if isinstance(m, nn.Linear):
                    m.weight.data.normal_(0, 0.01)
                else:
                    nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
                if m.bias is not None:
                    m.bias.data.zero_()
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)

    def forward(self, x):
        x = self.avgpool(self.features(x))
        x = x.view(x.size(0), -1)
        return self.classifier(x)
