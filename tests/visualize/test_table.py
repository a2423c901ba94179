"""The table of ops."""

import pytest

import tinygrad_cnn as tc
import visualize


def test_table(nets):
    model = nets.LeNet()
    picture = visualize.trace(model, tc.randn(2, 1, 8, 8))
    table = picture.table("kept")
    assert [row.kept for row in table.rows] == sorted((r.kept for r in table.rows), reverse=True)
    assert table.rows[0].op == "relu"
    text = str(table).splitlines()
    assert text[0].split() == ["op", "module", "kept", "forward", "backward", "gradient", "line"]
    assert len(text) == len(table) + 2
    assert text[-1].startswith("all")
    assert len({line.index("B") for line in text[1:4] if "kB" in line} | {0}) <= 2  # in columns
    assert len(picture.table("time", top=2)) == 2
    assert [row.op for row in picture.table("order").rows][:2] == ["conv2d", "relu"]
    with pytest.raises(ValueError, match="by: 'size' is not among"):
        picture.table("size")
