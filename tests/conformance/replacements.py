"""PyTorch's functions that draw, by their definitions, over NumPy generators.

Each makes the same draws in the same order as this package's function of that name.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from .randomness import Draws, Generator

Replacement = tuple[Any, str, Any]  # an object, and an attribute of it with its new value


def replacements(torch: Any, draws: Draws) -> list[Replacement]:
    """All that are replaced during a run."""
    return [
        *_new_tensors(torch, draws),
        *_in_place(torch, draws),
        *_initial(torch, draws),
        *_of_integers(torch, draws),
        *_layers(torch, draws),
        *_loading(torch, draws),
    ]


def _new_tensors(torch: Any, draws: Draws) -> list[Replacement]:
    def made(x: Any, requires_grad: bool) -> Any:
        return x.requires_grad_() if requires_grad else x

    def maker(method: str) -> Any:
        def make(*shape: Any, dtype: Any = None, device: Any = None, generator: Any = None,
                 requires_grad: bool = False) -> Any:  # fmt: skip
            shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
            dtype = dtype or torch.get_default_dtype()
            return made(draws.floats(method, shape, dtype, generator), requires_grad)

        return make

    def like(method: str) -> Any:
        def make(x: Any, *, dtype: Any = None, device: Any = None,
                 requires_grad: bool = False) -> Any:  # fmt: skip
            return made(draws.floats(method, x.shape, dtype or x.dtype), requires_grad)

        return make

    def normal(mean: Any, std: Any = 1, size: Any = None, *, generator: Any = None,
               dtype: Any = None, device: Any = None) -> Any:  # fmt: skip
        if size is None:
            shape = torch.broadcast_shapes(*(getattr(x, "shape", ()) for x in (mean, std)))
            dtype = torch.result_type(mean, std)
        else:
            shape, dtype = size, dtype or torch.get_default_dtype()
        with torch.no_grad():
            return draws.floats("standard_normal", shape, dtype, generator) * std + mean

    def bernoulli(x: Any, p: float | None = None, *, generator: Any = None) -> Any:
        return draws.below(x if p is None else p, x.shape, generator).to(x.dtype)

    return [
        (torch, "rand", maker("random")),
        (torch, "randn", maker("standard_normal")),
        (torch, "rand_like", like("random")),
        (torch, "randn_like", like("standard_normal")),
        (torch, "normal", normal),
        (torch, "bernoulli", bernoulli),
        (torch.Tensor, "bernoulli", bernoulli),
    ]


def _in_place(torch: Any, draws: Draws) -> list[Replacement]:
    def normal_(x: Any, mean: float = 0, std: float = 1, *, generator: Any = None) -> Any:
        return x.copy_(draws.floats("standard_normal", x.shape, x.dtype, generator) * std + mean)

    def uniform_(x: Any, a: float = 0, b: float = 1, *, generator: Any = None) -> Any:
        return x.copy_(draws.floats("random", x.shape, x.dtype, generator) * (b - a) + a)

    def bernoulli_(x: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
        return x.copy_(draws.below(p, x.shape, generator))

    def exponential_(x: Any, lambd: float = 1, *, generator: Any = None) -> Any:
        draw = draws.source(generator).standard_exponential(tuple(x.shape))
        return x.copy_(torch.from_numpy(np.asarray(draw)) / lambd)

    def random_(x: Any, low: int, high: int | None = None, *, generator: Any = None) -> Any:
        low, high = (0, low) if high is None else (low, high)
        draw = draws.source(generator).integers(low, high, tuple(x.shape))
        return x.copy_(torch.from_numpy(np.asarray(draw)))

    functions = (normal_, uniform_, bernoulli_, exponential_, random_)
    return [(torch.Tensor, function.__name__, function) for function in functions]


def _initial(torch: Any, draws: Draws) -> list[Replacement]:
    """Weights that are drawn and computed in float64, whatever their dtype."""

    def orthogonal_(x: Any, gain: float = 1, generator: Any = None) -> Any:
        rows, columns = x.shape[0], x.numel() // x.shape[0]
        shape = (max(rows, columns), min(rows, columns))
        q, r = torch.linalg.qr(draws.floats("standard_normal", shape, torch.float64, generator))
        q = q * r.diagonal().sign()
        with torch.no_grad():
            return x.copy_(gain * (q if rows >= columns else q.t()).reshape(x.shape))

    return [(torch.nn.init, "orthogonal_", orthogonal_)]


def _of_integers(torch: Any, draws: Draws) -> list[Replacement]:
    def manual_seed(seed: int) -> Generator:
        return draws.default.manual_seed(seed)

    def randint(low: int, high: Any, size: Any = None, *, generator: Any = None,
                dtype: Any = torch.int64, device: Any = None) -> Any:  # fmt: skip
        if size is None:
            low, high, size = 0, low, high
        draw = draws.source(generator).integers(low, high, tuple(size))
        return torch.from_numpy(np.asarray(draw)).to(dtype)

    def randperm(n: int, *, generator: Any = None, dtype: Any = torch.int64,
                 device: Any = None) -> Any:  # fmt: skip
        return torch.from_numpy(draws.source(generator).permutation(n)).to(dtype)

    def multinomial(x: Any, num_samples: int, replacement: bool = False, *,
                    generator: Any = None) -> Any:  # fmt: skip
        rng, weights = draws.source(generator), x.detach().double().numpy()
        rows = [rng.choice(len(p), num_samples, replacement, p / p.sum())
                for p in weights.reshape(-1, weights.shape[-1])]  # fmt: skip
        return torch.from_numpy(np.array(rows)).reshape(*x.shape[:-1], num_samples)

    def categorical(self: Any, sample_shape: Any = ()) -> Any:
        """The first k for which a draw from [0, 1) is below probs[0] + ... + probs[k]."""
        shape = self._extended_shape(torch.Size(sample_shape))
        ends = self.probs.detach().double().cumsum(-1)
        u = draws.floats("random", shape, torch.float64) * ends[..., -1]
        return (u.unsqueeze(-1) >= ends[..., :-1]).sum(-1)

    return [
        (torch, "manual_seed", manual_seed),
        (torch.random, "manual_seed", manual_seed),
        (torch, "Generator", Generator),
        (torch, "randint", randint),
        (torch, "randperm", randperm),
        (torch.utils.data.dataset, "randperm", randperm),
        (torch, "multinomial", multinomial),
        (torch.Tensor, "multinomial", multinomial),
        (torch.distributions.Categorical, "sample", categorical),
    ]


def _layers(torch: Any, draws: Draws) -> list[Replacement]:
    F, VF = torch.nn.functional, torch._VF
    fused_attention = F.scaled_dot_product_attention

    def dropout(axes: int | None) -> Any:
        """The mask has the size of the input in the first `axes` axes, and 1 in the others."""

        def function(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
            if not training or p == 0:
                return x
            shape = [n if axes is None or k < axes else 1 for k, n in enumerate(x.shape)]
            mask = (~draws.below(p, shape)).to(x.dtype) / (1 - p)
            return x.mul_(mask) if inplace else x * mask

        return function

    def attention(query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
                  is_causal: bool = False, **options: Any) -> Any:  # fmt: skip
        if dropout_p == 0:
            return fused_attention(query, key, value, attn_mask, 0.0, is_causal, **options)
        if is_causal:
            attn_mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            attn_mask = torch.zeros(attn_mask.shape).masked_fill(~attn_mask, float("-inf"))
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        weights = (scores if attn_mask is None else scores + attn_mask).softmax(-1)
        return dropout(None)(weights, dropout_p) @ value

    def recurrent(name: str) -> Any:
        """Layer by layer, with a dropout between: the fused function draws masks of its own."""
        fused = getattr(VF, name)

        def function(x: Any, *rest: Any) -> Any:
            packed = isinstance(rest[2], list)  # batch_sizes stand before the states, then
            sizes = rest[:1] if packed else ()
            hx, weights, bias, layers, p, training, bidirectional = rest[packed:][:7]
            first = () if packed else rest[-1:]
            if not training or p == 0:
                return fused(x, *rest)
            states, lasts, directions = hx if name == "lstm" else (hx,), [], 1 + bidirectional
            each = len(weights) // layers
            if first and first[0]:
                x = x.transpose(0, 1)
            for k in range(layers):
                given = [s[k * directions : (k + 1) * directions] for s in states]
                x, *last = fused(
                    x, *sizes, given if name == "lstm" else given[0],
                    weights[k * each : (k + 1) * each], bias, 1, 0.0, True, bidirectional,
                    *([False] if first else []),
                )  # fmt: skip
                lasts.append(last)
                if k < layers - 1:
                    x = dropout(None)(x, p)
            x = x.transpose(0, 1) if first and first[0] else x
            return (x, *(torch.cat(parts) for parts in zip(*lasts, strict=True)))

        return function

    return [
        (F, "dropout", dropout(None)),
        (F, "dropout1d", dropout(2)),
        (F, "dropout2d", dropout(2)),
        (F, "dropout3d", dropout(2)),
        (F, "scaled_dot_product_attention", attention),
        *((VF, name, recurrent(name)) for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")),
    ]


def _loading(torch: Any, draws: Draws) -> list[Replacement]:
    """A pass over a loader draws one number, from which the order and all batches follow."""
    data = torch.utils.data

    def order(self: Any) -> Iterator[int]:
        seed = int(draws.source(self.generator).integers(2**63))
        rng, n, left = Generator(seed=seed).numpy, len(self.data_source), self.num_samples
        if self.replacement:
            return iter(rng.integers(0, n, left).tolist())
        orders = [rng.permutation(n) for _ in range(-(-left // n))]
        return iter(np.concatenate(orders)[:left].tolist())

    def batches(self: Any, seed: int) -> Iterator[Any]:
        number = lambda k: Generator(seed=(seed + 0x9E3779B97F4A7C15 * (k + 1)) % 2**64)  # noqa: E731
        stream, kind = number(0), data.dataloader._DatasetKind
        with draws.drawing_from(stream):
            jobs = iter(self._index_sampler)
            fetcher = kind.create_fetcher(
                self._dataset_kind, self.dataset, self._auto_collation, self.collate_fn,
                self.drop_last,
            )  # fmt: skip
        for k in count(1):
            whole = stream if self._dataset_kind == kind.Iterable else number(k)
            try:
                with draws.drawing_from(stream):
                    job = next(jobs)
                with draws.drawing_from(whole):
                    batch = fetcher.fetch(job)
            except StopIteration:
                return
            yield batch

    def one_pass(self: Any) -> Iterator[Any]:
        return batches(self, int(draws.source(self.generator).integers(2**63)))

    return [(data.RandomSampler, "__iter__", order), (data.DataLoader, "__iter__", one_pass)]
