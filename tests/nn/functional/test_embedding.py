"""One-hot vectors of labels."""

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F


def test_one_hot():
    assert F.one_hot(tc.tensor([0, 2])).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert F.one_hot(tc.tensor([[1]]), 3).shape == (1, 1, 3)
    assert F.one_hot(tc.tensor([1]), 2).dtype == tc.int64
    for labels, classes, message in [
        (tc.tensor([2]), 2, "Class values must be smaller than num_classes"),
        (tc.tensor([-1]), -1, "Class values must be non-negative"),
        (tc.tensor([1.0]), -1, "one_hot is only applicable to index tensor of type LongTensor"),
        (tc.zeros(0).long(), -1, "Can not infer total number of classes"),
        (tc.tensor([0]), 0, "num_classes should be positive"),
    ]:
        with pytest.raises(RuntimeError, match=message):
            F.one_hot(labels, classes)
