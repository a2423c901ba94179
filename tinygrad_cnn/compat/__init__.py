"""PyTorch's questions to a machine, answered as PyTorch's build for CPUs answers them.

Code written for PyTorch asks for GPUs, sets flags of libraries, chooses threads and determinism, scripts
and compiles. The modules of this room answer; what really runs has a module at PyTorch's own path, such as
`amp` and `profiler`. `paths.txt` has the paths under which PyTorch has them,
such as `cuda.amp`; `missing.py` makes modules of these paths on first access, and raises the errors for
all names that are not here. `import tinygrad_cnn` loads only `missing` and `machine`.
"""
