"""Tuning constants of the NumPy kernels. `..tuning` has those that both sets share.

A name ends with the unit. "Measured" refers to the machine of NOTES.md: two Zen 4 cores with 1 MiB
of L2 cache each, OpenBLAS.
"""

# --- Threads ------------------------------------------------------------------------------------

# Convolutions from this size on use all threads: they take half a millisecond, and waking a
# thread takes a tenth of one. Measured: with 4, 8 or 16 million, two threads took as long as one
# or longer.
SHARED_MULTIPLY_ADDS = 25 * 10**6
# BLAS does products up to this size on one thread by itself (OpenBLAS 0.3, interface/gemm.c).
BLAS_THREAD_MULTIPLY_ADDS = 1 << 18
# Elementwise functions from this size on use all threads, in two parts for each such number of
# elements. Measured: a second thread waits for the interpreter, too, and two take 1.2 to 4 times
# as long as one for 2^18 elements, 0.55 to 1.2 times for 2^20.
SHARED_ELEMENTS = 1 << 20
# Pooling: cells of x for each thread. The threads wait for each other at every tap.
POOLING_PART_ELEMENTS = 1 << 20

# --- Matrix products ----------------------------------------------------------------------------

# OpenBLAS does products up to this size without packing their operands, at up to twice the speed
# (100³ in its sgemm_small_kernel_permit for AVX-512).
UNPACKED_MULTIPLY_ADDS = 10**6
# Rows of a for which BLAS does bᵀaᵀ faster than ab where b is a transposed matrix. Measured: in
# half the time for a linear layer of 8 to 64 images.
TRANSPOSED_PRODUCT_ROWS = range(8, 65)

# --- Windows as matrices (im2col) ---------------------------------------------------------------

# Unfolded bytes of a block. They should stay near the L2 cache, but operations must be long: after
# each of them a thread has to get hold of the interpreter again.
BLOCK_BYTES = 1 << 21
# Pixels of a block, at least. For fewer a product spends its time on packing the weight.
BLOCK_PIXELS = 256
# Bytes of an image on their way to another axis order: a quarter of the L2 cache.
TRANSPOSE_BYTES = 1 << 18
# Channels and filters of a group, and images, for which images go innermost instead of channels:
# innermost runs should fill a vector of 16 float32.
FEW_CHANNELS = 16
MANY_IMAGES = 16
# Cost of copying a number into its column, and of adding it back, in multiply-adds of BLAS.
UNFOLD_MULTIPLY_ADDS = 4
FOLD_MULTIPLY_ADDS = 8
# Filters for each thread from which threads share filters rather than pixels in the weight
# gradient: each thread then unfolds everything, which takes a few per cent of the products' time.
FILTERS_PER_THREAD = 64

# --- Winograd -----------------------------------------------------------------------------------

# Channels and filters from which the products, and not the transforms, are most of the work, for
# filters of 3 × 3 and 5 × 5. Measured: 0.8 of the time of im2col at 32, 0.5 to 0.6 from 48 on.
WINOGRAD_CHANNELS = {3: 32, 5: 48}
# Transforming the filters takes as long as the products of this many tiles.
FILTER_TRANSFORM_TILES = 32
# Tiles of a block, at least. For fewer the transformed filters are read more than multiplied.
BLOCK_TILES = 64
# Filters transformed at once where all of them would be large: they are 4 times the filters in
# size.
FILTERS_AT_ONCE = 128

# --- Passes over memory -------------------------------------------------------------------------

# Elements of a part, at most. Smaller parts fit in the cache better, but need more calls and thread
# switches than that gains.
PART_ELEMENTS = 1 << 19
# Elements of a row of a pass: shorter rows of channels are taken many at a time, because NumPy
# takes longer for each element of a short row (measured: 1 ns for rows of 24, 0.1 for long ones).
ROW_ELEMENTS = 1024
# Elements of a block of an optimizer's update. Its 3 to 5 arrays of a block stay in the L2 cache.
UPDATE_BLOCK_ELEMENTS = 1 << 15
