"""examples/pretrained.py with small networks of the same form, and images made here."""

import numpy as np
import pytest
from PIL import Image

import tinygrad_cnn as tc

SETTINGS = {"Block": ((1, 2, 1, 1), 5), "Bottleneck": ((1, 1, 1, 1), 3)}


@pytest.fixture
def pretrained(example):
    return example("pretrained")


@pytest.fixture
def image(tmp_path):
    """A picture, wider than high, with a bright square on the right."""
    pixels = np.full((60, 90, 3), 40, np.uint8)
    pixels[20:40, 55:75] = 250
    Image.fromarray(pixels).save(tmp_path / "image.png")
    return tmp_path / "image.png"


@pytest.fixture
def weights(pretrained, tmp_path):
    """The path of the weights of a network with blocks of the given kind."""

    def write(kind="Block", **how):
        tc.manual_seed(0)
        blocks, classes = SETTINGS[kind]
        model = pretrained.ResNet(blocks, classes=classes, block=getattr(pretrained, kind))
        state = model.state_dict()
        tc.save({"state_dict": state, "epoch": 3} if how else state, tmp_path / "net.pth")
        return tmp_path / "net.pth"

    return write


def run(pretrained, weights, image, *more):
    return pretrained.main(["--weights", str(weights), "--image", str(image), *more])


def stops(pretrained, weights, image, *more):
    """The only line of the error that ends the program."""
    with pytest.raises(SystemExit) as stopped:
        run(pretrained, weights, image, *more)
    message = stopped.value.code
    assert isinstance(message, str)
    assert message.startswith("pretrained.py: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("kind", SETTINGS)
def test_five_classes_and_a_picture(pretrained, weights, image, kind, tmp_path, capsys):
    out, names = tmp_path / "cam.png", tmp_path / "names.txt"
    count = SETTINGS[kind][1]
    names.write_text("".join(f"name {k}\n" for k in range(count)))
    best = run(pretrained, weights(kind), image, "--classes", str(names), "--out", str(out))
    assert len(best) == min(5, count)
    assert [p for _, p in best] == sorted((p for _, p in best), reverse=True)
    assert sum(p for _, p in best) == pytest.approx(1)
    assert {name for name, _ in best} <= set(names.read_text().splitlines())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(best[0][0])
    assert lines[-1] == f"Grad-CAM: {out}"
    with Image.open(out) as picture:
        assert picture.size == (700, 380)


def test_weights_in_the_checkpoint_of_a_run(pretrained, weights, image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    best = run(pretrained, weights(inside=True), image)
    assert best[0][0].startswith("class ")
    assert (tmp_path / "grad-cam.png").exists()


def test_the_heat_is_where_the_score_comes_from(pretrained):
    """A network whose score is the mean of one bright feature map."""
    layer = tc.nn.Conv2d(3, 2, 1, bias=False)
    with tc.no_grad():
        layer.weight.copy_(tc.tensor([[1.0, 1, 1], [-1, -1, -1]]).view(2, 3, 1, 1))
    model = tc.nn.Sequential(layer, tc.nn.AdaptiveAvgPool2d(1), tc.nn.Flatten())
    x = tc.zeros(1, 3, 8, 8)
    x[:, :, 2:4, 5:7] = 1.0
    logits, heat = pretrained.grad_cam(model, layer, x)
    assert logits.tolist() == pytest.approx([12 / 64, -12 / 64])
    wanted = tc.zeros(8, 8)
    wanted[2:4, 5:7] = 1.0
    assert heat.tolist() == wanted.tolist()
    assert not heat.requires_grad
    assert not layer._hooks or not layer._hooks.after


def test_preprocessing(pretrained, image):
    cropped = pretrained.read_image(image)
    assert cropped.size == (224, 224)
    x = pretrained.to_tensor(cropped)
    assert x.shape == (1, 3, 224, 224)
    gray = (40 / 255 - 0.485) / 0.229
    assert x[0, 0, 0, 0].item() == pytest.approx(gray, abs=1e-6)


def test_wrong_files_are_named(pretrained, weights, image, tmp_path):
    good = weights()
    nothing = tmp_path / "nothing"
    assert str(nothing) in stops(pretrained, nothing, image)
    assert f"{nothing}: cannot be read" in stops(pretrained, good, nothing)
    assert f"{nothing}: cannot be read" in stops(pretrained, good, image, "--classes", str(nothing))
    text = tmp_path / "text"
    text.write_text("not an image\n")
    assert f"{text}: cannot be read" in stops(pretrained, good, text)
    assert f"{text}: is no checkpoint" in stops(pretrained, text, image)
    assert f"{text}: has 1 lines, the network has 5 classes" in stops(
        pretrained, good, image, "--classes", str(text)
    )
    other = tmp_path / "other.pth"
    for state in ([1], {"weight": tc.ones(1)}, {"fc.weight": 1}):
        tc.save(state, other)
        assert f"{other}: holds no weights of a ResNet" in stops(pretrained, other, image)
    tc.save({"fc.weight": tc.ones(3, 512)}, other)
    assert f"{other}: Error(s) in loading" in stops(pretrained, other, image)
