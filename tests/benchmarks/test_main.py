"""python -m benchmarks with fake workers: its measurements, table, JSON and figures."""

import json

import numpy as np
import pytest

from benchmarks import __main__ as command, contestants, records

SECONDS = {"vectorized": 2.0, "compiled": 1.0, "torch": 4.0, "torch channels-last": 1.6, "jax": 8.0,
           "torch.compile": 1.0, "autograd": 40.0, "mygrad": 10.0, "peak": 1.0}  # fmt: skip


@pytest.fixture
def run(capsys, fake_worker):
    """run(*arguments) is the output of the command."""

    def call(*arguments, start=lambda name: fake_worker(SECONDS[name])):
        command.main(["--quick", *arguments], start)
        return capsys.readouterr().out

    return call


def test_the_table_has_the_best_of_each_family(all_installed, run):
    out = run("--only", "LeNet-5, batch 64", "--kernels", "vectorized", "compiled")
    lines = [line.split() for line in out.splitlines()[1:9]]
    # the better one of PyTorch's two formats; ratio, quartiles, target, limit and its bound
    assert " ".join(lines[0]) == (
        "LeNet-5, batch 64 vectorized 2000.0 ms torch channels-last 1600.0 1.25 1.25 to 1.25 1.30 "
        "met 0.04 matmul"
    )
    assert [line[-8] for line in lines] == (  # ratios
        "1.25 0.25 0.05 0.20 0.62 0.12 0.03 0.10".split()  # noqa: SIM905
    )
    assert [line[-3] for line in lines] == ["met"] * 3 + ["missed"] + ["met"] * 4
    assert "7 of 8 targets met; missed: LeNet-5, batch 64 (vectorized, MyGrad)" in out


def test_a_convolution_has_the_limit_that_the_machine_sets(all_installed, run, tmp_path):
    results = tmp_path / "one.json"
    words = ["--only", "conv 1x1, 64 to 256", "--kernels", "compiled", "--json", str(results)]
    line = run(*words).splitlines()[1]
    # at the fake peak of 2 · 1024³ operations a second, over the 1.6 s of the better rival
    limit = 3 * 2 * 16 * 16**2 * 64 * 256 / (2 * 1024**3) / 1.6
    assert line.split()[-4:] == ["0.80", "met", f"{limit:.2f}", "matmul"]
    (row,) = records.load(str(results))["rows"]
    assert not any(name.startswith("peak") for name in row["contestants"])
    assert [entry["limit"] for entry in row["against"]] == pytest.approx([limit * 0.4, limit])


def test_json_and_plots(all_installed, run, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    results, picture = tmp_path / "all.json", tmp_path / "all.png"
    words = ["--only", "LeNet-5, batch 1", "peak of lenet", "graph length", "mask"]
    out = run(*words, "--json", str(results), "--plot", str(picture),
              "--kernels", "vectorized")  # fmt: skip
    found = json.loads(results.read_text())
    assert [row["name"] for row in found["rows"]] == [
        "LeNet-5, batch 1", "peak of LeNet-5, batch 256"
    ]  # fmt: skip
    assert found["rows"][0]["contestants"]["torch"]["median"] == 4000  # ms
    assert found["rows"][1]["contestants"]["torch"]["median"] == 400  # MiB
    (best,) = [entry for entry in found["rows"][0]["against"] if entry["best"]]
    assert (best["rival"], best["ratio"], best["target"]) == ("torch channels-last", 1.25, 1.3)
    assert found["scaling"][0]["contestants"]["vectorized"]["time"]["exponent"]["upper"][1] == 0
    assert found["micro"][0]["contestants"]["vectorized"]["share"] > 0
    assert found["machine"]["versions"]["numpy"] == np.__version__
    files = {file.name for file in tmp_path.iterdir()}
    assert files == {"all.json", "all.png", "all-scaling.png", "all-micro.png"}
    command.main(["--read", str(results)])
    again = capsys.readouterr().out
    assert [line for line in out.splitlines() if "drawn" not in line] == again.splitlines()


def test_a_picture_has_the_numbers(all_installed, run, tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks import plot

    results = tmp_path / "one.json"
    run("--only", "LeNet-5, batch 1", "--json", str(results), "--kernels", "vectorized")
    (axes,) = plot._rows(records.load(str(results))["rows"]).axes
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert dots == [0.5, 1.25, 0.25, 0.05, 0.2]
    ticks = [line.get_xdata()[0] for line in axes.lines if line.get_color() == "black"]
    assert ticks == [1.3, 0.5, 0.1, 0.15]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["LeNet-5, batch 1"]


def test_peers_that_are_not_installed_are_left_out(all_installed, run, monkeypatch):
    monkeypatch.setattr(contestants.Contestant, "installed", lambda self: False)
    out = run("--only", "mlp", "--kernels", "vectorized")
    assert "torch" not in out
    assert out.count("vectorized") == 4


def test_torch_compile_is_asked_for(all_installed, run):
    words = ["--only", "MLP, batch 1", "--kernels", "vectorized"]
    assert "torch.compile" not in run(*words)
    assert "torch.compile" in run(*words, "--compile")


def test_what_checkpointing_saves(all_installed, run, fake_worker, tmp_path):
    asked = []

    class Halved(fake_worker):
        def memory_rise(self, workload, arguments, threads):
            asked.append((workload, arguments["model"], arguments["shape"][0]))
            return 40 if arguments["options"]["checkpointed"] else 100

    words = ["--only", "checkpoint", "--kernels", "compiled", "--json", str(tmp_path / "r.json")]
    out = run(*words, start=lambda name: Halved())
    assert set(asked) == {("training_step", "resnet", 64)}
    lines = [line.split() for line in out.splitlines() if line.startswith("ResNet-18, batch 64")]
    assert [line[3:] for line in lines] == [
        ["compiled", "40.0", "100.0", "MiB", "0.40", "0.50", "met"],
        ["torch", "40.0", "100.0", "MiB", "0.40"],
    ]
    record = json.loads((tmp_path / "r.json").read_text())["extras"][-1]
    assert (record["ratio"], record["target"], record["met"]) == (0.4, None, None)


def test_a_failure_is_printed_and_its_worker_closed(all_installed, run, fake_worker):
    workers = []

    def start(name):
        workers.append(fake_worker(fails="time_block" if name == "torch" else None))
        return workers[-1]

    out = run("--only", "MLP, batch 1", "--kernels", "vectorized", start=start)
    assert "MLP, batch 1: torch excluded: out of memory" in out
    assert all(worker.closed for worker in workers)


def test_a_word_that_names_nothing_is_an_error(capsys):
    with pytest.raises(SystemExit):
        command.main(["--only", "nonsense"])
    assert "no row matches nonsense; groups: engine, mlp" in capsys.readouterr().err
