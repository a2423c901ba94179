"""Transforms of functions: derivatives of derivatives, nested arguments, modules as functions, vmap."""

from .cases import Case, Input, positive, real

CASES: list[Case] = []
HEAD = "from collections import OrderedDict\nR = torch.func\n"
CUBE = "f = lambda x, w=1.0: (x.sin() * x * x * w).sum()\n"


def add(code: str, order: int = 2, grad: tuple[str, ...] | None = None, **inputs: Input) -> None:
    name = f"func {len(CASES)} {code.splitlines()[-1]}"
    CASES.append(Case(name, HEAD + code, inputs, order, grad))


X = real(3)
for call in (
    "R.grad(f)(x)", "R.grad_and_value(f)(x)", "R.grad(f, 0)(x, 2.0)", "R.grad(f, (0, 1))(x, z)",
    "R.grad(f, argnums=(-1,))(x, z)", "R.grad(f, 1)(x, z)",
    "R.grad(lambda d: f(d['a'], d['b'][0]))({'a': x, 'b': [z, x]})",
    "R.grad(lambda x: (f(x), x * 2), has_aux=True)(x)",
    "R.grad_and_value(lambda x: (f(x), {'k': x * 2}), has_aux=True)(x)",
    "R.grad(lambda y: f(y) * z.sum())(x)", "R.grad(lambda y: f(y * z) + (y * x).sum())(x)",
    "R.grad(lambda y: R.grad(f)(y).square().sum())(x)", "R.grad(lambda y: (z * 2).sum())(x)",
    "R.grad(lambda y: f(y).detach())(x)", "R.hessian(f)(x)", "R.hessian(f, (0, 1))(x, z)",
    "R.hessian(lambda y: f(y * z))(x)", "R.jacrev(R.grad(f))(x)", "R.jacfwd(R.jacrev(f))(x)",
    "R.jacrev(lambda x: x * x)(x)", "R.jacrev(lambda x, y: (x * y, {'s': y.sum()}), argnums=(0, 1))(x, z)",
    "R.jacrev(lambda x: (x * x, x), has_aux=True)(x)", "R.jacrev(lambda d: d['a'] * z)({'a': x})",
    "R.jacfwd(lambda x: x.exp())(x)", "R.jacrev(lambda x: x[:0])(x)",
    "R.vjp(f, x)[1](torch.tensor(2.0).double())", "R.vjp(lambda x, y: x * y, x, z)[1](z)",
    "R.vjp(lambda x: {'a': x * z, 'b': x.sum()}, x)[0]",
    "R.vjp(lambda x: {'a': x * z, 'b': x.sum()}, x)[1]({'a': x, 'b': z[0]})",
    "R.vjp(lambda x: (x * 2, x), x, has_aux=True)[2]", "R.jvp(f, (x,), (z,))",
    "R.jvp(lambda a, b: (a * b, a.exp()), (x, z), (z, x))",
    "R.jvp(lambda a: (a * a, a), (x,), (z,), has_aux=True)", "R.jvp(lambda a: z * 1.0, (x,), (z,))",
    "R.vmap(f)(m)", "R.vmap(R.grad(f))(m)", "R.vmap(f, in_dims=(1,))(m)", "R.vmap(f, (0, None))(m, z)",
    "R.vmap(lambda a, b: a.outer(b), in_dims=(0, None), out_dims=2)(m, z)",
    "R.vmap(lambda a: (a * 2, a.sum()), out_dims=(1, 0))(m)", "torch.vmap(torch.dot)(m, m)",
    "R.vmap(lambda d: d['a'] + d['b'], in_dims=({'a': 0, 'b': None},))({'a': m, 'b': z})",
    "R.vmap(R.vmap(lambda a, b: a * b, (0, None)), (None, 0))(x, z)", "R.vmap(lambda a: a, -1, -1)(m)",
    "R.vmap(lambda a: a * 2, chunk_size=1)(m)",
):  # fmt: skip
    add(f"{CUBE}y = {call}", x=X, z=positive(3), m=real(2, 3))
