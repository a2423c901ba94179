"""Optimizers and schedulers, step by step; clipping and other utilities."""

from .cases import Case, real

CASES: list[Case] = []

OPTIMIZERS = {
    "SGD": ["lr=0.1", "lr=0.1, momentum=0.9", "lr=0.1, momentum=0.9, nesterov=True", "lr=0.1, momentum=0.9, dampening=0.3", "lr=0.1, weight_decay=0.05, maximize=True"],
    "Adam": ["lr=0.05", "lr=0.05, amsgrad=True", "lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1", "lr=0.05, maximize=True"],
    "AdamW": ["lr=0.05", "lr=0.05, weight_decay=0.3, amsgrad=True"],
    "RMSprop": ["lr=0.02", "lr=0.02, centered=True", "lr=0.02, momentum=0.8, weight_decay=0.1", "lr=0.02, alpha=0.7, momentum=0.5, centered=True"],
    "Adagrad": ["lr=0.1", "lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5, weight_decay=0.1"],
    "Adadelta": ["", "lr=0.5, rho=0.7, weight_decay=0.1"],
    "NAdam": ["lr=0.05", "lr=0.05, weight_decay=0.1, momentum_decay=0.01", "lr=0.05, weight_decay=0.1, decoupled_weight_decay=True"],
    "Adamax": ["lr=0.05", "lr=0.05, weight_decay=0.1"],
    "RAdam": ["lr=0.05", "lr=0.05, weight_decay=0.1"],
}  # fmt: skip
STEPS = """
OF_PYTORCH = "foreach", "fused", "capturable", "differentiable"
a, b = x.detach().clone().requires_grad_(), z.detach().clone().requires_grad_()
o = optim.{name}([{{"params": [a]}}, {{"params": [b], "lr": 0.03}}], {options})
trace = []
for step in range(12):
    o.zero_grad()
    loss = ((a * a).sum() * (step % 3 + 1) + (a[:, :2] * b).sum().sin() + b.exp().sum()) * 0.3
    if step != 5:
        loss.backward()
    o.step()
    trace.append(loss.detach())
y = a.detach(), b.detach(), trace, sorted(o.state_dict()), [k for k in sorted(o.state_dict()["param_groups"][0]) if k not in OF_PYTORCH], sorted(o.state_dict()["state"].get(0) or {{}})
"""
for name, settings in OPTIMIZERS.items():
    for options in settings:
        code = STEPS.format(name=name, options=options)
        CASES.append(Case(f"optim.{name}({options})", code, {"x": real(2, 3), "z": real(2)}, 1))

SCHEDULERS = [
    "StepLR(o, 3)", "StepLR(o, 2, gamma=0.5)", "MultiStepLR(o, [2, 5, 5], gamma=0.3)", "ConstantLR(o, 0.3, 4)", "LinearLR(o, 0.2, 1.0, 6)", "LinearLR(o)",
    "ExponentialLR(o, 0.8)", "PolynomialLR(o, 6, power=2.0)", "CosineAnnealingLR(o, 5)", "CosineAnnealingLR(o, 7, eta_min=0.01)",
    "CosineAnnealingWarmRestarts(o, 3)", "CosineAnnealingWarmRestarts(o, 2, T_mult=2, eta_min=0.02)", "OneCycleLR(o, 0.5, total_steps=20)",
    "OneCycleLR(o, [0.5, 0.2], epochs=4, steps_per_epoch=5, pct_start=0.4, anneal_strategy='linear')", "OneCycleLR(o, 0.5, total_steps=20, three_phase=True)",
    "LambdaLR(o, lambda e: 0.9 ** e)", "LambdaLR(o, [lambda e: 1 / (e + 1), lambda e: 0.5])", "MultiplicativeLR(o, lambda e: 0.95)",
    "SequentialLR(o, [S.LinearLR(o, 0.1, 1.0, 4), S.ExponentialLR(o, 0.9)], [4])", "ChainedScheduler([S.ConstantLR(o, 0.5, 3), S.ExponentialLR(o, 0.9)])",
    "CyclicLR(o, 0.01, 0.1, step_size_up=3)", "CyclicLR(o, 0.01, 0.1, step_size_up=3, mode='triangular2', cycle_momentum=False)",
]  # fmt: skip
for scheduler in SCHEDULERS:
    code = (
        "S = optim.lr_scheduler\n"
        "o = optim.SGD([{'params': [x]}, {'params': [z], 'lr': 0.4}], lr=0.1, momentum=0.9)\n"
        f"s = S.{scheduler}\nrates = []\nfor step in range(18):\n"
        "    o.step()\n    rates += [s.get_last_lr(), [g['momentum'] for g in o.param_groups]]\n    s.step()\n"
        "y = torch.tensor(rates, dtype=torch.float64)\n"
    )
    CASES.append(Case(f"lr_scheduler.{scheduler}", code, {"x": real(2), "z": real(2)}, 1))
