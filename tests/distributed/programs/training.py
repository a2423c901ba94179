"""DistributedDataParallel and SyncBatchNorm: n ranks are one process with the whole batch."""

import copy

import networks
import numpy as np
from checks import raises, run
from tinygrad_cnn.distributed.algorithms.ddp_comm_hooks import default_hooks

import tinygrad_cnn as torch
import tinygrad_cnn.distributed as dist
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim
from tinygrad_cnn.nn.parallel import DistributedDataParallel as DDP
from tinygrad_cnn.utils.data import DataLoader, DistributedSampler, TensorDataset

EACH = 4  # samples of a rank


def mlp(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 3))


def data(size, *shape, classes=3):
    """A batch of all ranks, and the labels, in float64."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(EACH * size, *shape, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, classes, (EACH * size,), generator=generator)


def part(x, rank):
    return x[rank * EACH : (rank + 1) * EACH]


def same_everywhere(tensors):
    """Whether all ranks have equal bits."""
    mine = [t.detach().numpy().tobytes() for t in tensors]
    found = [None] * dist.get_world_size()
    dist.all_gather_object(found, mine)
    return all(other == found[0] for other in found)


def gap(found, wanted):
    """The largest difference of gradients, relative to the largest gradient."""
    pairs = list(zip(found, wanted, strict=True))
    scale = max(float(b.grad.abs().max()) for _, b in pairs)
    return max(float((a.grad - b.grad).abs().max()) for a, b in pairs) / scale


def check_gradients_of_networks(rank, size):
    for name, make, shape in networks.ALL:
        whole = make().double()
        net = nn.SyncBatchNorm.convert_sync_batchnorm(make()).double()
        if rank:
            for p in net.parameters():  # the constructor sends those of rank 0
                p.data += 1.0
        ddp = DDP(net, bucket_cap_mb=0.05)
        x, y = data(size, *shape)
        for _ in range(2):
            F.cross_entropy(whole(x), y).backward()
            F.cross_entropy(ddp(part(x, rank)), part(y, rank)).backward()
            assert gap(net.parameters(), whole.parameters()) < 1e-12, name
        for a, b in zip(net.buffers(), whole.buffers(), strict=True):
            assert np.allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-14), name
        assert same_everywhere([p.grad for p in net.parameters()]), name


def check_replicas_of_every_optimizer_stay_equal(rank, size):
    x, y = data(size, 5)
    x = x.float()
    for name in networks.OPTIMIZERS:
        net = mlp(seed=rank)
        ddp = DDP(net)
        optimizer = getattr(optim, name)(net.parameters(), lr=1e-2)

        def closure(ddp=ddp, optimizer=optimizer):
            optimizer.zero_grad()
            loss = F.cross_entropy(ddp(part(x, rank)), part(y, rank))
            loss.backward()
            dist.all_reduce(loss.detach())
            return loss

        steps = 100 if size == 2 else 20
        for _ in range(steps if name != "LBFGS" else 5):
            optimizer.step(closure)
        assert same_everywhere(net.parameters()), name
        state = [
            v for s in optimizer.state.values() for v in s.values() if isinstance(v, torch.Tensor)
        ]
        assert same_everywhere(state), name


def check_runs_have_equal_bits(rank, size):
    x, y = data(size, 3, 8, 8)

    def once():
        net = networks.convolutional().float()
        ddp = DDP(net, bucket_cap_mb=0.01)
        for _ in range(5):
            F.cross_entropy(ddp(part(x.float(), rank)), part(y, rank)).backward()
        return [p.grad.numpy().tobytes() for p in net.parameters()]

    assert once() == once()


def check_no_sync(rank, size):
    x, y = data(size, 5)
    whole, net = mlp().double(), mlp().double()
    ddp = DDP(net)
    with ddp.no_sync():
        F.cross_entropy(ddp(part(x, rank)), part(y, rank)).backward()
    assert not same_everywhere([p.grad for p in net.parameters()])
    kept = net[0].weight.grad
    F.cross_entropy(ddp(part(2 * x, rank)), part(y, rank)).backward()
    F.cross_entropy(whole(x), y).backward()
    F.cross_entropy(whole(2 * x), y).backward()
    assert gap(net.parameters(), whole.parameters()) < 1e-12
    assert same_everywhere([p.grad for p in net.parameters()])
    assert net[0].weight.grad is kept  # it has grown in place


class Branches(nn.Module):
    """Runs one of two layers."""

    def __init__(self):
        super().__init__()
        self.both = nn.Linear(5, 5)
        self.a, self.b, self.never = nn.Linear(5, 3), nn.Linear(5, 3), nn.Linear(2, 2)

    def forward(self, x, first):
        return (self.a if first else self.b)(self.both(x))


def check_unused_parameters(rank, size):
    torch.manual_seed(0)
    net = Branches().double()
    ddp = DDP(net, find_unused_parameters=True, bucket_cap_mb=1e-4)
    x, y = data(size, 5)
    for _ in range(2):
        net.zero_grad()
        F.cross_entropy(ddp(part(x, rank), rank == 0), part(y, rank)).backward()
    twin = copy.deepcopy(net)
    twin.zero_grad()
    sum(
        F.cross_entropy(twin(part(x, r), r == 0), part(y, r)) for r in range(size)
    ).backward()  # fmt: skip
    for (name, p), q in zip(net.named_parameters(), twin.parameters(), strict=True):
        if "never" in name:
            assert p.grad is None
        else:
            assert np.allclose(p.grad.numpy() * size, q.grad.numpy(), rtol=1e-12, atol=1e-15), name
    strict = DDP(net)
    loss = F.cross_entropy(strict(part(x, rank), True), part(y, rank))
    raises(RuntimeError, "not used in producing loss", loss.backward)
    raises(RuntimeError, "b.weight", F.cross_entropy(strict(x, True), y).backward)


def check_a_second_loss_and_a_penalty(rank, size):
    x, y = data(size, 5)
    whole, net = mlp().double(), mlp().double()
    ddp = DDP(net)
    out, wanted = ddp(part(x, rank)), whole(x)
    penalty = sum((p**2).sum() for p in net.parameters())  # outside of the module
    (F.cross_entropy(out, part(y, rank)) + penalty).backward(retain_graph=True)
    (F.cross_entropy(wanted, y) + sum((p**2).sum() for p in whole.parameters())).backward(
        retain_graph=True
    )
    assert gap(net.parameters(), whole.parameters()) < 1e-12
    (out**2).mean().backward()  # a second pass through the same graph
    (wanted**2).mean().backward()
    assert gap(net.parameters(), whole.parameters()) < 1e-12
    one, two = ddp(part(x, rank)), ddp(part(3 * x, rank))
    (F.cross_entropy(one, part(y, rank)) + F.cross_entropy(two, part(y, rank))).backward()
    (F.cross_entropy(whole(x), y) + F.cross_entropy(whole(3 * x), y)).backward()
    assert gap(net.parameters(), whole.parameters()) < 1e-12
    before = net[0].weight.grad.clone()
    net(part(x, rank)).sum().backward()  # without DDP: gradients of this rank alone
    assert not same_everywhere([net[0].weight.grad - before])


def check_hooks_of_the_user_see_the_gradient_of_the_rank(rank, size):
    x, y = data(size, 5)
    for after in (False, True):  # registered before or after DDP
        net, whole = mlp().double(), mlp().double()
        ddp = None if after else DDP(net)
        net[0].weight.register_hook(lambda g: g.clamp(-1e-3, 1e-3))
        ddp = DDP(net) if after else ddp
        F.cross_entropy(ddp(part(x, rank)), part(y, rank)).backward()
        wanted = 0
        for r in range(size):
            whole.zero_grad()
            F.cross_entropy(whole(part(x, r)), part(y, r)).backward()
            wanted = wanted + whole[0].weight.grad.clamp(-1e-3, 1e-3) / size
        assert np.allclose(net[0].weight.grad.numpy(), wanted.numpy(), rtol=1e-12, atol=1e-16)


def check_shared_frozen_and_changed_parameters(rank, size):
    x, y = data(size, 5)

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.out = nn.Linear(5, 5), nn.Linear(5, 3)
            self.again = self.inner

        def forward(self, x):
            return self.out(self.again(torch.tanh(self.inner(x))))

    torch.manual_seed(0)
    net = Shared().double()
    whole = copy.deepcopy(net)
    ddp = DDP(net)
    for frozen in (False, True, False):
        for model in (net, whole):
            model.out.weight.requires_grad_(not frozen)
            model.zero_grad()
        F.cross_entropy(ddp(part(x, rank)), part(y, rank)).backward()
        F.cross_entropy(whole(x), y).backward()
        pairs = [
            (a, b) for a, b in zip(net.parameters(), whole.parameters(), strict=True)
            if a.grad is not None
        ]  # fmt: skip
        assert len(pairs) == 4 - frozen
        assert gap(*zip(*pairs, strict=True)) < 1e-12


def check_compression(rank, size):
    x, y = data(size, 5)
    for hook, bits in (
        (default_hooks.fp16_compress_hook, 10), (default_hooks.bf16_compress_hook, 7),
        (default_hooks.allreduce_hook, 50),
        (lambda state, bucket: dist.all_reduce(
            bucket.buffer().div_(size), async_op=True
        ).get_future().then(lambda future: future.value()[0]), 50),
    ):  # fmt: skip
        net, whole = mlp().double(), mlp().double()
        ddp = DDP(net, bucket_cap_mb=1e-3)
        ddp.register_comm_hook(None, hook)
        F.cross_entropy(ddp(part(x, rank)), part(y, rank)).backward()
        F.cross_entropy(whole(x), y).backward()
        assert gap(net.parameters(), whole.parameters()) < 2.0**-bits
        assert bits == 50 or gap(net.parameters(), whole.parameters()) > 2.0**-20  # it is rounded
        assert same_everywhere([p.grad for p in net.parameters()])


def check_float16_gradients_do_not_overflow(rank, size):
    x = torch.full((100,), 60000.0, dtype=torch.float16)
    dist.all_reduce(x, dist.ReduceOp.AVG)
    assert set(x.tolist()) == {60000.0}


def check_uneven_inputs(rank, size):
    for throw in (False, True):
        torch.manual_seed(rank)
        net = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
        ddp = DDP(net)
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        x, y = data(size, 5)
        done, weights = 0, []

        def train(ddp=ddp, optimizer=optimizer, throw=throw, x=x, y=y, weights=weights):
            nonlocal done
            with ddp.join(throw_on_early_termination=throw):
                for _ in range(2 + rank):
                    optimizer.zero_grad()
                    F.cross_entropy(ddp(part(x.float(), rank)), part(y, rank)).backward()
                    optimizer.step()
                    done += 1
                    weights.append(ddp.module[0].weight.detach().clone())

        if throw:
            raises(RuntimeError, "exhausted inputs", train)
            assert done == 2
        else:
            train()
            assert done == 2 + rank
            assert same_everywhere([*net.parameters(), *net.buffers()])
            found = [None] * size
            dist.all_gather_object(found, weights[-1].tolist())
            assert net[0].weight.tolist() == found[-1] != found[0]  # of who had the most batches


def check_join_divides_by_who_is_left(rank, size):
    for by_all in (True, False):
        net = nn.Linear(1, 1, bias=False)
        ddp = DDP(net)
        with ddp.join(divide_by_initial_world_size=by_all):
            for _ in range(1 + (rank == 0)):
                net.zero_grad()
                ddp(torch.ones(1, 1)).sum().backward()
        if rank == 0:  # its second step was alone
            assert abs(net.weight.grad.item() - (1 / size if by_all else 1.0)) < 1e-6


def check_buffers_are_those_of_rank_0(rank, size):
    net = nn.Sequential(nn.BatchNorm1d(5))
    ddp = DDP(net)
    ddp(torch.full((4, 5), rank + 1.0) + torch.randn(4, 5))
    assert not same_everywhere(net.buffers())
    assert ddp.will_sync_module_buffers()
    ddp.eval()
    ddp(torch.ones(4, 5))
    assert same_everywhere(net.buffers())
    other = DDP(nn.Sequential(nn.BatchNorm1d(5)), broadcast_buffers=False)
    assert not other.will_sync_module_buffers()


def check_copies(rank, size):
    x, y = data(size, 5)
    ddp = DDP(mlp().double(), bucket_cap_mb=0.001)
    average = optim.swa_utils.AveragedModel(ddp)  # copies it
    other = copy.deepcopy(ddp)
    for model in (ddp, other):
        F.cross_entropy(model(part(x, rank)), part(y, rank)).backward()
    for p, q in zip(ddp.parameters(), other.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad)
        assert p is not q
    assert same_everywhere([p.grad for p in other.parameters()])
    average.update_parameters(ddp)
    assert torch.equal(average.module.module[0].weight, ddp.module[0].weight)


def check_models_must_agree(rank, size):
    raises(RuntimeError, "same model across all ranks", DDP, nn.Linear(5, 3 + rank))
    more = [nn.Linear(1, 1) for _ in range(1 + rank)]
    raises(RuntimeError, "inconsistent", DDP, nn.Sequential(*more))
    raises(RuntimeError, "doesn't have any parameter", DDP, nn.ReLU())
    raises(ValueError, "bucket_cap_mb", DDP, nn.Linear(1, 1), bucket_cap_mb=0)
    raises(TypeError, "callable", DDP(nn.Linear(1, 1)).register_comm_hook, None, 3)
    ddp = DDP(nn.Linear(5, 3))
    x, _ = data(size, 5)
    loss = (ddp(part(x.float(), rank)) ** 2).sum()
    raises(NotImplementedError, "create_graph", loss.backward, create_graph=True)


def check_sync_batch_norm(rank, size):
    for dtype, close in ((torch.float64, 1e-12), (torch.float32, 1e-5), (torch.float16, 1e-2)):
        for options in ({}, {"affine": False}, {"momentum": None}, {"track_running_stats": False}):
            for shape in ((3,), (3, 4), (3, 2, 5)):
                x, _ = data(size, *shape)
                x = (x * 3 + 100).to(dtype)
                kind = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d}[len(shape)]
                whole, norm = kind(3, **options).to(dtype), nn.SyncBatchNorm(3, **options).to(dtype)
                g = torch.randn(x.shape, generator=torch.Generator().manual_seed(3)).to(dtype)
                a, b = x.clone().requires_grad_(), part(x, rank).clone().requires_grad_()
                whole(a).backward(g)
                y = norm(b)
                y.backward(part(g, rank))
                scale = float(a.grad.abs().max()) + 1e-3
                assert float((part(a.grad, rank) - b.grad).abs().max()) < 4 * close * scale
                assert y.dtype == dtype
                for p, q in zip(norm.parameters(), whole.parameters(), strict=True):
                    dist.all_reduce(p.grad)
                    assert np.allclose(p.grad.numpy(), q.grad.numpy(), rtol=close, atol=10 * close)
                for p, q in zip(norm.buffers(), whole.buffers(), strict=True):
                    assert np.allclose(p.numpy(), q.numpy(), rtol=close, atol=close)
    norm = nn.SyncBatchNorm(2)
    few = norm(torch.randn(0 if rank else 5, 2))  # an empty part
    assert few.shape[0] == (0 if rank else 5)
    raises(ValueError, "more than 1 value", nn.SyncBatchNorm(2), torch.ones(1 - min(rank, 1), 2))
    assert torch.equal(norm.eval()(torch.ones(1, 2)), norm(torch.ones(1, 2)))


def check_samplers_divide_every_batch(rank, size):
    set_ = TensorDataset(torch.arange(12 * size))
    for epoch in range(2):
        sampler = DistributedSampler(set_, seed=3)
        sampler.set_epoch(epoch)
        mine = torch.cat([x for (x,) in DataLoader(set_, 4, sampler=sampler)])
        parts = [torch.empty_like(mine) for _ in range(size)]
        dist.all_gather(parts, mine)
        assert sorted(torch.cat(parts).tolist()) == list(range(12 * size))
        whole = list(DistributedSampler(set_, 1, 0, seed=3))
        if epoch == 0:  # batch k of all ranks is batch k of one process
            batches = [
                sorted(torch.cat([p[4 * k : 4 * k + 4] for p in parts]).tolist()) for k in (0, 1)
            ]
            n = 4 * size
            assert batches == [sorted(whole[:n]), sorted(whole[n : 2 * n])]


if __name__ == "__main__":
    run(globals())
