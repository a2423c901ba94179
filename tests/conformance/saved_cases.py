"""The values that an op saved, tested from outside: y = f(x), a write to x or y, then backward.

PyTorch raises if a vjp needs the value that was overwritten. We may allow the write if we save
less. We may never refuse a write that PyTorch allows: models would not run. Either way the
gradients equal those of the program without the write.
"""

import warnings
from typing import Any

SETUP = """
def real(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)
p0 = real([[0.5, 1.5, 0.25], [0.75, 0.1, 0.9]])
q0 = real([[2.0, 0.4, 1.25], [0.3, 0.7, 1.9]])
i0 = real([[[[0.5, 1.5, 0.25, 2.0], [0.75, 0.1, 0.9, -1.0]]]])
w = real([[[[1.0, 2.0], [3.0, -1.0]]]])
p, q, i = p0 * 1, q0 * 1, i0 * 1
"""

ONE = """
-p | p.abs() | p.exp() | p.log() | p.sqrt() | p.rsqrt() | p.sin() | p.cos() | p.tan() | p.tanh()
p.sigmoid() | p.relu() | p.square() | p.reciprocal() | 1.0 / p | p**2 | p**3 | p**-1 | 2.0**p
p.clamp(0.2, 0.8) | torch.log1p(p) | torch.expm1(p) | torch.erf(p) | p.sum(1) | p.mean(0) | p.amax(1)
p.max(1)[0] | p.max() | p.var(1) | p.std(1) | p.norm() | p.norm(2, 1) | p.logsumexp(1) | p.softmax(1)
p.log_softmax(1) | p.prod(1) | p.cumsum(1) | p.cumprod(1) | F.silu(p) | F.gelu(p) | F.elu(p - 1)
F.celu(p - 1) | F.selu(p - 1) | F.softplus(p) | F.leaky_relu(p - 1) | F.hardtanh(p) | F.relu6(p)
F.logsigmoid(p) | F.mish(p) | F.hardswish(p) | F.normalize(p)
F.layer_norm(p, (3,)) | F.batch_norm(p, None, None, training=True) | F.dropout(p, 0.0)
F.pad(p, (1, 1)) | torch.cat([p, p]) | torch.stack([p, p]) | p[:, [0, 2]] | p[p > 0.5] | p.flip(0)
torch.roll(p, 1, 0) | p.repeat(2, 1) | p.to(torch.float32) | p.clone() | p.masked_fill(p > 0.5, 0.0)
p.tril() | p * 2 | p / 2 | p + 1 | F.cross_entropy(p, torch.tensor([0, 1]))
F.nll_loss(p, torch.tensor([0, 1])) | p.gather(1, torch.tensor([[0], [1]])) | p.sort(1)[0]
torch.erfc(p) | p.unfold(1, 1, 2) | torch.quantile(p, 0.3, 1) | p.kthvalue(2, 1)[0] | p.nansum(1)
p.nanmean(1) | torch.diff(p) | p.mode(1)[0] | torch.atleast_3d(p) | torch.tensor_split(p, 2, 1)[0]
p.topk(2)[0] | F.prelu(p - 1, torch.tensor([0.1], dtype=torch.float64)) | F.glu(p.repeat(1, 2))
"""

