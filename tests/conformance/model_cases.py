"""The models, their data, and the training step that is compared.

All text here is PyTorch code, executed with `torch`, `nn`, `F`, `optim` and the model's file as `m`.
"""

from dataclasses import dataclass, field

STEP = """
optimizer.zero_grad()
out = net(x)
loss = F.cross_entropy(out, target)
loss.backward()
optimizer.step()
"""

SGD = "optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)"


@dataclass(frozen=True)
class Case:
    """A model: its file, its construction, its data and its step.

    `data` is drawn for each name: ("normal" | "uniform" | "labels" | "binary", shape[, classes]).
    """

    file: str
    make: str
    data: dict[str, tuple] = field(default_factory=lambda: images(3, 32))
    optimizer: str = SGD
    step: str = STEP
    test: str = "scores = net(x)"
    watch: tuple[str, ...] = ("loss", "out", "scores")
    modules: tuple[str, ...] = ("net",)
    leaves: tuple[str, ...] = ("x",)  # data that also get a gradient in live tests


def images(channels, size, batch=4, classes=10, kind="normal"):
    return {"x": (kind, (batch, channels, size, size)), "target": ("labels", (batch,), classes)}


GAN = dict(watch=("errD", "errG", "fake", "mean"), test="scores = net(probe)")

