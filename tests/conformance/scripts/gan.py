import argparse
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
import torch.utils.data

parser = argparse.ArgumentParser()
parser.add_argument("--batchSize", type=int, default=16, help="input batch size")
parser.add_argument("--nz", type=int, default=8, help="size of the latent z vector")
parser.add_argument("--ngf", type=int, default=6)
parser.add_argument("--ndf", type=int, default=6)
parser.add_argument("--niter", type=int, default=2, help="number of epochs to train for")
parser.add_argument("--lr", type=float, default=0.0005)
parser.add_argument("--beta1", type=float, default=0.5, help="beta1 for adam")
parser.add_argument("--ngpu", type=int, default=1, help="number of GPUs to use")
parser.add_argument("--manualSeed", type=int, help="manual seed")
parser.add_argument("--outf", default=".", help="folder to output model checkpoints")
opt = parser.parse_args()
print(opt)

if opt.manualSeed is not None:
    print("Random Seed: ", opt.manualSeed)
    random.seed(opt.manualSeed)
    torch.manual_seed(opt.manualSeed)

device = torch.device("cuda:0" if (torch.cuda.is_available() and opt.ngpu > 0) else "cpu")
ngpu, nz, ngf, ndf, nc = int(opt.ngpu), opt.nz, opt.ngf, opt.ndf, 1


class Blobs(torch.utils.data.Dataset):
    """8x8 pictures in [-1, 1] with a round blob near the middle"""

    def __init__(self, length):
        axis = torch.linspace(-1, 1, 8)
        self.y, self.x = torch.meshgrid(axis, axis, indexing="ij")
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, idx):
        cx, cy = 0.3 * torch.rand(2) - 0.15
        blob = torch.exp(-4 * ((self.x - cx) ** 2 + (self.y - cy) ** 2))
        return (2 * blob - 1).unsqueeze(0)


def weights_init(m):
    kind = type(m).__name__
    if "Conv" in kind:
        nn.init.normal_(m.weight, 0.0, 0.1)
    elif "BatchNorm" in kind:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.zeros_(m.bias)


def up(cin, cout, stride):
    padding = 1 if stride == 2 else 0
    return nn.ConvTranspose2d(cin, cout, 2 + 2 * padding, stride, padding, bias=False)


class Generator(nn.Module):
    def __init__(self, ngpu):
        super(Generator, self).__init__()
        self.ngpu = ngpu
        widths, layers = [nz, 2 * ngf, ngf], []
        for k, (cin, cout) in enumerate(zip(widths, widths[1:])):
            layers += [up(cin, cout, 1 + (k > 0)), nn.BatchNorm2d(cout), nn.ReLU(True)]
        self.main = nn.Sequential(*layers, up(ngf, nc, 2), nn.Tanh())

    def forward(self, z):
        if z.is_cuda and self.ngpu > 1:
            return nn.parallel.data_parallel(self.main, z, range(self.ngpu))
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, 2 * ndf, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * ndf),
            nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(2 * ndf, 1, 2, bias=False), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        return self.main(x).view(-1)


if __name__ == "__main__":
    dataloader = torch.utils.data.DataLoader(Blobs(64), batch_size=opt.batchSize, shuffle=True)
    netG = Generator(ngpu).to(device)
    netD = Discriminator().to(device)
    netG.apply(weights_init)
    netD.apply(weights_init)
    print(netG, netD)

    bce = nn.BCELoss()
    fixed_noise = torch.randn(opt.batchSize, nz, 1, 1, device=device)
    blob = torch.stack([dataloader.dataset[i] for i in range(16)]).mean(0)
    adam = lambda net: optim.Adam(net.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
    optimizerD, optimizerG = adam(netD), adam(netG)

    for epoch in range(opt.niter):
        for i, real in enumerate(dataloader):
            real = real.to(device)
            n = real.size(0)
            ones, zeros = torch.ones(n, device=device), torch.full((n,), 0.0, device=device)

            # the discriminator: two backward passes, one step
            netD.zero_grad()
            on_real = netD(real)
            errD_real = bce(on_real, ones)
            errD_real.backward()
            fake = netG(torch.randn(n, nz, 1, 1, device=device))
            on_fake = netD(fake.detach())
            errD_fake = bce(on_fake, zeros)
            errD_fake.backward()
            optimizerD.step()

            # the generator wants its pictures to pass
            netG.zero_grad()
            again = netD(fake)
            errG = bce(again, ones)
            errG.backward()
            optimizerG.step()

            print("[%d/%d][%d/%d] D %.4f G %.4f real %.4f fake %.4f / %.4f" % (
                epoch, opt.niter, i, len(dataloader), (errD_real + errD_fake).item(), errG.item(),
                on_real.mean().item(), on_fake.mean().item(), again.mean().item()))  # fmt: skip

        with torch.no_grad():
            sample = netG(fixed_noise)
        distance = F.mse_loss(sample.mean(0), blob).item()
        print("distance to the mean picture: %.4f" % distance)
        torch.save(netG.state_dict(), "%s/netG_epoch_%d.pth" % (opt.outf, epoch))
        torch.save(netD.state_dict(), "%s/netD_epoch_%d.pth" % (opt.outf, epoch))
