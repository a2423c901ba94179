"""Segment discs and a frame with an encoder-decoder that has skip connections."""

import argparse
import logging
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

NUM_CLASSES = 3


def conv_bn_relu(cin, cout):
    return [nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(True)]


class Stage(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(*conv_bn_relu(cin, cout), *conv_bn_relu(cout, cout))


class Decoder(nn.Module):
    """One step up: enlarge, pad to the size of the skip connection, join, convolve"""

    def __init__(self, cin, cskip, cout, learned):
        super().__init__()
        if learned:
            self.enlarge = nn.ConvTranspose2d(cin, cin, 2, stride=2)
        else:
            self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.stage = Stage(cin + cskip, cout)

    def forward(self, x, skip):
        x = self.enlarge(x)
        missing_h, missing_w = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
        if missing_h or missing_w:
            x = F.pad(x, (0, missing_w, 0, missing_h), mode="replicate")
        return self.stage(torch.cat((skip, x), 1))


class SegNet(nn.Module):
    def __init__(self, widths=(6, 12, 20), learned=True):
        super().__init__()
        self.encoders = nn.ModuleList()
        channels = 1
        for width in widths:
            self.encoders.append(Stage(channels, width))
            channels = width
        self.decoders = nn.ModuleList()
        for width in reversed(widths[:-1]):
            self.decoders.append(Decoder(channels, width, width, learned))
            channels = width
        self.classify = nn.Conv2d(channels, NUM_CLASSES, 1)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        skips = []
        for encoder in self.encoders:
            x = encoder(x if not skips else F.max_pool2d(x, 2))
            skips.append(x)
        skips.pop()
        for decoder in self.decoders:
            x = decoder(x, skips.pop())
        return self.classify(x)


class Discs(Dataset):
    def __init__(self, length=40, size=18):
        rng = np.random.default_rng(3)
        y, x = np.mgrid[:size, :size]
        self.images, self.masks = [], []
        for _ in range(length):
            cy, cx, r = rng.uniform(5, size - 5), rng.uniform(5, size - 5), rng.uniform(2, 4)
            mask = ((y - cy) ** 2 + (x - cx) ** 2 < r * r).astype(np.int64)
            mask[(y < 2) | (x < 2)] = 2
            self.images.append(0.3 * mask + rng.normal(0, 0.1, mask.shape))
            self.masks.append(mask)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = torch.as_tensor(self.images[i], dtype=torch.get_default_dtype()).unsqueeze(0)
        return {"image": image, "mask": torch.from_numpy(self.masks[i])}


class SoftDice(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, target):
        probs = logits.softmax(1)
        onehot = F.one_hot(target, NUM_CLASSES).movedim(-1, 1).type_as(probs)
        overlap = (probs * onehot).sum((0, 2, 3))
        total = probs.sum((0, 2, 3)) + onehot.sum((0, 2, 3))
        return 1 - ((2 * overlap + self.smooth) / (total + self.smooth)).mean()


@torch.inference_mode()
def mean_iou(net, loader, device):
    net.eval()
    confusion = torch.zeros(NUM_CLASSES, NUM_CLASSES, dtype=torch.long)
    for batch in loader:
        pred = net(batch["image"].to(device)).argmax(1).cpu()
        pairs = batch["mask"] * NUM_CLASSES + pred
        confusion += torch.bincount(pairs.flatten(), minlength=NUM_CLASSES**2).view(3, 3)
    hits = confusion.diag()
    union = confusion.sum(0) + confusion.sum(1) - hits
    return (hits / union.clamp(min=1)).mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", "-e", type=int, default=2)
    ap.add_argument("--batch-size", "-b", type=int, default=8)
    ap.add_argument("--lr", type=float, default=2e-2)
    ap.add_argument("--load", "-f", default=None)
    ap.add_argument("--bilinear", action="store_true")
    args = ap.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    logging.info("using %s", device)

    net = SegNet(learned=not args.bilinear).to(device=device, memory_format=torch.channels_last)
    if args.load:
        net.load_state_dict(torch.load(args.load, map_location=device))
        logging.info("weights of %s", args.load)
    split = torch.Generator().manual_seed(0)
    train_set, val_set = random_split(Discs(), [32, 8], generator=split)
    train = DataLoader(train_set, args.batch_size, shuffle=True, pin_memory=True)
    val = DataLoader(val_set, args.batch_size)
    ce = nn.CrossEntropyLoss(weight=torch.tensor([0.5, 1.0, 1.0]).to(device))
    dice = SoftDice()
    optimizer = torch.optim.SGD(net.parameters(), args.lr, momentum=0.9, weight_decay=1e-6)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", patience=0)
    os.makedirs("checkpoints", exist_ok=True)
    for epoch in range(1, args.epochs + 1):
        net.train()
        running = 0.0
        for batch in train:
            x = batch["image"].to(device, memory_format=torch.channels_last)
            y = batch["mask"].to(device)
            optimizer.zero_grad(set_to_none=True)
            logits = net(x)
            loss = ce(logits, y) + dice(logits, y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            running += loss.item()
        iou = mean_iou(net, val, device)
        plateau.step(iou)
        lr = optimizer.param_groups[0]["lr"]
        logging.info("epoch %d loss %.4f iou %.4f lr %g", epoch, running / len(train), iou, lr)
        torch.save(net.state_dict(), f"checkpoints/checkpoint_epoch{epoch}.pth")


if __name__ == "__main__":
    main()
