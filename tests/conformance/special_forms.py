"""The calls of the special-value net: every function and method that PyTorch has too.

A call is Python over `torch` and `F` with marked operands (`special_cases` reads the marks):

    x@          a Tensor of 4 numbers               x@2.3       of shape (2, 3)
    x@2.3!      that requires no gradient           x@4%        of numbers between 0 and 1
    i@3<4       int64 indices below 4               m@4?        a mask
    $0.5        a Python number
"""

from __future__ import annotations

from .special_functional import ACTIVATIONS, FUNCTIONAL, LOSSES
from .special_later import LATER

UNARY = """
    abs acos acosh asin asinh atan atanh ceil cos cosh erf erfinv exp expm1 floor frac log log10 log1p
    log2 logit nan_to_num neg reciprocal relu round rsqrt sgn sigmoid sign sin sinh sqrt square tan
    tanh trunc isfinite isinf isnan isneginf isposinf logical_not bitwise_not argwhere nonzero
    numel is_floating_point clone cumsum:0 cumprod:0 ravel t trace diag flipud fliplr
    sum prod mean std var median max min amax amin aminmax all any argmax argmin norm count_nonzero
    std_mean var_mean logsumexp:0 softmax:0 log_softmax:0 sort argsort unique topk:2 squeeze
    zeros_like ones_like unsqueeze:0 tril triu
"""
# the ones that differ along an axis, or keep it
ALONG = """
    sum prod mean std var median max min amax amin all any argmax argmin norm count_nonzero std_mean
    var_mean logsumexp cumsum cumprod softmax log_softmax
"""
BINARY = """
    add sub mul div floor_divide remainder fmod pow atan2 maximum minimum rsub eq ne lt le gt ge
    logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor isclose allclose equal
"""
OTHERS = """
    torch.add(x@, y@, alpha=$2)
    torch.sub(x@, y@, alpha=$0.5)
    torch.rsub(x@, y@, alpha=$2)
    torch.div(x@, y@, rounding_mode='floor')
    torch.div(x@, y@, rounding_mode='trunc')
    torch.div(x@, $2, rounding_mode='trunc')
    torch.max(x@, y@)
    torch.min(x@, y@)
    torch.isclose(x@, y@, rtol=$0.1, atol=$0.1)
    torch.isclose(x@, y@, equal_nan=True)
    torch.clamp(x@, $-0.5, $0.5)
    torch.clamp(x@, y@, z@)
    torch.clamp(x@, min=y@)
    torch.clamp(x@, max=y@)
    torch.clamp(x@, min=$0.5)
    torch.clamp(x@, max=$0.5)
    torch.clamp_min(x@, $0.5)
    torch.clamp_min(x@, y@)
    torch.clamp_max(x@, $0.5)
    torch.clamp_max(x@, y@)
    torch.where(m@4?, x@, y@)
    torch.where(m@4?, x@, $1)
    torch.where(m@4?, $1.5, x@)
    torch.where(x@)
    torch.lerp(x@, y@, z@)
    torch.lerp(x@, y@, $0.5)
    torch.addcmul(x@, y@, z@)
    torch.addcmul(x@, y@, z@, value=$2)
    torch.addcdiv(x@, y@, z@)
    torch.addcdiv(x@, y@, z@, value=$0.5)
    torch.logit(x@, $0.1)
    torch.logit(x@, eps=$0.5)
    torch.round(x@, decimals=1)
    torch.round(x@, decimals=-1)
    torch.nan_to_num(x@, $1.5, $2, $-2)
    torch.sum(x@, dtype=torch.float64)
    torch.sum(x@, dtype=torch.int64)
    torch.sum(x@, dtype=torch.uint8)
    torch.sum(x@2.3, 1, dtype=torch.bool)
    torch.prod(x@, dtype=torch.int32)
    torch.cumsum(x@, 0, dtype=torch.uint8)
    torch.mean(x@, dtype=torch.float64)
    torch.prod(x@, dtype=torch.float64)
    torch.cumsum(x@, 0, dtype=torch.float64)
    torch.cumsum(x@, 0, dtype=torch.int64)
    torch.cumprod(x@, 0, dtype=torch.float64)
    torch.softmax(x@, 0, dtype=torch.float64)
    torch.log_softmax(x@, 0, dtype=torch.float64)
    torch.std(x@, unbiased=False)
    torch.var(x@, correction=$0)
    torch.var(x@2.3, 1, correction=$2)
    torch.var(x@2.3, (0, 1))
    torch.norm(x@, $1)
    torch.norm(x@, $3)
    torch.norm(x@, $0)
    torch.norm(x@, $-1.5)
    torch.norm(x@, 'inf' and float('inf'))
    torch.norm(x@, float('-inf'))
    torch.norm(x@, 2, dtype=torch.float64)
    torch.norm(x@2.3, $1, 1)
    torch.norm(x@2.3, $3, 1)
    torch.norm(x@2.3, $0, 1)
    torch.norm(x@2.3, float('inf'), 1)
    torch.norm(x@2.3, float('-inf'), 0)
    torch.norm(x@2.3, 'fro', (0, 1))
    torch.aminmax(x@2.3, dim=1)
    torch.histc(x@, 4)
    torch.histc(x@, 4, $-1, $1)
    torch.bincount(i@4<5)
    torch.bincount(i@4<5, x@!)
    torch.bincount(i@4<5, minlength=7)
    torch.bernoulli(p@4%)
    torch.bernoulli(p@4%, $0.5)
    torch.multinomial(p@4%, 2)
    torch.multinomial(p@2.3%, 2, replacement=True)
    torch.normal(x@, y@)
    torch.normal(x@, $2)
    torch.normal($1, x@)
    torch.rand_like(x@)
    torch.randn_like(x@)
    torch.randint_like(x@, 5)
    torch.randint_like(x@, 5, dtype=torch.float64)
    torch.randint_like(x@, 2, 5, device='cpu')
    torch.randint_like(x@, $5)
    torch.empty_like(x@)
    torch.full_like(x@, $2)
    torch.full_like(x@, $2, dtype=torch.int64)
    torch.zeros_like(x@, dtype=torch.float64)
    torch.ones_like(x@, dtype=torch.float16)
    torch.tensor(x@!)
    torch.tensor($2)
    torch.tensor([$2, $1])
    torch.tensor([$2], dtype=torch.int64)
    torch.tensor([$2], dtype=torch.float16)
    torch.tensor([$2], dtype=torch.bool)
    torch.tensor([[$2], [$1]])
    torch.tensor([x@1!, $2])
    torch.as_tensor(x@)
    torch.as_tensor($2)
    torch.as_tensor([$2, 3])
    torch.as_tensor(x@, dtype=torch.float64)
    torch.asarray(x@)
    torch.asarray(x@, dtype=torch.float64)
    torch.asarray([$1, 2])
    torch.scalar_tensor($2)
    torch.scalar_tensor($2, dtype=torch.float64)
    torch.scalar_tensor($2, device='cpu')
    torch.scalar_tensor($2, dtype=torch.int64)
    torch.full((2,), $2)
    torch.full((), $2)
    torch.full((2,), $2, dtype=torch.float16)
    torch.full((2,), $2, dtype=torch.int64)
    torch.full((2,), $2, dtype=torch.uint8)
    torch.full((2,), $2, dtype=torch.bool)
    torch.full((2,), x@.sum())
    torch.arange($5)
    torch.arange($1, $5)
    torch.arange($1, $5, $2)
    torch.arange($5, dtype=torch.float16)
    torch.arange($0, $1, $0.25, dtype=torch.float64)
    torch.arange($5, dtype=torch.uint8)
    torch.arange($3.1, dtype=torch.int64)
    torch.arange($0.5, $3.6, $1.2, dtype=torch.int64)
    torch.arange($0.5, $3.6, $1.2, dtype=torch.int32)
    torch.linspace($0, $1, 5)
    torch.linspace($0, $10, 5, dtype=torch.int64)
    torch.linspace($-3, $10, 7, dtype=torch.int64)
    torch.linspace($0, $1, 5, dtype=torch.float16)
    torch.linspace($0, $1, 5, dtype=torch.float64)
    torch.linspace($0, $1, 1)
    torch.linspace($0, $1, 0)
    torch.linspace(x@.sum(), y@.sum(), 3)
    torch.linspace(x@!, $1, 3)
    torch.linspace(x@1!, $1, 3)
    torch.linspace($1, x@1!, 3)
    torch.logspace($0, $1, 5)
    torch.logspace($0, $2, 3, dtype=torch.int64)
    torch.logspace($0, $3, 5, dtype=torch.int64)
    torch.logspace($0, $3, 5, $2, dtype=torch.int64)
    torch.logspace($0, $1, 5, $2)
    torch.logspace($0, $1, 5, $2, dtype=torch.float64)
    torch.logspace($-0.1, $0.3, 5, $2.5)
    torch.logspace(torch.tensor(0.1), torch.tensor(0.7), 4)
    torch.logspace(torch.tensor(0.1), torch.tensor(0.7), 4, dtype=torch.float64)
    torch.logspace(x@1!, $1, 3)
    torch.eye(3, 2)
    torch.eye(2, dtype=torch.int64)
    torch.eye(2, dtype=torch.bool)
    torch.tril_indices(3, 3)
    torch.tril_indices(3, 3, dtype=torch.int32)
    torch.tril_indices(2, 4, 1, device='cpu')
    torch.tril_indices(2, 4, dtype=torch.float32)
    torch.triu_indices(3, 3)
    torch.triu_indices(3, 3, dtype=torch.int32)
    torch.triu_indices(2, 4, -1, device='cpu')
    torch.triu_indices(2, 0)
    torch.zeros(2, 0)
    torch.ones(2, dtype=torch.float16)
    torch.empty(0)
    torch.rand(2, dtype=torch.float16)
    torch.rand(2, dtype=torch.int64)
    torch.randn(2, dtype=torch.float64)
    torch.randn(2, dtype=torch.int64)
    torch.randint(5, (2,))
    torch.randint(5, (2,), dtype=torch.float32)
    torch.randint($2, $5, (2,))
    torch.randint(5, 5, (2,))
    torch.randint(300, (2,), dtype=torch.uint8)
    torch.randperm(4)
    torch.randperm(4, dtype=torch.float32)
    torch.randperm(0)
    torch.normal($0, $1, (2,))
    torch.normal($0, $1, (2,), dtype=torch.float64)
    torch.from_numpy(x@!.numpy())
    torch.is_tensor(x@)
    torch.promote_types(x@.dtype, y@.dtype)
    torch.mm(x@2.3, y@3.2)
    torch.matmul(x@3, y@3)
    torch.matmul(x@2.3, y@3)
    torch.matmul(x@3, y@3.2)
    torch.matmul(x@2.2.3, y@3.2)
    torch.bmm(x@2.2.3, y@2.3.2)
    torch.mv(x@2.3, y@3)
    torch.dot(x@, y@)
    torch.vdot(x@, y@)
    torch.inner(x@, y@)
    torch.inner(x@2.3, y@2.3)
    torch.outer(x@3, y@2)
    torch.ger(x@3, y@2)
    torch.kron(x@2, y@2)
    torch.cross(x@3, y@3)
    torch.cross(x@2.3, y@2.3, dim=1)
    torch.addmm(x@2.2, y@2.3, z@3.2)
    torch.addmm(x@2, y@2.3, z@3.2, beta=$0.5, alpha=$2)
    torch.addmm(x@2.2, y@2.3, z@3.2, beta=$0)
    torch.addmv(x@2, y@2.3, z@3)
    torch.addmv(x@2, y@2.3, z@3, beta=$2, alpha=$0.5)
    torch.addmv(x@2, y@2.3, z@3, beta=$0)
    torch.baddbmm(x@2.2.2, y@2.2.3, z@2.3.2)
    torch.baddbmm(x@2.2.2, y@2.2.3, z@2.3.2, beta=$0.5, alpha=$2)
    torch.einsum('ij,jk->ik', x@2.3, y@3.2)
    torch.einsum('i,i->', x@3, y@3)
    torch.einsum('ij->ji', x@2.3)
    torch.einsum('i,j->ij', x@3, y@2)
    torch.tensordot(x@2.3, y@3.2, 1)
    torch.tensordot(x@2.3, y@2.3, 2)
    torch.tensordot(x@2.1, y@2.2, 1)
    torch.tensordot(x@2.3, y@1.2, ([1], [0]))
    torch.tensordot(x@3, y@2, 0)
    torch.gather(x@2.3, 1, i@2.2<3)
    torch.gather(x@, 0, i@3<4)
    torch.take(x@, i@3<4)
    torch.take_along_dim(x@, i@3<4)
    torch.take_along_dim(x@2.3, i@2.3<3, 1)
    torch.take_along_dim(x@2.3, i@1.3<2, 0)
    torch.index_select(x@, 0, i@3<4)
    torch.index_select(x@2.3, 1, i@3<3)
    torch.index_fill(x@, 0, i@2<4, $2)
    torch.index_fill(x@, 0, i@2<4, y@1.sum())
    torch.index_fill(x@2.3, 1, i@2<3, $1.5)
    torch.index_copy(x@, 0, i@1<4, y@1)
    torch.index_copy(x@2.3, 1, i@1<3, y@2.1)
    torch.index_add(x@, 0, i@2<4, y@2)
    torch.index_add(x@, 0, i@2<4, y@2, alpha=$2)
    torch.index_add(x@2.3, 1, i@2<3, y@2.2, alpha=$0.5)
    torch.scatter(x@, 0, i@1<4, y@1)
    torch.scatter(x@, 0, i@2<4, $2)
    torch.scatter(x@2.3, 1, i@2.1<3, y@2.1)
    torch.scatter(x@!, 0, i@3<4, y@3!, reduce='add')
    torch.scatter(x@!, 0, i@3<4, y@3!, reduce='multiply')
    torch.scatter(x@!, 0, i@3<4, $2, reduce='multiply')
    torch.scatter_add(x@, 0, i@3<4, y@3)
    torch.scatter_add(x@2.3, 1, i@2.2<3, y@2.2)
    torch.masked_fill(x@, m@4?, $2)
    torch.masked_fill(x@, m@4?, y@1.sum())
    torch.masked_fill(x@2.3, m@3?, $0.5)
    torch.masked_scatter(x@, m@4?, y@4)
    torch.masked_scatter(x@3, m@2.3?, y@6)
    torch.masked_scatter(x@2.3, m@3?, y@6)
    torch.masked_select(x@, m@4?)
    torch.masked_select(x@2.3, m@3?)
    torch.nonzero(x@, as_tuple=True)
    torch.median(x@2.3, 1, keepdim=True)
    torch.sort(x@, descending=True)
    torch.sort(x@2.3, 0)
    torch.topk(x@, 2, largest=False)
    torch.topk(x@2.3, 1, 0)
    torch.unique(x@, return_inverse=True, return_counts=True)
    torch.unique(x@2.3, dim=0)
    torch.cat([x@, y@])
    torch.cat([x@2.3, y@2.3], 1)
    torch.concat([x@, y@, z@])
    torch.stack([x@, y@])
    torch.hstack([x@, y@])
    torch.vstack([x@, y@])
    torch.dstack([x@, y@])
    torch.broadcast_tensors(x@, y@1)
    torch.broadcast_to(x@, (2, 4))
    torch.meshgrid(x@, y@, indexing='ij')
    torch.chunk(x@, 3)
    torch.split(x@, 3)
    torch.split(x@, [1, 3])
    torch.unbind(x@)
    torch.flip(x@, (0,))
    torch.flip(x@, ())
    torch.roll(x@, 1)
    torch.roll(x@, (1,), (0,))
    torch.roll(x@, ())
    torch.roll(x@2.3, (1, 1), (0, 1))
    torch.rot90(x@2.3)
    torch.transpose(x@2.3, 0, 1)
    torch.transpose(x@, 0, 0)
    torch.permute(x@2.3, (1, 0))
    torch.movedim(x@2.3, 0, 1)
    torch.moveaxis(x@2.3, 0, 1)
    torch.swapaxes(x@2.3, 0, 1)
    torch.reshape(x@, (2, 2))
    torch.reshape(x@, (-1,))
    torch.flatten(x@)
    torch.unflatten(x@, 0, (2, 2))
    torch.squeeze(x@1.3, 0)
    torch.tile(x@, (2,))
    torch.repeat_interleave(x@, 2)
    torch.repeat_interleave(x@, i@4<3)
    torch.repeat_interleave(i@3<4)
    torch.diag(x@2.3)
    torch.diag(x@, 1)
    torch.diagonal(x@2.3)
    torch.diag_embed(x@)
    torch.narrow(x@, 0, 1, 2)
    torch.select(x@, 0, 1)
    torch.logsumexp(x@2.3, (0, 1))
    torch.tril(x@2.3)
    torch.triu(x@2.3, 1)
    x@.expand(2, 4)
    x@.expand_as(y@2.4)
    x@.repeat(2)
    x@.repeat(2, 2)
    x@.view(-1)
    x@.reshape_as(y@2.2)
    x@.view_as(y@2.2)
    x@.type_as(y@)
    x@.to(y@)
    x@.to(torch.int64)
    x@.to(torch.uint8)
    x@.to(torch.float16)
    x@.bool()
    x@.float()
    x@.double()
    x@.half()
    x@.int()
    x@.long()
    x@.item()
    x@1.item()
    x@.tolist()
    x@1.tolist()
    x@.new_full((2,), $2)
    x@.new_tensor($2)
    x@.new_tensor([$2, 1])
    x@.new_zeros(2)
    x@.new_ones((2,), dtype=torch.int64)
    x@.detach()
    x@.contiguous()
    x@.positive()
    x@.data
    x@.T
    x@2.3.mT
    x@.requires_grad
    x@.is_contiguous()
    x@.element_size()
    x@.size()
    x@.dim()
    x@1.bool().all()
    bool(x@1)
    int(x@1)
    float(x@1)
    len(x@)
    list(x@)
    abs(x@)
    -x@
    ~x@
    x@ + $2
    $2 + x@
    x@ - $0.5
    $2 - x@
    x@ * $0.5
    x@ / $2
    $1 / x@
    x@ // $2
    $3 // x@
    x@ % $2
    $3 % x@
    x@ ** $2
    $2 ** x@
    x@ ** $0.5
    x@ ** $0
    x@ & y@
    x@ | $2
    x@ ^ $1
    x@ == $0.5
    x@ < $1
    x@ >= $0
    x@ != y@
    x@[i@2<4]
    x@[i@2.2<4]
    x@[m@4?]
    x@2.3[m@2.3?]
    x@2.3[m@2?]
    x@2.3[:, m@3?]
    x@2.3[i@2<2, i@2<2]
    x@2.3[i@1<2, m@3?]
    x@[0]
    x@[-1:]
    x@[None]
    x@[...]
    x@[True]
    x@[()]
    x@[$1]
    put(x@, 0, y@1.sum())
    put(x@, m@4?, $2)
    put(x@, m@4?, y@1)
    put(x@, i@2<4, $2)
    put(x@, i@1<4, y@1)
    put(x@, slice(1, 3), y@2)
    put(x@, ..., $1.5)
    put(x@2.3, (slice(None), m@3?), $0)
    put(x@2.3, m@2?, y@3)
    put(x@2.3, (i@1<2, i@1<3), y@1)
    x@.clone().fill_($2)
    x@.clone().fill_(y@1.sum())
    x@.clone().zero_()
    x@.clone().copy_(y@)
    x@.clone().copy_(y@1)
    x@!.clone().bernoulli_($0.5)
    x@!.clone().bernoulli_(p@4%!)
    x@!.clone().exponential_($1)
    x@!.clone().normal_($0, $1)
    x@!.clone().uniform_($0, $1)
    x@!.clone().random_(5)
    x@!.clone().random_(2, 5)
    x@!.clone().random_()
    x@.clone().__iadd__(y@)
    x@.clone().__isub__(y@)
    x@.clone().__imul__($2)
    x@.clone().__itruediv__(y@)
    x@.clone().__ifloordiv__(y@)
    x@.clone().__imod__(y@)
    x@.clone().__ipow__(y@)
    x@.clone().__iand__(y@)
    x@.clone().__ior__(y@)
    x@.clone().__ixor__(y@)
    x@.clone().masked_fill_(m@4?, $2)
    x@.clone().index_fill_(0, i@2<4, $2)
    x@.clone().subtract_(y@)
    x@.clone().divide_(y@)
    x@.clone().multiply_(y@)
    x@.clone().erfinv_()
    x@.clone().requires_grad_()
    torch.utils.data.default_collate([$1, $2])
    torch.utils.data.default_collate([x@!, y@!])
    torch.utils.data.default_collate([x@1!.sum().numpy(), y@1!.sum().numpy()])
"""
# what is drawn is not compared: shapes, dtypes, requires_grad and errors are
RANDOM = r"bernoulli|multinomial|normal\w*\(|rand|(alpha_|F\.)dropout|gumbel|rrelu_?\(|empty|resize_|(exponential|uniform|random)_"


def forms() -> list[str]:
    """All calls, in the order of the tables; each in-place method beside its function."""
    found = []
    for word in UNARY.split():
        name, _, argument = word.partition(":")
        found.append(f"torch.{name}(x@{', ' + argument if argument else ''})")
    found += [f"torch.{name}(x@2.3, dim=1)" for name in ALONG.split()]
    found += [f"torch.{name}(x@, y@)" for name in BINARY.split()]
    found += [
        f"torch.{name}(x@, $2)" for name in BINARY.split() if name not in BOTH_TENSORS.split()
    ]
    found += _lines(OTHERS)
    for word in ACTIVATIONS.split():
        name, _, arguments = word.partition(":")
        operand = "x@.clone()" if name.endswith("_") else "x@"
        found.append(f"F.{name}({operand}{', ' + arguments if arguments else ''})")
    for name in LOSSES.split():
        found += [f"F.{name}(x@, y@)", f"F.{name}(x@, y@, reduction='sum')"]
        found.append(f"F.{name}(x@2.3, y@2.3, reduction='none')")
    return list(dict.fromkeys(found + _lines(FUNCTIONAL) + _lines(LATER)))


BOTH_TENSORS = "atan2 maximum minimum logical_and logical_or logical_xor isclose allclose equal"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
