"""Pruning: masks, names, gradients and errors."""

from .cases import Case, real

CASES: list[Case] = []
IMPORT = "import importlib\nP = importlib.import_module(nn.__name__ + '.utils.prune')\n"
MODULE = IMPORT + "m = fill(nn.Linear(4, 3))\n"
TABLE = """
x = x.detach()
loss = (m(x) * torch.arange(3.0).double()).square().sum()
loss.backward()
grads = [(n, p.grad) for n, p in m.named_parameters()]
y = m(x), m.weight, loss, grads, [n for n, _ in m.named_buffers()], list(m.state_dict()), list(m.state_dict().values()), P.is_pruned(m), P.is_pruned(nn.Sequential(m))
del m
"""
CALLS = (
    "P.identity(m, 'weight')", "P.l1_unstructured(m, 'weight', 5)",
    "P.l1_unstructured(m, 'weight', 0.3)", "P.l1_unstructured(m, 'weight', amount=0)",
    "P.l1_unstructured(m, 'weight', 1.0)", "P.l1_unstructured(m, 'bias', 1)",
    "P.l1_unstructured(m, 'weight', 3, importance_scores=torch.arange(12.0).reshape(3, 4))",
    "P.ln_structured(m, 'weight', 1, 2, 0)", "P.ln_structured(m, 'weight', 0.5, n=1, dim=-1)",
    "P.ln_structured(m, 'weight', 0.5, float('inf'), 1)",
    "P.ln_structured(m, 'weight', 2, 2, 0, importance_scores=torch.arange(12.0).reshape(3, 4).double())",
    "P.custom_from_mask(m, 'weight', torch.arange(12).reshape(3, 4) % 3)",
    "P.custom_from_mask(m, name='bias', mask=torch.tensor([1, 0, 1]))",
    "P.l1_unstructured(m, 'weight', 3); P.l1_unstructured(m, 'weight', 3)",
    "P.l1_unstructured(m, 'weight', 0.5); P.ln_structured(m, 'weight', 1, 2, 0)",
    "P.ln_structured(m, 'weight', 1, 2, 1); P.ln_structured(m, 'weight', 0.5, 2, 1)",
    "P.ln_structured(m, 'weight', 1, 2, 0); P.l1_unstructured(m, 'weight', 0.5)",
    "P.l1_unstructured(m, 'weight', 2); P.custom_from_mask(m, 'weight', torch.ones(3, 4))",
    "P.l1_unstructured(m, 'weight', 5); P.remove(m, 'weight')",
    "P.l1_unstructured(m, 'bias', 1); P.l1_unstructured(m, 'weight', 2); P.remove(m, 'bias')",
    "P.global_unstructured([(m, 'weight'), (m, 'bias')], P.L1Unstructured, amount=0.4)",
    "P.global_unstructured(tuple((m, n) for n in ('bias', 'weight')), P.L1Unstructured, amount=4)",
    "P.l1_unstructured(m, 'weight', 3); P.global_unstructured([(m, 'weight'), (m, 'bias')], "
    "pruning_method=P.L1Unstructured, amount=0.5)",
    "P.global_unstructured([(m, 'weight')], P.L1Unstructured, amount=3, importance_scores="
    "{(m, 'weight'): torch.arange(12.0).reshape(3, 4)})",
    "P.L1Unstructured.apply(m, 'weight', 2); P.remove(m, 'weight'); P.l1_unstructured(m, 'weight', 4)",
)  # fmt: skip
for call in CALLS:
    CASES.append(Case(f"prune {call}", MODULE + call + TABLE, {"x": real(2, 4)}, 1))
for method in ("L1Unstructured(3)", "LnStructured(1, 2, 0)", "LnStructured(0.5, 1)", "Identity()"):
    code = (
        f"{IMPORT}m = P.{method}\nd = torch.ones(2, 4).double()\nd[0, 1] = 0\n"
        "y = m.prune(x), m.prune(x, d), m.prune(x, importance_scores=-x.flip(0)), m.PRUNING_TYPE"
    )
    CASES.append(Case(f"prune {method}", code, {"x": real(2, 4)}, 1))
ERRORS = (
    "P.l1_unstructured(m, 'weight', -1)", "P.l1_unstructured(m, 'weight', 1.5)",
    "P.l1_unstructured(m, 'weight', 13)", "P.l1_unstructured(m, 'weight', 'a')",
    "P.l1_unstructured(m, 'other', 1)", "P.ln_structured(m, 'bias', 1, 2, 0)",
    "P.ln_structured(m, 'weight', 1, 2, 5)", "P.remove(m, 'weight')",
    "P.custom_from_mask(m, 'weight', torch.ones(3))", "P.random_structured(m, 'bias', 1, 0)",
    "P.l1_unstructured(m, 'bias', 1, importance_scores=torch.ones(4))",
    "P.global_unstructured([(m, 'weight')], P.RandomStructured, amount=1)",
    "P.global_unstructured(3, P.L1Unstructured, amount=1)",
    "P.global_unstructured([(m, 'weight')], P.L1Unstructured, importance_scores=3, amount=1)",
)  # fmt: skip
for call in ERRORS:
    CASES.append(Case(f"prune {call}", MODULE + "y = " + call, {}, 1))
