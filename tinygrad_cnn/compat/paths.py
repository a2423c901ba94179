"""PyTorch's paths to what is here under another path: modules without a file.

`import tinygrad_cnn.cuda.amp` and `from tinygrad_cnn.nn.modules.utils import _pair` work by this table.
The key is the path, the value its source: a module, and after a colon the names that it gives. `*`
stands for its `__all__`, which is also the default, and `_Loss=Loss` for another name. An empty source
is a package that has only submodules.
"""

from __future__ import annotations

_FLAGS = "is_available is_built allow_tf32=off benchmark=off deterministic=off enabled=off"
_ATTENTION = (
    "enable_flash_sdp enable_math_sdp enable_mem_efficient_sdp flash_sdp_enabled math_sdp_enabled "
    "mem_efficient_sdp_enabled sdp_kernel"
)
_CUDNN = (
    "is_available version is_acceptable flags allow_tf32=on benchmark=off deterministic=off "
    "enabled=on benchmark_limit=nothing"
)
_TUPLES = "_list_with_default _ntuple _pair _quadruple _reverse_repeat_tuple _single _triple"
_SPECIAL = "erf erfinv expit=sigmoid expm1 log1p log_softmax logit logsumexp softmax round"
_MODULES = (  # of torch.nn.modules, without the ones that have private names below
    "activation adaptive channelshuffle container distance flatten fold lazy linear module "
    "normalization padding pixelshuffle pooling rnn sparse transformer upsampling"
)

PATHS: dict[str, str] = {
    "_dynamo": "compat.compiler: reset allow_in_graph disable mark_dynamic graph_break is_compiling",
    "_dynamo.config": "",
    "_inductor": "",
    "_inductor.config": "",
    "accelerator": "compat.accelerator",
    "autograd.profiler": "profiler: profile=autograd_profile record_function emit_nvtx",
    "autograd.variable": "autograd: Variable",
    "backends": "",
    "backends.cuda": f"compat.backends: is_built matmul {_ATTENTION}",
    "backends.cudnn": f"compat.backends: {_CUDNN}",
    "backends.mkl": "compat.backends: is_available",
    "backends.mkldnn": f"compat.backends: {_FLAGS}",
    "backends.mps": "compat.backends: is_available is_built is_macos_or_newer",
    "backends.openmp": "compat.backends: is_available",
    "backends.opt_einsum": "compat.backends: is_available enabled=off strategy=nothing",
    "compiler": "compat.compiler",
    "cuda": "compat.cuda",
    "cuda.amp": "compat.cuda_amp",
    "cuda.amp.autocast_mode": "compat.cuda_amp: autocast custom_fwd custom_bwd",
    "cuda.amp.common": "compat.cuda_amp: amp_definitely_not_available",
    "cuda.amp.grad_scaler": "compat.cuda_amp: GradScaler",
    "cuda.memory": "compat.cuda",
    "cuda.nvtx": "compat.cuda: range_push=no_nvtx range_pop=no_nvtx mark=no_nvtx range=nvtx_range",
    "cuda.random": "compat.cuda",
    "cuda.streams": "compat.cuda: Event Stream",
    "distributed": "compat.distributed",
    "fx": "compat.jit: wrap",
    "jit": "compat.jit: * Final optimized_execution _script_if_tracing _overload _overload_method",
    "jit.annotations": "",
    "multiprocessing.spawn": "multiprocessing: spawn ProcessContext ProcessRaisedException",
    "nn.modules": "",
    "nn.modules.batchnorm": "nn.batch_norm: _BatchNorm _NormBase",
    "nn.modules.conv": "nn.conv: _ConvNd _ConvTransposeNd=_ConvTranspose",
    "nn.modules.dropout": "nn.dropout: _DropoutNd=_Dropout",
    "nn.modules.instancenorm": "nn.batch_norm: _InstanceNorm",
    "nn.modules.loss": "nn.losses: _Loss=Loss _WeightedLoss=WeightedLoss",
    "nn.modules.utils": f"compat.tuples: {_TUPLES}",
    "nn.parallel.distributed": "nn.parallel: DistributedDataParallel",
    "special": f"functions: {_SPECIAL}",
    "utils._pytree": "utils.pytree",
    "utils.hooks": "hooks: RemovableHandle",
    "utils.tensorboard": "compat.tensorboard",
    "utils.tensorboard.writer": "compat.tensorboard",
    "version": "compat.version",
    **{f"nn.modules.{name}": "" for name in _MODULES.split()},
}
# Modules that also have every public name of another one.
SAME_NAMES: dict[str, str] = {path: "nn" for path in PATHS if path.startswith("nn.modules")}
SAME_NAMES["cuda"] = "compat.cuda"  # the types of Tensors
