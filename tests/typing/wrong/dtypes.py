"""Mistakes with dtypes that a checker must find."""

import tinygrad_cnn as torch

x = torch.ones(2)
torch.zeros(2, dtype="float32")  # wrong
x.dtype.kind  # wrong
torch.finfo("float32")  # wrong
torch.promote_types(torch.int8, "int16")  # wrong
torch.float32.itemsize = 3  # wrong
torch.result_type([1], x)  # wrong
x.new(2, dtype=torch.int8)  # wrong
