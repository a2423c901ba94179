"""Tuning constants of the kernels in Numba. `..tuning` has those that both sets share.

A name ends with the unit; lanes are elements of a vector register. "Measured" refers to the machine
of NOTES.md: two Zen 4 cores with 1 MiB of L2 cache each, AVX-512 with 32 registers.
Costs are in multiply-adds; a core does some 60 thousand in a microsecond.
"""

from .machine import REGISTERS

# --- Compiling ----------------------------------------------------------------------------------

# Compiling that takes longer than this is announced: most users would wonder about the delay.
NOTICE_SECONDS = 2

# --- Threads (`team`, `calls`) ------------------------------------------------------------------

# Calls of a larger cost use all threads: some 50 µs of work, and handing it over takes a few.
SHARED_MULTIPLY_ADDS = 3 * 10**6
# Units of work into which a call is cut at least, where it can be: for 2 to 8 threads to share.
LEAST_UNITS = 8
# Pieces of work for each thread. A thread takes the next piece when it is done, so none waits long.
PIECES_PER_THREAD = 3
# How often an idle thread looks for work before it sleeps: at 15 to 40 ns each, some tenths of a
# millisecond, in which the next kernel of a network mostly comes. A thread that sleeps takes
# longer to wake than a small kernel takes.
SPIN_PAUSES = 20_000
# How often a caller looks whether its work is done before it gives way to other processes.
WAIT_PAUSES = 2_000

# --- The tile of a matrix product ---------------------------------------------------------------

# Rows of a tile that is two vectors wide: with the two vectors of b and one of a, its sums fill
# most of the registers (24 + 3 of 32, 12 + 3 of 16). Shorter tiles are for the last rows.
TILE_ROWS = (12 if REGISTERS == 32 else 6, 4, 2, 1)

# --- Matrix products ----------------------------------------------------------------------------

# Sizes of the products that are ours. Below, a call costs more than it gains over BLAS; above, both
# factors would have to be packed.
LEAST_MULTIPLY_ADDS, MOST_MULTIPLY_ADDS = 1 << 20, 1 << 28
# Least number of rows, columns and terms of our products: thinner ones leave tiles empty.
LEAST_SIDE = 8
# Bytes of a panel of b, at most. With some rows of a it stays in the L2 cache.
PANEL_BYTES = 1 << 17
# Rows of a unit of work, at least: packing its panel then is little of the time.
LEAST_UNIT_ROWS = 24
# Bytes of a and y in a unit: one of the rows stays in the L2 cache for all panels.
UNIT_BYTES = 1 << 20
# Pieces for each thread: panels are few, and all take the same time. Measured: with fewer pieces,
# one thread had five panels of eight.
PANEL_PIECES_PER_THREAD = 16

# --- Choice of a convolution's method -----------------------------------------------------------

# Channels and filters from which Winograd's method is faster than the direct one, by filter size,
# and the least product of both. Measured: half of the time for 48 channels and 12 filters.
WINOGRAD_CHANNELS = {3: 8, 5: 10}
WINOGRAD_CHANNEL_PAIRS = 128
# Channels and filters of a group, and pixels times pairs of them, from which groups with few
# tiles go one by one: then the calls are little of the time. Measured: 0.4 to 0.75 of the time on
# 16².
GROUP_CHANNELS, GROUP_MULTIPLY_ADDS = 16, 1 << 21
# Up to this many channels and filters, and from this many images on, vectors hold images: fewer
# channels would leave most of a vector empty.
FEW_CHANNELS = MANY_IMAGES = 16
# Pixels of the output from which the gradient of 4 or 8 channels is a convolution and no scatter.
# Below, most of the time is calls.
FILLED_VECTOR_PIXELS = 512

# --- Direct, batched and depthwise convolution ----------------------------------------------------

# Bytes of x that are copied into a patch at once: a large part of the L2 cache.
STRIP_BYTES = 1 << 17
# The same for vectors of images, where x and g are copied.
BATCH_STRIP_BYTES = 1 << 18
# Cost of packing one number into a panel, and of one depthwise multiply-add (no tile: more loads).
PACK_MULTIPLY_ADDS = 8
DEPTHWISE_MULTIPLY_ADDS = 3
# Vectors of images of a tile of up to six filters, and filters of a tile of up to five taps: their
# sums fill the registers (24 and 20 of 32).
IMAGE_VECTORS = 4 if REGISTERS == 32 else 2
TAP_FILTERS = 4 if REGISTERS == 32 else 2
# Pixels of a row for which depthwise windows share their loads: 18 loads for 36 multiply-adds.
DEPTHWISE_PIXELS = 4

# --- Winograd -----------------------------------------------------------------------------------

# Bytes of transformed tiles that are multiplied at once: they stay in the L2 cache.
TILES_BYTES = 3 << 18
# Least number of tiles at once, because the filters are read once for all of them.
LEAST_TILES_AT_ONCE = 12
# Tiles, or channels of sums, at once for one panel of filters: 36 numbers of each stay in the
# cache.
PANEL_TILES_AT_ONCE = 96
# Filters for each tile, from which they are transformed panel by panel: more of them are most of
# the memory that is touched. Measured: half of the time from 256 channels on.
PANEL_FILTERS_PER_TILE = 1
# Least tiles for groups by Winograd's algorithm: each thread has separate sums for all filters.
GROUP_TILES = 32
# Cost of transforming one number of a tile.
TRANSFORM_MULTIPLY_ADDS = 8

# --- Passes over memory -------------------------------------------------------------------------

# Cost of reading an element from memory, or of an exponential.
PASS_MULTIPLY_ADDS = 16
# Vectors side by side in a sum, so that additions, of 3 or 4 cycles, need not wait for each other.
SUM_VECTORS = 4
# Vectors of channels whose scales and shifts stay in registers while rows are written.
WRITE_VECTORS = SUM_VECTORS if REGISTERS >= 32 else 2
# Rows written at once with them: reading them again then is little of the time.
WRITE_ROWS = 64
# Normalization: a block of a sum, in rows, or in elements of a run. It stays in the cache (2^13
# float32 are the size of the L1 cache) from its mean to the squares of its distances.
BLOCK_ROWS, BLOCK_RUN_ELEMENTS = 256, 1 << 13
# Elements from which a compiled pass takes less time than NumPy's. Below, calls are most of it.
NORMALIZED_ELEMENTS = 1 << 11

# --- Programs of elementwise operations ---------------------------------------------------------

# Elements of a block: all vectors that an operation reads and writes stay in the L1 cache.
PROGRAM_BLOCK_ELEMENTS = 1 << 10
# The same for updates, which touch more arrays.
UPDATE_BLOCK_ELEMENTS = 1 << 9
# Cost of an operation on an element. An update's is set lower than its time: a second core must
# fetch what the first one has in its cache.
OPERATION_MULTIPLY_ADDS, UPDATE_OPERATION_MULTIPLY_ADDS = 4, 2
# Contiguous elements from which an array with gaps is read in place. Shorter runs are copied first.
RUN_ELEMENTS = 16
