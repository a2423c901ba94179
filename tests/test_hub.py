"""Weights from the folder of downloaded files."""

import hashlib

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import hub
from tinygrad_cnn.utils import model_zoo

URL = "https://example.com/models/net.pth?download=1"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_folder", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_the_folder(tmp_path, monkeypatch):
    assert hub.get_dir() == str(tmp_path / "hub")
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("TORCH_HOME")
    assert hub.get_dir() == "/home/someone/.cache/torch/hub"
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert hub.get_dir() == "/cache/torch/hub"
    hub.set_dir("~/weights")
    assert hub.get_dir() == "/home/someone/weights"
    assert hub._get_torch_home() == "/cache/torch"


def test_a_file_that_is_there(folder, tmp_path):
    tc.save({"w": tc.ones(2)}, folder / "net.pth")
    for load in (hub.load_state_dict_from_url, model_zoo.load_url):
        assert load(URL)["w"].tolist() == [1.0, 1.0]
        assert load(URL, map_location="cpu", progress=False, weights_only=True)["w"].shape == (2,)
    tc.save({"w": tc.zeros(1)}, tmp_path / "other.pth")
    state = hub.load_state_dict_from_url(URL, model_dir=tmp_path, file_name="other.pth")
    assert state["w"].tolist() == [0.0]
    with pytest.raises(NotImplementedError, match="cuda"):
        hub.load_state_dict_from_url(URL, map_location="cuda")


def test_a_file_that_is_not_there(folder):
    with pytest.raises(FileNotFoundError) as caught:
        hub.load_state_dict_from_url(URL)
    assert str(caught.value).endswith(f"curl -L --create-dirs -o '{folder / 'net.pth'}' '{URL}'")


def test_the_hash_in_the_name(folder):
    tc.save({}, folder / "x.pth")
    data = (folder / "x.pth").read_bytes()
    right = hashlib.sha256(data).hexdigest()[:8]
    for prefix in (right, "00000000"):
        (folder / f"net-{prefix}.pth").write_bytes(data)
    url = "https://example.com/net-{}.pth"
    assert hub.load_state_dict_from_url(url.format(right), check_hash=True) == {}
    assert hub.load_state_dict_from_url(url.format("00000000")) == {}
    assert hub.load_state_dict_from_url("https://example.com/x.pth", check_hash=True) == {}
    with pytest.raises(
        RuntimeError, match=rf'invalid hash value \(expected "00000000", got "{right}"\)'
    ):
        hub.load_state_dict_from_url(url.format("00000000"), check_hash=True)


def test_files_by_their_own_path(folder):
    path = folder / "data.bin"
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        hub.download_url_to_file(URL, path)
    path.write_bytes(b"data")
    hub.download_url_to_file(
        URL, path, hash_prefix=hashlib.sha256(b"data").hexdigest(), progress=False
    )
    with pytest.raises(RuntimeError, match="invalid hash value"):
        hub.download_url_to_file(URL, path, hash_prefix="1234")


def test_repositories():
    with pytest.raises(NotImplementedError, match=r"owner/repo.*definition of net"):
        hub.load("owner/repo", "net", pretrained=True)