CASES = {
    "lenet": Case("lenet", "net = m.LeNet()", images(1, 32)),
    "lenet1998": Case(
        "lenet", "net = m.LeNet1998()", images(1, 28),
        step=STEP.replace("out = net(x)", "out, probs = net(x)"),
        watch=("loss", "out", "probs", "scores"),
    ),
    "alexnet": Case("alexnet", "net = m.AlexNet()", images(3, 63, batch=2)),
    "alexnet_unbatched": Case(
        "alexnet", "net = m.AlexNet(drop=0.0).features",
        {"x": ("normal", (3, 63, 47)), "weight": ("normal", (12, 3, 2))},
        step="optimizer.zero_grad()\nout = net(x)\nloss = (out * weight).sum()\nloss.backward()\n"
        "optimizer.step()",
    ),
    "vgg": Case("vgg", "net = m.VGG('small')"),
    "vgg_bn": Case("vgg", "net = m.VGG('deeper', batch_norm=True)"),
    "resnet18": Case("resnet", "net = m.resnet18()"),
    "resnet_bottleneck": Case("resnet", "net = m.bottleneck()"),
    "resnext": Case("resnet", "net = m.resnext()"),
    "resnet_frozen_bn": Case(
        "resnet",
        """
net = m.resnet18()
for name, p in net.named_parameters():
    if not name.startswith(("layer4", "fc")):
        p.requires_grad = False
for module in net.modules():
    if isinstance(module, nn.BatchNorm2d):
        module.eval()
""",
        optimizer="optim.SGD(filter(lambda p: p.requires_grad, net.parameters()), lr=0.01)",
    ),
    "preact_resnet": Case("preact_resnet", "net = m.PreActResNet()", images(3, 16)),
    "wide_resnet": Case("preact_resnet", "net = m.WideResNet()", images(3, 16)),
    "densenet": Case("densenet", "net = m.DenseNet()"),
    "densenet_dropout": Case("densenet", "net = m.DenseNet(blocks=(2, 2), drop=0.2)"),
    "googlenet": Case(
        "googlenet", "net = m.GoogLeNet()",
        step="""
optimizer.zero_grad()
out = net(x)
logits, aux1, aux2 = out
loss = F.cross_entropy(logits, target) + 0.3 * (
    F.cross_entropy(aux1, target) + F.cross_entropy(out.aux2, target)
)
loss.backward()
optimizer.step()
""",
    ),
    "squeezenet": Case("squeezenet", "net = m.SqueezeNet()"),
    "mobilenet_v1": Case(
        "mobilenet", "net = m.MobileNetV1()",
        step=STEP.replace("cross_entropy", "nll_loss"),
        optimizer="optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.9, eps=1e-3, momentum=0.9)",
    ),
    "mobilenet_v2": Case(
        "mobilenet", "net = m.MobileNetV2()",
        step=STEP + "\nprec1, prec3 = m.accuracy(out, target)",
        watch=("loss", "out", "prec1", "prec3", "scores"),
    ),
    "shufflenet": Case(
        "shufflenet", "net = m.ShuffleNet()",
        step=STEP.replace("target)", "target, label_smoothing=0.1)"),
    ),
    "senet": Case("senet", "net = m.SENet()", images(3, 16)),
    "efficientnet": Case("efficientnet", "net = m.EfficientNet()", images(3, 16)),
    "convnext": Case(
        "convnext", "net = m.ConvNeXt()",
        optimizer="optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.05)",
    ),
    "unet_bilinear": Case(
        "unet", "net = m.UNet(bilinear=True)",
        {"x": ("normal", (2, 1, 18, 21)), "target": ("labels", (2, 18, 21), 2)},
        step=STEP.replace("target)", "target) + m.dice_loss(out, target)"),
    ),
    "unet_transposed": Case(
        "unet", "net = m.UNet(bilinear=False, classes=3)",
        {"x": ("normal", (2, 1, 18, 21)), "target": ("labels", (2, 18, 21), 3)},
        step=STEP.replace("target)", "target, weight=torch.tensor([0.2, 1.0, 2.0]))").replace(
            "optimizer.step()",
            "norm = nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)\noptimizer.step()",
        ),
        watch=("loss", "out", "norm", "scores"),
    ),
    "segmentation": Case(
        "segmentation", "net = m.FCN()",
        {"x": ("normal", (2, 3, 22, 26)), "target": ("labels", (2, 22, 26), 5)},
        step=STEP.replace("F.cross_entropy(", "m.criterion("),
        optimizer="optim.SGD([{'params': net.backbone.parameters()},"
        " {'params': net.pyramid.parameters(), 'lr': 0.1}], lr=0.01, momentum=0.9, nesterov=True)",
    ),
    "dcgan": Case(
        "dcgan",
        "net, netD = m.Generator(), m.Discriminator()\nnet.apply(m.weights_init)\n"
        "netD.apply(m.weights_init)",
        {"real": ("normal", (4, 1, 16, 16)), "probe": ("normal", (3, 6, 1, 1))},
        optimizer="[optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in (net, netD)]",
        step="errD, errG, fake, mean = m.train_step(net, netD, *optimizer, real)",
        modules=("net", "netD"), leaves=(), **GAN,
    ),
    "wgan_gp": Case(
        "wgan_gp", "net, critic = m.Generator(), m.Critic()",
        {"real": ("normal", (4, 1, 8, 8)), "probe": ("normal", (3, 5))},
        optimizer="optim.Adam(critic.parameters(), lr=1e-4, betas=(0.0, 0.9))",
        step="optimizer.zero_grad()\nloss, penalty = m.critic_loss(critic, net, real)\n"
        "loss.backward()\noptimizer.step()",
        test="scores = net(probe)", watch=("loss", "penalty", "scores"),
        modules=("net", "critic"), leaves=(),
    ),
    "vae": Case(
        "vae", "net = m.VAE()", {"x": ("uniform", (3, 1, 16, 16))},
        step="optimizer.zero_grad()\nout, mu, logvar = net(x)\n"
        "loss = m.loss_function(out, x.detach(), mu, logvar)\nloss.backward()\noptimizer.step()",
        watch=("loss", "out", "mu", "logvar", "scores"),
        optimizer="optim.Adam(net.parameters(), lr=1e-3)",
    ),
    "vit": Case(
        "vit", "net = m.ViT()", images(3, 16, batch=3),
        optimizer="optim.AdamW(net.parameters(), lr=1e-3)",
    ),
    "vit_by_hand": Case(
        "vit", "net = m.HandViT()", images(3, 16, batch=3),
        optimizer="optim.AdamW([p for p in net.parameters() if p.ndim > 1], lr=1e-3)",
    ),
    "mixer": Case("mixer", "net = m.Mixer()", images(3, 16, batch=3)),
    "siamese_triplet": Case(
        "siamese", "net = m.TripletNet(m.Embedding())\nloss_fn = nn.TripletMarginLoss(margin=0.9)",
        {name: ("normal", (3, 1, 18, 18)) for name in ("x", "positive", "negative")},
        step="optimizer.zero_grad()\nout = net(x, positive, negative)\nloss = loss_fn(*out)\n"
        "loss.backward()\noptimizer.step()",
        test="scores = net(x)[0]",
    ),
    "siamese_contrastive": Case(
        "siamese", "net = m.Embedding()\ncriterion = m.ContrastiveLoss()",
        {"x": ("normal", (4, 1, 18, 18)), "other": ("normal", (4, 1, 18, 18)),
         "same": ("labels", (4,), 2)},
        step="optimizer.zero_grad()\na, b = net(x), net(other)\n"
        "loss = criterion(a, b, same) + m.nt_xent(a, b)\nloss.backward()\noptimizer.step()",
        watch=("loss", "a", "b", "scores"),
    ),
    "signal": Case(
        "signals", "net = m.SignalNet()",
        {"x": ("normal", (4, 2, 45)), "target": ("labels", (4,), 4)},
    ),
    "wavenet": Case(
        "signals", "net = m.WaveNet()", {"x": ("normal", (2, 1, 24))},
        step="optimizer.zero_grad()\nout = net(x[:, :, :-1])\nloss = F.mse_loss(out, x[:, :, 1:])\n"
        "loss.backward()\noptimizer.step()",
        optimizer="optim.Adagrad(net.parameters(), lr=0.01)",
    ),
    "textcnn": Case(
        "textcnn", "net = m.TextCNN()",
        {"x": ("labels", (4, 9), 20), "target": ("labels", (4,), 3)}, leaves=(),
    ),
    "bag_of_words": Case(
        "textcnn", "net = m.BagOfWords()",
        {"x": ("labels", (5, 7), 20), "target": ("labels", (5,), 20)}, leaves=(),
        step=STEP.replace("cross_entropy", "nll_loss"),
    ),
    "style": Case(
        "style", "net = m.Painter()",
        {"x": ("normal", (2, 3, 12, 16)), "style": ("normal", (2, 3, 3))},
        step="optimizer.zero_grad()\nout = net(x)\nloss = m.loss_function(out, x.detach(), style)\n"
        "loss.backward()\noptimizer.step()",
        optimizer="optim.Adam(net.parameters(), lr=1e-3, amsgrad=True, eps=1e-3)",
    ),
    "superres": Case(
        "superres", "net = m.SuperResolution()",
        {"x": ("normal", (2, 1, 9, 7)), "target": ("normal", (2, 1, 18, 14))},
        step=STEP.replace("cross_entropy", "l1_loss"),
        optimizer="optim.Adamax(net.parameters(), lr=2e-3)",
    ),
    "unpooling": Case(
        "superres", "net = m.Unpooling()", {"x": ("normal", (2, 1, 12, 10))},
        step="optimizer.zero_grad()\nout = net(x)\nloss = F.huber_loss(out, x.detach())\n"
        "loss.backward()\noptimizer.step()",
    ),
    "dqn": Case(
        "dqn", "net = m.Dueling()\ntarget = m.frozen_copy(net)",
        {"x": ("normal", (5, 2, 12, 12)), "following": ("normal", (5, 2, 12, 12)),
         "action": ("labels", (5,), 3), "reward": ("normal", (5,)), "done": ("labels", (5,), 2)},
        step="loss, q = m.optimize(net, target, optimizer, x, action, reward, done, following)",
        watch=("loss", "q", "scores"), modules=("net", "target"),
        optimizer="optim.RMSprop(net.parameters(), lr=1e-3, centered=True, eps=1e-3)",
    ),
    "arcface": Case(
        "arcface", "net = m.FaceNet()",
        {"x": ("normal", (5, 1, 8, 8)), "target": ("labels", (5,), 4)},
        step="optimizer.zero_grad()\nout, pull = net(x, target)\n"
        "loss = F.cross_entropy(out, target) + 0.1 * pull\nloss.backward()\noptimizer.step()",
        test="scores = net(x, target)",
    ),
    "tcn": Case(
        "tcn", "net = m.TCN()", {"x": ("normal", (3, 3, 16)), "target": ("labels", (3,), 4)},
    ),
    "sngan": Case(
        "sngan", "net, netD = m.Generator(), m.Discriminator()",
        {"real": ("normal", (4, 2, 8, 8)), "z": ("normal", (4, 5)), "y": ("labels", (4,), 3)},
        step="optimizer.zero_grad()\nfake = net(z, y)\n"
        "loss = m.hinge(netD(real, y), netD(fake, y))\nloss.backward()\noptimizer.step()",
        optimizer="optim.Adam([*net.parameters(), *netD.parameters()], lr=1e-3, eps=1e-3)",
        test="scores = netD(net(z, y), y)", watch=("loss", "fake", "scores"),
        modules=("net", "netD"), leaves=(),
    ),
    "gradcam": Case(
        "gradcam", "net = m.Net()\ncam = m.GradCAM(net, net.features[3])",
        {"x": ("normal", (3, 1, 14, 14)), "target": ("labels", (3,), 5)}, leaves=(),
        step="out, best = cam(x, (14, 14))\nx2, loss = m.fgsm(net, x, target)\noptimizer.step()",
        watch=("loss", "out", "best", "x2", "scores"),
    ),
    "mnist_script": Case(
        "mnist", "net = None\nlog = []",
        {"x": ("uniform", (20, 1, 8, 8)), "target": ("labels", (20,), 10)}, leaves=(),
        optimizer="None",
        step="net, optimizer = m.main(['--epochs', '2', '--dropout', '0'], x, target, log)",
        watch=("log", "scores"),
    ),
}  # fmt: skip
