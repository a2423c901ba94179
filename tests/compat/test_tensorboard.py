"""SummaryWriter over tensorboardX: Tensors are written as their values."""

import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_cnn as tc


@pytest.fixture
def writer(tmp_path):
    pytest.importorskip("tensorboardX")
    from tinygrad_cnn.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:  # which may be closed twice
        yield writer


def written(writer):
    """The values in the file of events."""
    from tensorboardX.proto.event_pb2 import Event

    writer.close()
    (path,) = Path(writer.logdir).glob("*tfevents*")
    data = path.read_bytes()
    values = []
    while data:  # length, its checksum, the event, its checksum
        n = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + n])
        values += event.summary.value
        data = data[12 + n + 4 :]
    return values


def test_scalars_and_histograms_of_tensors(writer):
    loss = tc.tensor(2.5, requires_grad=True)
    writer.add_scalar("loss", loss * 2, 1)
    writer.add_scalar("number", 3.0, global_step=tc.tensor(7).item())
    writer.add_histogram("weights", tc.nn.Linear(2, 2).weight, 1)
    writer.add_image("image", tc.zeros(3, 4, 5), 1)
    values = {v.tag: v for v in written(writer)}
    assert values["loss"].simple_value == 5.0
    assert values["number"].simple_value == 3.0
    assert values["weights"].histo.num == 4.0
    assert (values["image"].image.height, values["image"].image.width) == (4, 5)


def test_containers_of_tensors(writer):
    writer.add_scalars("losses", {"a": tc.tensor(1.0), "b": tc.tensor(2.0)}, 1)
    writer.add_images("images", tc.zeros(2, 3, 4, 4), 0)
    writer.add_text("text", "words", 0)
    assert [v.tag for v in written(writer)][-2:] == ["images", "text/text_summary"]


def test_a_graph_is_refused_with_a_hint(writer):
    with pytest.raises(NotImplementedError, match=r"`visualize\.draw\(y\)` draws the graph"):
        writer.add_graph(tc.nn.Linear(1, 1), tc.ones(1, 1))


def test_without_tensorboardx_the_attribute_is_missing():
    code = """if True:
        import sys, inspect
        sys.modules['tensorboardX'] = None
        import tinygrad_cnn as tc
        assert not hasattr(tc.utils, "tensorboard")
        inspect.getmembers(tc.utils)
        try:
            from tinygrad_cnn.utils import tensorboard
        except ModuleNotFoundError as error:
            assert "pip install" in str(error)
        tc.utils.tensorboard
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("pip install 'tinygrad_cnn[tensorboard]'\n"), done.stderr


def test_without_tensorboardx_the_error_names_the_extra():
    code = "import sys; sys.modules['tensorboardX'] = None; import tinygrad_cnn.utils.tensorboard"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("pip install 'tinygrad_cnn[tensorboard]'\n")
