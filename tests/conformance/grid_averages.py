"""L-BFGS and averages of models, step by step."""

from .cases import Case, real

CASES: list[Case] = []

ROSENBROCK = "100 * (b - a * a).square().sum() + (1 - a).square().sum()"
CURVED = "(a - 1).pow(4).sum() + (a * b).sum().cos() + (b - 0.5).abs().pow(1.5).sum()"
QUADRATIC = "(2 * a + b).square().sum() + (a - b - 3).square().sum()"
FLAT = "(a * 0).sum() + b.sum() * 1e-9"
STEPS = """
a, b = x.detach().clone().requires_grad_(), z.detach().clone().requires_grad_()
o = optim.LBFGS([a, b], {options})
trace = []
def closure():
    o.zero_grad()
    loss = {loss}
    loss.backward()
    trace.append(loss.detach())
    return loss
first = [o.step(closure).detach() for _ in range({steps})]
s = o.state_dict()
state = s["state"][0]
y = a.detach(), b.detach(), first, trace, sorted(s["param_groups"][0]), sorted(state), state["n_iter"], state["func_evals"], state.get("d"), state.get("prev_flat_grad"), state.get("ro")
"""
SETTINGS = (
    "", "lr=0.1", "lr=0.001, max_iter=7", "max_iter=4, history_size=2, lr=0.02", "max_eval=3, lr=0.01",
    "line_search_fn='strong_wolfe'", "line_search_fn='strong_wolfe', max_iter=5, history_size=3",
    "line_search_fn='strong_wolfe', lr=1e-3", "line_search_fn='strong_wolfe', lr=30.0",
    "line_search_fn='strong_wolfe', tolerance_change=1e-2", "tolerance_grad=10.0, lr=0.01",
)  # fmt: skip
for loss in (ROSENBROCK, CURVED, QUADRATIC, FLAT):
    for options in SETTINGS:
        if loss == ROSENBROCK and options in ("", "lr=0.1", SETTINGS[5]):
            continue  # it diverges, or runs so long that rounding shows
        code = STEPS.format(options=options, loss=loss, steps=1 if loss is FLAT else 3)
        name = f"LBFGS({options}) {loss}"
        CASES.append(Case(name, code, {"x": real(3), "z": real(3)}, 1))

AVERAGES = """
S = optim.swa_utils
m = fill(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
a = S.AveragedModel(m, {options})
o = optim.SGD(m.parameters(), lr=0.1)
for step in range(4):
    m(x.detach() * (step + 1)).square().sum().backward()
    o.step()
    a.update_parameters(m)
y = list(a.state_dict().values()), list(a.state_dict()), str(a), a.n_averaged
del m
"""
for options in (
    "", "avg_fn=S.get_ema_avg_fn(0.9)", "multi_avg_fn=S.get_ema_multi_avg_fn(0.9)",
    "multi_avg_fn=S.get_swa_multi_avg_fn()", "avg_fn=S.get_swa_avg_fn()",
    "multi_avg_fn=S.get_ema_multi_avg_fn(0.9), use_buffers=True",
    "avg_fn=lambda a, b, n: a + (b - a) * 0.5 / n", "use_buffers=True",
):  # fmt: skip
    code = AVERAGES.format(options=options)
    CASES.append(Case(f"AveragedModel({options})", code, {"x": real(5, 2)}, 1))

RATES = """
o = optim.SGD([{{"params": [x]}}, {{"params": [z], "lr": 0.4}}], lr=0.1)
other = optim.lr_scheduler.{other}
s = optim.swa_utils.SWALR(o, {options})
rates = []
for step in range(8):
    rates.append(s.get_last_lr())
    o.step()
    if step < 3:
        other.step()
    s.step()
y = rates, sorted(o.param_groups[0]["swa_lr"] for g in o.param_groups)
"""
for options in (
    "0.05", "[0.05, 0.2], anneal_epochs=3", "0.3, 4, 'linear'", "0.3, anneal_epochs=0",
):  # fmt: skip
    for other in ("ConstantLR(o, 1.0)", "ExponentialLR(o, 0.5)"):
        code = RATES.format(options=options, other=other)
        CASES.append(Case(f"SWALR({options}) {other}", code, {"x": real(2), "z": real(2)}, 1))

UPDATE = """
m = fill(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.BatchNorm1d(3)))
m.eval()
batches = [x.detach(), (x.detach() * 2, 1), [x.detach() + 1]]
optim.swa_utils.update_bn(batches, m)
y = list(m.state_dict().values()), m.training, m[1].momentum
del m
"""
CASES.append(Case("update_bn", UPDATE, {"x": real(5, 2)}, 1))

MODEL = "m = nn.Linear(2, 1)\no = optim.SGD(m.parameters(), lr=0.1)\nS = optim.swa_utils\ny = "
for call in (
    "optim.LBFGS(m.parameters(), lr=-1)", "optim.LBFGS([{'params': [p]} for p in m.parameters()])",
    "optim.LBFGS(m.parameters()).step()", "S.AveragedModel(m, None, max, max)",
    "S.get_ema_avg_fn(2.0)", "S.get_ema_multi_avg_fn(-1)", "S.SWALR(o, [0.1, 0.2])",
    "S.SWALR(o, 0.1, anneal_strategy='x')", "S.SWALR(o, 0.1, anneal_epochs=-1)",
    "S.SWALR(o, 0.1, anneal_epochs=1.5)",
):  # fmt: skip
    CASES.append(Case(f"averages {call}", MODEL + call, {}, 1))
