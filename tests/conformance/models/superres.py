"""Super-resolution by pixel shuffle, and an autoencoder that unpools to where the maxima were."""

import torch.nn as nn
import torch.nn.init as init


class SuperResolution(nn.Module):
    def __init__(self, factor=2):
        super(SuperResolution, self).__init__()
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(1, 8, (5, 5), (1, 1), (2, 2))
        self.conv2 = nn.Conv2d(8, 8, (3, 3), (1, 1), (1, 1))
        self.conv3 = nn.Conv2d(8, factor**2, (3, 3), (1, 1), (1, 1))
        self.pixel_shuffle = nn.PixelShuffle(factor)
        gain = init.calculate_gain("relu")
        for conv in (self.conv1, self.conv2):
            init.xavier_normal_(conv.weight, gain)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        return self.pixel_shuffle(self.conv3(x))


class Unpooling(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.ModuleList([nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)])
        self.decode = nn.ModuleList(
            [nn.ConvTranspose2d(6, 4, 3, padding=1), nn.ConvTranspose2d(4, 1, 3, padding=1)]
        )
        self.pool = nn.MaxPool2d(2, stride=2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2, stride=2)

    def forward(self, x):
        places = []
        for conv in self.encode:
            size = x.size()
            x, indices = self.pool(conv(x).tanh())
            places.append((indices, size))
        for conv in self.decode:
            indices, size = places.pop()
            x = self.unpool(x, indices, output_size=size[-2:])
            x = conv(x)
        return x