for options in (
    "",
    "mode='max', factor=0.5, patience=1",
    "threshold=0.2, threshold_mode='abs', cooldown=2, patience=0",
    "min_lr=0.05, patience=1",
):
    code = (
        f"o = optim.SGD([x], lr=0.4)\ns = optim.lr_scheduler.ReduceLROnPlateau(o, {options})\nrates = []\n"
        "for loss in [1, 0.9, 0.9, 0.9, 0.95, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.81, 0.82, 0.5, 0.5, 0.5, 0.5, 0.6, 0.6, 0.6] * 2:\n"
        "    s.step(loss)\n    rates.append(o.param_groups[0]['lr'])\ny = torch.tensor(rates, dtype=torch.float64)\n"
    )
    CASES.append(Case(f"lr_scheduler.ReduceLROnPlateau(o, {options})", code, {"x": real(2)}, 1))
for call in ("clip_grad_norm_([p, q], 1.0)", "clip_grad_norm_([p, q], 0.5, norm_type=1)", "clip_grad_norm_(p, 2.0, norm_type=float('inf'))", "clip_grad_norm_([p, q], 1e6)",
             "clip_grad_value_([p, q], 0.4)", "parameters_to_vector([p, q])"):  # fmt: skip
    code = (
        "p, q = x.detach().clone().requires_grad_(), z.detach().clone().requires_grad_()\n((p ** 3).sum() + (q * 5).sum()).backward()\n"
        f"r = nn.utils.{call}\ny = r if r is None else r.detach(), p.grad, q.grad\n"
    )
    CASES.append(Case(f"nn.utils.{call}", code, {"x": real(2, 3), "z": real(4)}, 1))
CASES += [
    Case("nn.utils.weight_norm", "m = nn.utils.weight_norm(nn.Linear(3, 2))\nfill(m)\ny = m(x)", {"x": real(4, 3)}, 1),
    Case("nn.utils.weight_norm conv", "m = nn.utils.weight_norm(nn.Conv2d(2, 3, 2), dim=0)\nfill(m)\ny = m(x)", {"x": real(1, 2, 3, 3)}, 1),
    Case("vector_to_parameters", "p = [torch.zeros(2, 2), torch.zeros(3)]\nnn.utils.vector_to_parameters(torch.arange(7.0), p)\ny = p", {}, 1),
]  # fmt: skip
for call in ("constant_(w, 0.3)", "ones_(w)", "zeros_(w)", "eye_(w)"):
    CASES.append(Case(f"init.{call}", f"w = torch.empty(3, 4)\ny = nn.init.{call}", {}, 1))
CASES.append(
    Case(
        "init.dirac_",
        "y = nn.init.dirac_(torch.empty(4, 2, 3, 3), groups=2), nn.init.dirac_(torch.empty(2, 3, 3))",
        {},
        1,
    )
)
GAINS = "[nn.init.calculate_gain(n) for n in ('linear', 'conv2d', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu')]"
CASES.append(
    Case("init.calculate_gain", f"{GAINS} + [nn.init.calculate_gain('leaky_relu', 0.2)]", {}, 1)
)