for call in ("R.grad(f)(x)", "R.vjp(f, x)[1](z[0])", "R.jacrev(f)(x)", "R.hessian(f)(x)"):
    add(f"{CUBE}with torch.no_grad():\n    y = {call}\nr = y[0] if isinstance(y, tuple) else y\n"
        "y = y, r.requires_grad", x=X, z=positive(3))  # fmt: skip
    add(f"{CUBE}x, z = x.detach(), z.detach()\ny = {call}\nr = y[0] if isinstance(y, tuple) else y\n"
        "y = y, r.requires_grad", order=1, x=X, z=positive(3))  # fmt: skip

NET = "net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))\nfill(net)\np = dict(net.named_parameters())\n"
for call in (
    "R.functional_call(net, {'0.weight': w}, x)", "R.functional_call(net, {'0.weight': w, '0.bias': w[:, 0]}, (x,))",
    "R.functional_call(net, ({'0.weight': w}, {'0.bias': w[:, 0]}), x)",
    "R.functional_call(net, {'0.weight': w}, args=None, kwargs={'input': x})",
    "R.functional_call(net, {'no such': w}, x)", "R.functional_call(net[0], {'weight': w, 'bias': w[:, 1]}, x, strict=True)",
    "R.grad(lambda q: R.functional_call(net[0], q, x).square().sum())({'weight': w})",
):  # fmt: skip
    add(f"{NET}y = {call}, net[1].running_mean, net[0].weight", x=real(4, 3), w=real(2, 3))
add(f"{NET}b = {{k: v.clone() for k, v in net.named_buffers()}}\ny = R.functional_call(net, b, x), b, "
    "net[1].running_mean", x=real(4, 3))  # fmt: skip
TIED = "a = fill(nn.Linear(3, 3))\nnet = nn.Sequential(a, nn.Linear(3, 3))\nfill(net)\nnet[1].weight = a.weight\n"
add(f"{TIED}y = R.functional_call(net, {{'0.weight': w}}, x)", x=real(2, 3), w=real(3, 3))
add(
    f"{TIED}y = R.functional_call(net, {{'1.weight': w}}, x, tie_weights=False)",
    x=real(2, 3),
    w=real(3, 3),
)
add("models = [fill(nn.Linear(3, 2)) for _ in range(3)]\np, b = R.stack_module_state(models)\n"
    "y = p, b, [v.requires_grad for v in p.values()], R.vmap(lambda p, x: R.functional_call(models[0], p, x), "
    "(0, None))(p, x)", x=real(4, 3))  # fmt: skip

ERRORS = [
    "R.grad(lambda x: x * 2)(x)", "R.grad(lambda x: 3.0)(x)", "R.grad(lambda x: (x.sum(), 1))(x)",
    "R.grad(f, 2)(x)", "R.grad(f)(3.0)", "R.grad(f)(torch.tensor([1]))", "R.grad(f, has_aux=True)(x)",
    "R.grad(lambda d: d['a'].sum())({'a': x, 'b': 1})", "R.jacrev(lambda x: x, has_aux=True)(x)",
    "R.functional_call(nn.Linear(3, 2), 5, x)", "R.functional_call(nn.Linear(3, 2), {'weight': 3}, x)",
    "R.functional_call(nn.Linear(3, 2), ({'bias': x}, {'bias': x}), x)",
    "R.functional_call(nn.Linear(3, 2), {'bias': x}, x, strict=True)",
    "R.functional_call(nn.Linear(3, 3), {'weight': x, 'bias': x, 'w': x}, x, strict=True)",
    "R.vmap(lambda a: 3)(x)", "R.vmap(lambda a, b: a)(x, torch.ones(4))", "R.vmap(f, None)(x)",
    "R.vmap(f)(3.0)", "R.vmap(f, (0, 0))(x)", "R.vmap(f, 5)(x)", "R.vmap(f, randomness='x')(x)",
    "R.vmap(lambda a: a + torch.rand(1))(x)", "R.vjp(lambda x: x * 2, x)[1](torch.ones(2))",
    "R.jvp(f, (x,), (torch.ones(2),))", "R.jvp(f, x, x)",
]  # fmt: skip
for call in ERRORS:
    CASES.append(Case(f"func {call}", f"{HEAD}{CUBE}y = {call}", {"x": X}, 1, ()))
