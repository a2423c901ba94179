"""The loops that Numba compiles, one idea a file. The package above calls them.

A kernel (`jit`) works on the units `first` to `last` of its work, so that threads can share them.
Its arguments are integers: addresses in bytes, strides in elements. A vector function (`emit`) is
built of LLVM's vector types; a part (`part`) is a compiled function that kernels share.

Letters are those of `kernels.contract`, with s, t for strides and d, e for dilations. `sn`, `sc`,
`sh`, `sw` are the strides of x along n, c, h and w, and `gn`, `gc`, `gh`, `gw` those of g.
"""
