"""Tuning constants that both sets of kernels share. Each set has its own file of this name.

A name ends with the unit. "Measured" refers to the machine of NOTES.md: two Zen 4 cores, AVX-512.
"""

# From this size on, the ops call `elementwise`, and passes over memory work in parts. Smaller
# arrays go to NumPy at once: a call of a kernel takes 5 to 10 µs, as long as NumPy's pass over
# them.
LARGE_ELEMENTS = 1 << 16

# NumPy's products from this size on go to all threads: they take 0.2 ms, and waking a thread a
# tenth.
SHARED_PRODUCT_MULTIPLY_ADDS = 1 << 24

# Arrays up to this size come from memory that stays in the process when they are freed. Larger than
# any array of a usual network, because the largest ones cost most to allocate.
KEPT_BYTES = 1 << 30
