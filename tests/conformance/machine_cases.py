"""Questions that scripts ask of a machine: `torch` is PyTorch's build for CPUs, or this package.

Each is a program of statements; the value of the last line, if that is an expression, is the answer.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import warnings
from typing import Any

CUDA = r"""
cuda.is_available()
cuda.device_count()
cuda.set_device(0)
cuda.set_device(-1)
cuda.set_device('cpu')
cuda.set_device('cuda')
cuda.set_device('cuda:0')
cuda.set_device(torch.device('cuda'))
cuda.set_device(torch.device('cuda', 0))
cuda.set_device(None)
cuda.current_device()
cuda.get_device_name()
cuda.get_device_name(0)
cuda.get_device_properties(0)
cuda.get_device_capability()
cuda.memory_allocated()
cuda.memory_allocated('cuda:0')
cuda.memory_reserved()
cuda.max_memory_allocated()
cuda.max_memory_reserved()
cuda.memory_cached()
cuda.memory_summary()
cuda.memory_stats()
cuda.memory_snapshot()
cuda.mem_get_info()
cuda.reset_peak_memory_stats()
cuda.reset_accumulated_memory_stats()
cuda.empty_cache()
cuda.ipc_collect()
cuda.synchronize()
cuda.synchronize('cuda:0')
cuda.current_stream()
cuda.default_stream()
cuda.Stream()
cuda.Event()
cuda.Event(enable_timing=True)
cuda.CUDAGraph()
cuda.stream(None).__enter__()
with cuda.stream(None): pass
cuda.device(0).__enter__()
cuda.device(-1).__enter__()
cuda.device('cuda:0').__enter__()
cuda.device_of(torch.ones(1)).__enter__()
cuda.manual_seed(0)
cuda.manual_seed_all(0)
cuda.random.manual_seed(0)
cuda.random.manual_seed_all(0)
cuda.seed()
cuda.seed_all()
cuda.initial_seed()
cuda.get_rng_state()
cuda.get_rng_state_all()
cuda.set_rng_state(torch.get_rng_state())
cuda.set_rng_state_all([])
cuda.is_initialized()
cuda.init()
cuda.is_bf16_supported()
cuda.is_tf32_supported()
cuda.is_current_stream_capturing()
cuda.get_arch_list()
cuda.get_gencode_flags()
cuda.can_device_access_peer(0, 1)
cuda.utilization()
cuda.memory_usage()
cuda.temperature()
cuda.list_gpu_processes()
cuda.set_per_process_memory_fraction(0.5)
cuda.current_blas_handle()
cuda.get_sync_debug_mode()
cuda.set_sync_debug_mode(0)
cuda.get_allocator_backend()
cuda.default_generators
cuda.has_half
cuda.has_magma
cuda.nvtx.range_push('a')
cuda.nvtx.range_pop()
cuda.nvtx.mark('a')
cuda.memory.memory_allocated()
issubclass(cuda.OutOfMemoryError, RuntimeError)
cuda.OutOfMemoryError is torch.OutOfMemoryError
torch.device('cuda' if torch.cuda.is_available() else 'cpu')
torch.ones(2).is_cuda
torch.version.cuda
torch.version.hip
torch.version.debug
accelerator.is_available()
accelerator.current_accelerator()
accelerator.device_count()
accelerator.current_device_index()
accelerator.set_device_index(0)
accelerator.synchronize()
accelerator.current_stream()
accelerator.memory_allocated()
accelerator.empty_cache()
accelerator.device_index(0).__enter__()
accelerator.device_index(None).__enter__()
"""

BACKENDS = r"""
backends.cudnn.enabled
backends.cudnn.benchmark
backends.cudnn.deterministic
backends.cudnn.allow_tf32
backends.cudnn.is_available()
backends.cudnn.version()
backends.cudnn.is_acceptable(torch.ones(1))
backends.cudnn.benchmark = True; backends.cudnn.benchmark
backends.cudnn.benchmark = False; backends.cudnn.benchmark
with backends.cudnn.flags(enabled=False): seen = backends.cudnn.enabled\n(seen, backends.cudnn.enabled)
backends.mps.is_available()
backends.mps.is_built()
backends.mkl.is_available()
backends.mkldnn.is_available()
backends.openmp.is_available()
backends.cuda.is_built()
backends.cuda.matmul.allow_tf32
backends.cuda.matmul.allow_tf32 = True; backends.cuda.matmul.allow_tf32
backends.cuda.matmul.allow_tf32 = False; backends.cuda.matmul.allow_tf32
backends.cuda.flash_sdp_enabled()
backends.cuda.enable_flash_sdp(False); backends.cuda.flash_sdp_enabled()
backends.cuda.enable_flash_sdp(True); backends.cuda.flash_sdp_enabled()
backends.opt_einsum.is_available()
import torch.backends.cudnn as cudnn; cudnn.enabled
get_default_device()
set_default_device('cpu'); torch.ones(1).device
get_float32_matmul_precision()
set_float32_matmul_precision('high'); torch.get_float32_matmul_precision()
set_float32_matmul_precision('highest'); torch.get_float32_matmul_precision()
set_float32_matmul_precision('low')
are_deterministic_algorithms_enabled()
use_deterministic_algorithms(True, warn_only=True); torch.get_deterministic_debug_mode()
is_deterministic_algorithms_warn_only_enabled()
set_deterministic_debug_mode('error'); torch.are_deterministic_algorithms_enabled()
set_deterministic_debug_mode(7)
set_deterministic_debug_mode(0); torch.get_deterministic_debug_mode()
set_num_threads(0)
set_num_interop_threads(0)
is_warn_always_enabled()
_assert(True, 'm')
_assert(False, 'm')
_assert(torch.tensor(False), 'm')
_check(True)
_check(False)
_check(False, lambda: 'bad')
_check(1, lambda: 'bad')
_check(False, 'bad')
_check_index(False, lambda: 'bad')
_check_value(False, lambda: 'bad')
_check_type(False, lambda: 'bad')
_check_not_implemented(False, lambda: 'bad')
"""

COMPILERS = r"""
jit.is_scripting()
jit.is_tracing()
jit.Final[int]
jit.annotate(int, 3)
jit.ignore(lambda x: x + 1)(1)
jit.ignore()(lambda x: x + 1)(1)
jit.unused(lambda x: x + 1)(1)
jit.export(lambda x: x + 1)(1)
jit.wait(jit.fork(lambda x: x + 1, 1))
isinstance(torch.nn.Linear(1, 1), jit.ScriptModule)
jit._script_if_tracing(lambda x: x + 1)(1)
torch.compile(lambda x: x + 1, disable=True)(1)
list(torch.compile(torch.nn.Linear(1, 1)).state_dict())
torch.compile(torch.nn.Linear(1, 1))
m = torch.nn.Linear(2, 3); c = torch.compile(m); (c._orig_mod is m, c.in_features, c.training)
m = torch.nn.Linear(2, 3); c = torch.compile(m).eval(); (c.training, m.training)
m = torch.nn.Linear(2, 3); c = torch.compile(m); c.extra = 5; (m.extra, c.extra)
torch.compile(3)
callable(torch.compile(mode='default', options={'a': 1}))
torch.compile(torch.nn.Linear(1, 1), mode='nope')
isinstance(torch.compile(torch.nn.Linear(1, 1)), torch.nn.Module)
compiler.is_compiling()
compiler.is_dynamo_compiling()
compiler.is_exporting()
compiler.reset()
compiler.disable(lambda x: x + 1)(1)
compiler.disable()(lambda x: x + 1)(1)
compiler.cudagraph_mark_step_begin()
fx.wrap('len')
fx.wrap(3)
"""

AMP = r"""
amp.autocast('cuda')._enabled
amp.autocast('cuda', enabled=False)._enabled
amp.autocast('cpu', dtype=torch.float32)._enabled
amp.autocast('cpu', dtype=torch.float16)._enabled
amp.autocast('xyz')
amp.autocast(3)
amp.autocast()
torch.autocast is torch.amp.autocast
is_autocast_enabled()
is_autocast_enabled('cpu')
is_autocast_enabled('xyz')
with torch.autocast('cuda'): seen = (torch.is_autocast_enabled(), (torch.ones(2) @ torch.ones(2)).dtype == torch.float32)\n(seen, torch.is_autocast_enabled())
with torch.autocast('cpu', enabled=False): seen = torch.is_autocast_enabled('cpu')\nseen
with torch.autocast('cpu', dtype=torch.float16): seen = torch.is_autocast_enabled('cpu'), torch.get_autocast_dtype('cpu') == torch.float16\n(seen, torch.is_autocast_enabled('cpu'))
torch.autocast('cuda', enabled=False)(lambda x: x + 1)(1)
get_autocast_dtype('cuda') == torch.float16
is_autocast_cache_enabled()
clear_autocast_cache()
is_autocast_cpu_enabled()
amp.is_autocast_available('cpu')
amp.custom_fwd(lambda x: x + 1, device_type=3)
amp.custom_fwd(lambda x: x + 1)
cuda.amp.autocast()._enabled
cuda.amp.autocast(enabled=False)._enabled
cuda.amp.autocast(True, dtype=torch.float16)._enabled
cuda.amp.GradScaler().is_enabled()
cuda.amp.GradScaler(enabled=False).is_enabled()
cuda.amp.common.amp_definitely_not_available()
amp.GradScaler().is_enabled()
amp.GradScaler('cuda').is_enabled()
amp.GradScaler('cpu').is_enabled()
amp.GradScaler('cpu', growth_factor=1.0)
amp.GradScaler('cpu', backoff_factor=1.0)
amp.GradScaler('cpu', growth_factor=1.0, enabled=False).is_enabled()
amp.GradScaler('cpu').get_scale()
amp.GradScaler('cpu').state_dict()
amp.GradScaler('cpu', enabled=False).state_dict()
amp.GradScaler('cpu', enabled=False).get_scale()
amp.GradScaler('cpu').load_state_dict({})
amp.GradScaler('cpu', enabled=False).load_state_dict({})
amp.GradScaler('cpu').scale(3.0)
amp.GradScaler('cpu', 4.0).scale([torch.ones(1), (torch.ones(2),)])
amp.GradScaler('cpu', 4.0).scale(torch.ones(1, dtype=torch.float16))
amp.GradScaler('cpu').update()
amp.GradScaler('cpu').unscale_(None)
amp.GradScaler('cpu').step(None)
amp.GradScaler('cpu').step(None, closure=1)
"""

_STEP = """
p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
o = torch.optim.SGD([p], lr=0.5)
s = torch.amp.GradScaler('cpu', init_scale=4.0, growth_interval=2)
s.scale((p * p).sum()).backward()
"""
SCALER = [  # programs that go on after the four lines above
    "s.unscale_(o); p.grad",
    "s.unscale_(o); s.unscale_(o)",
    "s.step(o); s.step(o)",
    "s.step(o); s.unscale_(o)",
    "s.step(o); s.update(); (p, s.state_dict())",
    "s.step(o); s.update(); s.step(o); s.update(); (p, s.state_dict())",
    "s.step(o); s.update(); s.update()",
    "p.grad[0] = float('inf'); s.step(o); s.update(); (p, s.state_dict())",
    "p.grad[1] = float('nan'); s.unscale_(o); s.step(o); s.update(); (p, s.get_scale())",
    "s.update(8.0); s.get_scale()",
    "s.update(torch.tensor(16.0)); s.get_scale()",
    "s.update(torch.tensor([1.0, 2.0]))",
    "p.grad = None; s.step(o)",
    "s.load_state_dict({**s.state_dict(), 'scale': 2.0, 'growth_interval': 1}); s.get_scale()",
    "s.set_growth_factor(3.0); s.set_backoff_factor(0.25); s.set_growth_interval(1); "
    "s.step(o); s.update(); s.state_dict()",
    "t = torch.amp.GradScaler('cpu'); t.load_state_dict(s.state_dict()); t.get_scale()",
    "h = torch.nn.Parameter(torch.ones(1, dtype=torch.float16)); h.grad = torch.ones_like(h); "
    "s.unscale_(torch.optim.SGD([h], lr=0.5))",
]

NETWORKS = r"""
nn.DataParallel(nn.Linear(1, 2)).device_ids
nn.DataParallel(nn.Linear(1, 2), device_ids=[0, 1])
list(nn.DataParallel(nn.Linear(1, 2), [0, 1], 0).state_dict())
nn.DataParallel(nn.Linear(1, 2))(torch.ones(3, 1)).shape
nn.DataParallel(nn.Linear(1, 2)).module
nn.DataParallel(nn.DataParallel(nn.Linear(1, 2))).module.module
nn.parallel.DataParallel is torch.nn.DataParallel
nn.parallel.data_parallel(nn.Linear(1, 1), torch.ones(1, 1))
nn.parallel.DistributedDataParallel(nn.Linear(1, 1))
isinstance(nn.Linear(1, 1), torch.nn.parallel.DistributedDataParallel)
distributed.is_initialized()
distributed.is_available()
distributed.get_rank()
distributed.get_world_size()
distributed.barrier()
distributed.is_nccl_available()
distributed.ReduceOp.SUM is not torch.distributed.ReduceOp.MAX
distributed.group.WORLD
isinstance(None, torch.distributed.ProcessGroup)
distributed.all_reduce(torch.ones(1))
distributed.broadcast(torch.ones(1), 0)
nn.SyncBatchNorm(3)
nn.SyncBatchNorm(3)(torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
nn.SyncBatchNorm(3).eval()(torch.ones(2, 3))
nn.SyncBatchNorm(3)(torch.ones(2))
nn.SyncBatchNorm(3)(torch.ones(2, 4, 5))
nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(3), nn.InstanceNorm2d(3), nn.Sequential(nn.BatchNorm1d(2, affine=False), nn.BatchNorm3d(2, track_running_stats=False))))
m = torch.nn.BatchNorm2d(3).eval(); s = torch.nn.SyncBatchNorm.convert_sync_batchnorm(m); (s.weight is m.weight, s.running_mean is m.running_mean, s.training, s.momentum, s.num_features, list(s.state_dict()))
nn.modules.utils._single(3)
nn.modules.utils._pair(3)
nn.modules.utils._pair([3])
nn.modules.utils._pair('ab')
nn.modules.utils._triple((1, 2))
nn.modules.utils._quadruple(1)
nn.modules.utils._ntuple(2)(5)
nn.modules.utils._pair.__name__
nn.modules.utils._reverse_repeat_tuple((1, 2), 2)
nn.modules.utils._list_with_default([None, 3], [1, 2, 3])
nn.modules.utils._list_with_default([None, 3], [1, 2])
nn.modules.conv._ConvNd(2, 4, (3, 3), (1, 1), (1, 1), (1, 1), False, (0, 0), 1, True, 'zeros')
nn.modules.conv._ConvNd(2, 4, (3,), (1,), (0,), (1,), True, (1,), 2, False, 'zeros').weight.shape
nn.modules.conv._ConvNd(2, 4, (3, 3), (1, 1), (1, 1), (1, 1), False, (0, 0), 3, True, 'zeros')
nn.Conv2d(1, 1, 2)._conv_forward(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2), None)
isinstance(nn.BatchNorm2d(1), torch.nn.modules.batchnorm._BatchNorm)
isinstance(nn.SyncBatchNorm(1), torch.nn.modules.batchnorm._BatchNorm)
isinstance(nn.InstanceNorm2d(1), torch.nn.modules.batchnorm._BatchNorm)
isinstance(nn.InstanceNorm2d(1), torch.nn.modules.instancenorm._InstanceNorm)
isinstance(nn.InstanceNorm2d(1), torch.nn.modules.batchnorm._NormBase)
isinstance(nn.Conv1d(1, 1, 1), torch.nn.modules.conv._ConvNd)
isinstance(nn.ConvTranspose2d(1, 1, 1), torch.nn.modules.conv._ConvTransposeNd)
isinstance(nn.Dropout2d(), torch.nn.modules.dropout._DropoutNd)
isinstance(nn.MSELoss(), torch.nn.modules.loss._Loss)
isinstance(nn.MSELoss(), torch.nn.modules.loss._WeightedLoss)
[n for n in ('BCELoss', 'CrossEntropyLoss', 'MultiLabelSoftMarginLoss', 'MultiMarginLoss', 'NLLLoss', 'KLDivLoss') if issubclass(getattr(torch.nn, n), torch.nn.modules.loss._WeightedLoss)]
nn.modules.loss._Loss().reduction
nn.modules.loss._Loss(reduction='sum').reduction
nn.modules.loss._Loss(None, None, 'none').reduction
list(nn.modules.loss._WeightedLoss(torch.ones(2)).state_dict())
nn.modules.loss._WeightedLoss(reduction='sum').weight
nn.modules.linear.Linear is torch.nn.Linear
nn.modules.module.Module is torch.nn.Module
nn.modules.pooling.MaxPool2d is torch.nn.MaxPool2d
nn.modules.container.Sequential is torch.nn.Sequential
nn.modules.activation.ReLU is torch.nn.ReLU
import torch.nn.attention; int(torch.nn.attention.SDPBackend.FLASH_ATTENTION)
from torch.nn.attention import SDPBackend, sdpa_kernel\nwith sdpa_kernel(SDPBackend.MATH): pass
from torch.nn.attention import SDPBackend, sdpa_kernel\nwith sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION]): pass
from torch.nn.attention import sdpa_kernel; sdpa_kernel(3).__enter__()
from torch.utils.hooks import RemovableHandle; from collections import OrderedDict; d = OrderedDict(); h = RemovableHandle(d); d[h.id] = 1; h.remove(); d
from torch.utils.hooks import RemovableHandle; from collections import OrderedDict; d = OrderedDict(); e = OrderedDict(); h = RemovableHandle(d, extra_dict=e); e[h.id] = 1; h.remove(); e
"""

TREES = r"""
tree_flatten({'a': 1, 'b': [2, (3, None)]})[0]
tree_flatten(5)[0]
tree_flatten([])[0]
tree_unflatten([10, 20, 30], tree_flatten({'a': 1, 'b': [2, (3,)]})[1])
tree_unflatten([1], tree_flatten([1, 2])[1])
tree_flatten([1, (2, 3)])[1] == tree_flatten([5, (6, 7)])[1]
tree_flatten([1, (2, 3)])[1] == tree_flatten([5, [6, 7]])[1]
tree_flatten([1, (2, 3)])[1].num_leaves
tree_flatten([1, (2, 3)])[1].is_leaf()
tree_map(lambda x: x + 1, {'a': 1, 'b': [2, (3,)]})
tree_map(lambda x, y: x * y, [1, (2, 3)], [4, (5, 6)])
tree_map(lambda x, y: (x, y), [1, 2], [(1, 2), {'a': 3}])
tree_map(lambda x, y: x * y, [1, 2], [1, 2, 3])
tree_map(lambda x, y: x * y, [1, 2], (1, 2))
tree_map(lambda x, y: (x, y), {'a': 1, 'b': 2}, {'b': 20, 'a': 10})
tree_map(lambda x, y: (x, y), {'a': 1}, {'b': 20})
tree_map(lambda x: x + 1, [1, (2, 3)], is_leaf=lambda x: isinstance(x, int))
tree_map(len, [(1, 2), (3,)], is_leaf=lambda x: isinstance(x, tuple))
tree_map_only(int, lambda x: -x, [1, 'a', 2.0])
tree_map_only((int, float), lambda x: -x, [1, 'a', 2.0])
tree_leaves({'b': 1, 'a': (2, None)})
from collections import OrderedDict; list(pytree.tree_map(lambda x: -x, OrderedDict(b=1, a=2)).items())
from collections import defaultdict; pytree.tree_map(lambda x: -x, defaultdict(list, b=1, a=2))
from collections import deque; pytree.tree_map(lambda x: -x, deque([1, 2], maxlen=3))
from collections import namedtuple; P = namedtuple('P', 'x y'); pytree.tree_map(lambda x: -x, P(1, (2, 3)))
"""

FOREACH = r"""
_foreach_add([torch.ones(2), torch.ones(3)], 2.0)
_foreach_add([torch.ones(2), torch.ones(3)], [1.0, 2.0])
_foreach_add([torch.ones(2), torch.ones(3)], [torch.ones(2), torch.ones(3)], alpha=3.0)
x = torch.ones(2); torch._foreach_add_([x], [torch.ones(2)], alpha=0.5); x
x = torch.ones(2); torch._foreach_mul_([x], 3.0); x
x = torch.ones(2); torch._foreach_mul_([x], torch.tensor(4.0)); x
_foreach_mul([torch.ones(2)], [torch.full((2,), 3.0)])
x = torch.ones(2); torch._foreach_div_([x], 4.0); x
x = torch.ones(2); torch._foreach_sub_([x], [torch.ones(2)], alpha=2.0); x
_foreach_neg([torch.ones(2)])
x = torch.ones(2); torch._foreach_neg_([x]); x
_foreach_sqrt([torch.full((2,), 9.0)])
x = torch.ones(2); torch._foreach_maximum_([x], 3.0); x
x = torch.ones(2); torch._foreach_maximum_([x], [torch.tensor([0.0, 5.0])]); x
x = torch.ones(2); torch._foreach_addcdiv_([x], [torch.ones(2)], [torch.full((2,), 2.0)], 3.0); x
x = torch.ones(2); torch._foreach_addcdiv_([x], [torch.ones(2)], [torch.full((2,), 2.0)], [3.0]); x
x = torch.ones(2); torch._foreach_addcmul_([x], [torch.ones(2)], [torch.full((2,), 2.0)], value=3.0); x
x = torch.ones(2); torch._foreach_lerp_([x], [torch.zeros(2)], 0.25); x
x = torch.ones(2); torch._foreach_reciprocal_([x * 2]); x
x = torch.ones(2); torch._foreach_zero_([x]); x
x = torch.ones(2); torch._foreach_copy_([x], [torch.zeros(2)]); x
_foreach_norm([torch.tensor([3.0, 4.0])])
_foreach_norm([torch.tensor([3.0, -4.0])], 1)
_foreach_add([torch.ones(2)], [torch.ones(2), torch.ones(2)])
_foreach_exp([])
"""

PROFILER = r"""
from torch.profiler import schedule; s = schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1); [s(i).name for i in range(8)]
from torch.profiler import schedule; s = schedule(wait=0, warmup=1, active=1); [s(i).name for i in range(5)]
from torch.profiler import schedule; s = schedule(wait=1, warmup=0, active=1, repeat=2, skip_first=1, skip_first_wait=1); [s(i).name for i in range(7)]
from torch.profiler import schedule; schedule(wait=-1, warmup=0, active=1)
from torch.profiler import schedule; schedule(wait=0, warmup=0, active=0)
from torch.profiler import profile; profile().key_averages()
from torch.profiler import profile, schedule; r = []; p = profile(schedule=schedule(wait=1, warmup=1, active=2), on_trace_ready=lambda p: r.append(p.step_num))\nwith p:\n    for i in range(10): p.step()\nr
from torch.profiler import profile; r = []; p = profile(on_trace_ready=lambda p: r.append(p.step_num))\nwith p: pass\nr
from torch.profiler import record_function; f = record_function('a')(lambda: 3); f()
from torch.profiler import record_function\nwith record_function('a'): x = 3\nx
from torch.profiler import profile, record_function\nwith profile() as p:\n    for i in range(3):\n        with record_function('mine'): torch.ones(2) + 1\n[(e.key, e.count) for e in p.key_averages() if e.key == 'mine']
from torch.autograd.profiler import profile, record_function\nwith profile() as p:\n    with record_function('mine'): torch.ones(2) + 1\n'mine' in p.key_averages().table(sort_by='cpu_time_total', row_limit=5)
from torch.profiler import profile\nwith profile() as p: torch.ones(2) + 1\np.key_averages().table(sort_by='nothing')
from torch.profiler import ProfilerActivity, supported_activities; [a.name for a in supported_activities()]
"""

MULTIPROCESSING = r"""
multiprocessing.get_sharing_strategy()
multiprocessing.set_sharing_strategy('file_system'); torch.multiprocessing.get_sharing_strategy()
multiprocessing.set_sharing_strategy('file_descriptor'); torch.multiprocessing.get_sharing_strategy()
multiprocessing.set_sharing_strategy('nothing')
sorted(multiprocessing.get_all_start_methods())
multiprocessing.get_context('spawn').get_start_method()
q = torch.multiprocessing.SimpleQueue(); q.put(torch.tensor([1.0, 2.0])); q.get()
multiprocessing.current_process().name
"""


PROGRAMS = [
    line.replace("\\n", "\n")
    for text in (
        CUDA,
        BACKENDS,
        COMPILERS,
        AMP,
        NETWORKS,
        TREES,
        FOREACH,
        PROFILER,
        MULTIPROCESSING,
    )
    for line in text.strip().splitlines()
] + [_STEP + line for line in SCALER]


def answer(program: str, torch: Any) -> dict[str, Any]:
    """The value of the last line as a text, or the error; and the kinds of warnings.

    `torch` is PyTorch or this package: both have the names that the program does not define.
    """
    root = torch.__name__
    tree = ast.parse(re.sub(r"\b(from|import) torch\b", rf"\1 {root}", program))
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.copy_location(
            ast.Assign([ast.Name("found_", ast.Store())], last.value), last
        )
    names: dict[str, Any] = {"torch": torch}
    pytree = importlib.import_module(f"{root}.utils._pytree")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
            for source in (torch, pytree):
                if hasattr(source, node.id):
                    names.setdefault(node.id, getattr(source, node.id))
    names["pytree"] = pytree
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            exec(compile(ast.fix_missing_locations(tree), "<case>", "exec"), names)
            found: dict[str, Any] = {"value": repr(names.get("found_"))}
        except Exception as error:
            found = {"error": type(error).__name__, "text": (str(error).splitlines() or [""])[0]}
    kinds = sorted({w.category.__name__ for w in warned if "`torch.jit." not in str(w.message)})
    return {**found, "warnings": kinds} if kinds else found
