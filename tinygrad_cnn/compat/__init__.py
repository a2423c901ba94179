"""Parts of PyTorch that need no work here: devices, flags of libraries, threads, determinism.

Code written for PyTorch asks for GPUs, sets flags of libraries, chooses threads and determinism. The
modules of this room answer. `tinygrad_cnn/cuda.py` and `tinygrad_cnn/backends/` are the paths under
which PyTorch has them, so that statements such as `import tinygrad_cnn.backends.cudnn as cudnn` work
and every tool can follow them.
"""
