"""The picture of a step in several processes."""

import types

import pytest

import tinygrad_cnn as tc
import visualize
from tests.distributed.test_reducer import Sleeping, Stack, reducer_of, step


def test_it_has_a_row_for_each_bucket():
    net = Stack(3)
    model = types.SimpleNamespace(reducer=reducer_of(net, Sleeping(latency=1e-4)))
    with pytest.raises(ValueError, match="has not averaged"):
        visualize.overlap(model)
    step(net, model.reducer, tc.ones(32))
    axes = visualize.overlap(model).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["backward", *(f"bucket {i}, 0.00 MB" for i in range(3))]
    assert "% of the communication is hidden" in axes.get_xlabel()
    widths = [bar.get_width() for bar in axes.patches]
    assert len(widths) == 1 + 2 * 3
    assert all(width >= 0 for width in widths)
    assert min(widths[2::2]) > 0.09  # ms
