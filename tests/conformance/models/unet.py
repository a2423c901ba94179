"""U-Net: down, up, and across; it grows by transposed convolution or by interpolation."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class DoubleConv(nn.Module):
    def __init__(self, cin, cout, mid=None):
        super().__init__()
        mid = mid or cout
        self.net = nn.Sequential(
            nn.Conv2d(cin, mid, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(mid),
            nn.ReLU(inplace=True),
            nn.Conv2d(mid, cout, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(cout),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.net(x)


class Up(nn.Module):
    def __init__(self, deep, across, cout, bilinear):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        else:
            self.up = nn.ConvTranspose2d(deep, deep, kernel_size=2, stride=2)
        self.conv = DoubleConv(deep + across, cout)

    def forward(self, x, skip):
        x = self.up(x)
        rows = skip.size()[2] - x.size()[2]
        columns = skip.size()[3] - x.size()[3]
        x = F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.conv(torch.cat([skip, x], dim=1))


class UNet(nn.Module):
    def __init__(self, channels=1, classes=2, widths=(4, 6, 8), bilinear=True):
        super().__init__()
        self.first = DoubleConv(channels, widths[0])
        self.down = nn.ModuleList(
            [nn.Sequential(nn.MaxPool2d(2), DoubleConv(a, b)) for a, b in zip(widths, widths[1:])]
        )
        self.up = nn.ModuleList(
            [Up(b, a, a, bilinear) for a, b in reversed(list(zip(widths, widths[1:])))]
        )
        self.last = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, x):
        skips = [self.first(x)]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.up:
            x = up(x, skips.pop())
        return self.last(x)


def dice_loss(scores, target, smooth=1.0):
    """1 − the Dice coefficient of the softmax and the one-hot labels, the mean over classes."""
    probs = F.softmax(scores, dim=1)
    truth = F.one_hot(target, scores.shape[1]).permute(0, 3, 1, 2).to(probs.dtype)
    both = (probs * truth).sum(dim=(0, 2, 3))
    either = probs.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    return 1 - ((2 * both + smooth) / (either + smooth)).mean()
