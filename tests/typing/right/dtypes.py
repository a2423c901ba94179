"""A user's program on dtypes and constructors: the types that a checker must see."""

from typing import assert_type

import numpy as np

import tinygrad_cnn as torch
from tinygrad_cnn import Tensor

x = torch.FloatTensor(2, 3)
assert_type(x + 1, Tensor)
assert_type(x.dtype, torch.dtype)
assert_type(torch.get_default_dtype(), torch.dtype)
assert_type(torch.float32.is_floating_point, bool)
assert_type(torch.float32.to_complex(), torch.dtype)
assert_type(torch.promote_types(torch.int8, torch.bfloat16), torch.dtype)
assert_type(torch.result_type(x, 1.0), torch.dtype)
assert_type(torch.finfo(x.dtype).eps, float)
assert_type(torch.iinfo(torch.int8).max, int)
assert_type(x.new(2, 3), Tensor)
assert_type(x.type(), str)
assert_type(x.type(torch.LongTensor), Tensor)
assert_type(x.type("torch.LongTensor"), Tensor)
assert_type(x.bfloat16(), Tensor)

torch.zeros(2, dtype=torch.float16)
torch.zeros(2, dtype=np.float32)
torch.zeros(2, dtype=np.dtype("int8"))
torch.zeros(2, dtype=float)
x.to(torch.int64).to(x.dtype)
np.zeros(2, torch.float32)
np.zeros(2, x.dtype)
torch.set_default_tensor_type(torch.FloatTensor)
torch.nn.Linear(2, 2, dtype=torch.bfloat16).type(torch.DoubleTensor)
names: dict[torch.dtype, str] = {torch.float32: "single", x.dtype: "its own"}