TWO = """
p + q | p - q | p * q | p / q | p**q | torch.maximum(p, q) | torch.minimum(p, q) | p @ q.t()
torch.where(p > 0.5, p, q) | torch.atan2(p, q) | torch.hypot(p, q) | torch.logaddexp(p, q)
F.mse_loss(p, q) | F.l1_loss(p, q) | F.smooth_l1_loss(p, q) | F.huber_loss(p, q) | F.binary_cross_entropy(p.sigmoid(), q.sigmoid())
F.binary_cross_entropy_with_logits(p, q.sigmoid()) | F.kl_div(p, q) | F.linear(p, q)
torch.einsum('ij,kj->ik', p, q) | torch.addcmul(p, p, q) | F.cosine_similarity(p, q)
torch.lerp(p, q, 0.3) | torch.outer(p[0], q[0]) | F.pairwise_distance(p, q)
torch.xlogy(p, q) | torch.cdist(p, q) | torch.dist(p, q) | torch.cdist(p, q, 1.0)
p.index_put((torch.tensor([0]),), q[0]) | p.index_put((torch.tensor([0, 0]),), q[0], True)
p.scatter_reduce(1, torch.tensor([[0, 0, 2], [1, 0, 1]]), q, 'sum') | p.scatter_reduce(1, torch.tensor([[0, 0, 1]]), q[:1], 'mean')
torch.bmm(p[None], q.t()[None]) | torch.addmm(p[:, :2], p, q.t())
"""

CELLS = """
torch.gru_cell(p, q, p.repeat(5, 1)[:9], q.repeat(5, 1)[:9])
torch.rnn_tanh_cell(p, q, p.repeat(2, 1)[:3], q.repeat(2, 1)[:3])
torch.lstm_cell(p, (q, p), p.repeat(6, 1), q.repeat(6, 1))[0]
torch.lstm_cell(p, (q, p), p.repeat(6, 1), q.repeat(6, 1))[1]
"""

IMAGES = """
F.conv2d(i, w) | F.conv_transpose2d(i, w) | F.max_pool2d(i, 2) | F.avg_pool2d(i, 2)
F.adaptive_avg_pool2d(i, 1) | F.adaptive_max_pool2d(i, 1) | F.group_norm(i, 1) | F.instance_norm(i)
F.interpolate(i, scale_factor=2, mode='bilinear') | F.interpolate(i, scale_factor=2)
F.batch_norm(i, None, None, training=True) | F.local_response_norm(i, 1)
F.grid_sample(i, w * 0.1, align_corners=False) | F.grid_sample(i, w.detach() * 0.2, 'nearest', align_corners=True)
F.grid_sample(i.detach(), w * 0.1, 'bicubic', 'reflection', False)
F.pad(i, (1, 1, 1, 1), mode='reflect') | F.unfold(i, 2)
"""


def expressions(text: str) -> list[str]:
    return [e.strip() for line in text.strip().splitlines() for e in line.split("|")]


def cases() -> dict[str, tuple[str, list[str]]]:
    """name → (statements that end with y, the names that may be written to)."""
    found = {e: (f"y = {e}", ["p", "y"]) for e in expressions(ONE)}
    for e in expressions(TWO):
        found[e] = (f"y = {e}", ["p", "q", "y"])
        found[e + ", p constant"] = (f"p = p.detach()\ny = {e}", ["p", "q", "y"])
        found[e + ", q constant"] = (f"q = q.detach()\ny = {e}", ["p", "q", "y"])
    found |= {e: (f"y = {e}", ["p", "q", "y"]) for e in expressions(CELLS)}
    return found | {e: (f"y = {e}", ["i", "y"]) for e in expressions(IMAGES)}


def gradients(statements: str, lib: Any, written: str | None = None) -> list[Any] | None:
    """The gradients of the leaves; None if backward raises because a saved value was changed."""
    scope = {"torch": lib, "F": lib.nn.functional}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(SETUP, scope)
        exec(statements, scope)
        if written:
            scope[written].add_(1)
        try:
            scope["y"].sum().backward()
        except RuntimeError as error:
            if "modified by an inplace operation" in str(error):
                return None
            raise
    leaves = [scope[name].grad for name in ("p0", "q0", "i0", "w")]
    return [None if g is None else g.tolist() for g in leaves]


def table(lib: Any) -> dict[str, Any]:
    """name → the gradients, and whether each name may be written to."""
    return {
        name: {
            "gradients": gradients(statements, lib),
            "writable": {t: gradients(statements, lib, t) is not None for t in targets},
        }
        for name, (statements, targets) in cases().items()
    }
