"""The command with contestants that are made up and small: what it measures, says, writes and draws.

No time is asserted: the contestants say how long they take.
"""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from benchmarks import (
    __main__ as command,
    contestants,
    lenets,
    measure,
    micro,
    networks,
    records,
    rows,
    scaling,
    works,
)
from benchmarks.contestants import ALL, OURS
from benchmarks.measure import Effort, Samples
from benchmarks.seats import Apart, Seat, smaller
from tinygrad_cnn import kernels

SMALL = Effort(rounds=3, block=0.0, budget=60, memory=2)


class Fake:
    """Takes so many seconds at each block, and finds the same number as all others."""

    def __init__(self, seconds=1.0, value=1.0, fails=None):
        self.seconds, self.value, self.fails, self.closed = seconds, value, fails, False

    def prepare(self, work, arguments, threads):
        if self.fails == "prepare":
            raise RuntimeError("no such thing here")
        return self.value

    def block(self, seconds):
        if self.fails == "block":
            raise RuntimeError("out of memory")
        return self.seconds

    def rise(self, work, arguments, threads):
        return 100 * self.seconds

    def close(self):
        self.closed = True


SECONDS = {"vectorized": 2.0, "compiled": 1.0, "torch": 4.0, "torch channels-last": 1.6, "jax": 8.0,
           "autograd": 40.0, "mygrad": 10.0, "peak": 1.0}  # fmt: skip


def of_name(name):
    return Fake(SECONDS[name])


@pytest.fixture
def all_installed(monkeypatch):
    monkeypatch.setattr(contestants.Contestant, "there", lambda self: True)
    monkeypatch.setattr(measure, "PAUSE", 0)
    monkeypatch.setattr(command, "compare", lambda *a, **k: measure.compare(*a, **k | {"pause": 0}))


def compare(**seats):
    return measure.compare(seats, dict.fromkeys(seats, ("work", {})), SMALL, pause=0)


# --- Measuring ----------------------------------------------------------------------------------


def test_ratios_are_of_one_round():
    samples = Samples("s", {"a": [1.0, 10.0, 3.0], "b": [2.0, 20.0, 3.0]})
    assert samples.ratio("a", "b") == (0.5, 0.5, 0.75)
    assert samples.best(["a", "b", "c"]) == "a"
    assert samples.best(["c"]) is None


def test_each_has_a_block_in_each_round():
    samples = compare(ours=Fake(2), torch=Fake(1))
    assert samples.taken == {"ours": [2, 2, 2], "torch": [1, 1, 1]}


def test_who_cannot_take_part_is_left_out_and_it_is_said():
    samples = compare(ours=Fake(), torch=Fake(fails="prepare"), jax=Fake(fails="block"))
    assert list(samples.taken) == ["ours"]
    assert samples.failed == {"torch": "no such thing here", "jax": "out of memory"}


def test_who_computes_something_else_is_left_out():
    samples = compare(ours=Fake(value=2.0), torch=Fake(value=2.2), jax=Fake(value=math.nan))
    assert list(samples.taken) == ["ours"]
    assert "computes 2.2 where the first has 2" in samples.failed["torch"]
    assert "jax" in samples.failed


def test_other_works_may_compute_something_else():
    seats = {"kernel": Fake(value=2.0), "peak": Fake(value=5.0)}
    ask = {"kernel": ("kernel", {}), "peak": ("product", {})}
    assert not measure.compare(seats, ask, SMALL, pause=0).failed


def test_slow_ones_have_fewer_rounds_but_the_least():
    effort = Effort(rounds=10, block=0.0, budget=0.0)
    samples = measure.compare({"a": Fake()}, {"a": ("work", {})}, effort, pause=0)
    assert len(samples.taken["a"]) == Effort.least


# --- Works --------------------------------------------------------------------------------------


def three_losses(run):
    return [float(run()) for _ in range(3)]


@pytest.mark.parametrize("name", ["jax", "autograd", "mygrad"])
def test_lenets_train_alike(name):
    for module in ALL[name].needs:
        pytest.importorskip(module)
    ours = three_losses(works.training_step(tc, "lenet", (3, 1, 28, 28)))
    theirs = three_losses(getattr(lenets, f"with_{name}")((3, 1, 28, 28)))
    np.testing.assert_allclose(theirs, ours, rtol=2e-6)
    assert ours[0] != ours[1]


def test_parameters_of_lenet_are_in_one_order():
    assert [tuple(p.shape) for p in networks.lenet(tc).parameters()] == lenets.SHAPES


@pytest.mark.parametrize(
    "model, options",
    [
        ("resnet", {"width": 4, "blocks": 1}),
        ("vgg", {"width": 2}),
        ("densenet", {"growth": 2, "layers": 1}),
        ("mobilenet", {"width": 4}),
        ("plain", {"depth": 3, "width": 4}),
    ],
)
def test_networks_take_images_of_32(model, options):
    run = works.training_step(tc, model, (2, 3, 32, 32), options, channels_last=True)
    losses = three_losses(run)
    assert np.isfinite(losses).all()
    assert len(set(losses)) == 3


def test_depth_is_the_number_of_convolutions():
    net = networks.plain(tc, depth=5)
    assert sum(isinstance(m, tc.nn.Conv2d) for m in net.modules()) == 5


def test_chain_is_that_long_and_its_derivative():
    assert float(works.chain(tc, length=10, size=4)()) == pytest.approx(4 * 1.0001**5)


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda row: row.name)
def test_rows_are_well_formed(row):
    assert set(row.rivals) <= set(ALL)
    families = {ALL[name].family for name in row.rivals} | {""}
    assert set(row.targets) <= families or row.group == "memory"
    assert all(set(target) == set(OURS) for target in row.targets.values())
    assert row.kind == "import" or isinstance(getattr(works, row.work), Callable)


def test_names_of_rows_are_their_own():
    names = [row.name for row in rows.ROWS]
    assert len(set(names)) == len(names)


# --- Kernels alone ------------------------------------------------------------------------------


def test_every_kernel_has_a_case():
    with_case = {c.arguments["function"] for c in micro.CASES if c.work == "kernel"}
    assert with_case == set(kernels.FUNCTIONS)


SMALLER = {
    **dict.fromkeys(micro._CONVS, ((2, 4, 6, 6), 8, 3, 1, 2)),
    **dict.fromkeys(micro._POOLS, ((2, 3, 6, 6), 2)),
    "matmul": (2, 3, 4), "elementwise": ("gradient of GELU", 2, 3),
    **dict.fromkeys(micro._NORMS, (2, 3, 4, 5)), **dict.fromkeys(micro._SOFTMAXES, (3, 5)),
    "blockwise": (2, 3),
}  # fmt: skip


@pytest.mark.parametrize("function", sorted(SMALLER))
def test_kernels_run_alone(function):
    assert np.isfinite(micro.call(kernels, function, SMALLER[function])())


def test_a_layer_and_an_optimizer_run_alone():
    assert np.isfinite(float(works.layer(tc, "BatchNorm2d", (3,), (2, 3, 4, 4))()))
    step = works.optimizer_step(tc, "SGD", (4, 2), {"lr": 0.1, "momentum": 0.9})
    assert float(step().detach()) == pytest.approx(0.9)
    assert float(works.cross_entropy(tc, 4, 3)()) > 0


def test_share_of_the_peak():
    case = micro.Case("", "kernel", {}, flops=2.0 * micro.PRODUCT**3, moved=8.0 * micro.COPIED / 2)
    bound = micro.share(case, seconds=4.0, product=2.0, copy=1.0)
    assert (bound.share, bound.bound) == (0.5, "matmul")
    bound = micro.share(case, seconds=4.0, product=0.2, copy=2.0)
    assert (bound.share, bound.bound) == (0.25, "copy")
    assert bound.gflops == pytest.approx(case.flops / 4e9)


# --- Scaling ------------------------------------------------------------------------------------


@given(st.floats(0.0, 3.0), st.floats(1e-6, 1e3), st.integers(2, 6), st.integers(1, 4))
def test_the_exponent_of_a_power_is_found(exponent, factor, count, rounds):
    sizes = [3**k for k in range(1, count + 1)]
    found = scaling.slopes([(n, [factor * n**exponent] * rounds) for n in sizes])
    np.testing.assert_allclose(found, [exponent] * rounds, atol=1e-9)


def test_the_cost_of_every_call_does_not_hide_the_exponent():
    sizes = (1, 10, 100, 1000, 10000, 100000)
    samples = [Samples("s", {"ours": [10 + n, 10 + n]}) for n in sizes]
    fit = scaling.exponents(sizes, samples, "ours")
    assert fit["all"][1] < 0.9 < 0.99 < fit["upper"][1] < 1.01
    assert scaling.exponents(sizes, samples, "torch") is None


# --- The command --------------------------------------------------------------------------------


def run(capsys, *arguments, sit=of_name):
    command.main(["--quick", *arguments], sit)
    return capsys.readouterr().out


def test_the_table_has_the_best_of_each_family(all_installed, capsys):
    out = run(capsys, "--only", "LeNet-5, batch 64", "--kernels", "vectorized", "compiled")
    lines = [line.split() for line in out.splitlines()[1:9]]
    # of PyTorch's two formats the better one: ours, ms, rival, its time, ratio, quartiles, target, limit
    assert " ".join(lines[0]) == (
        "LeNet-5, batch 64 vectorized 2000.0 ms torch channels-last 1600.0 1.25 1.25 to 1.25 1.30 met "
        "0.04 matmul"
    )
    assert [line[-8] for line in lines] == (  # ratios
        "1.25 0.25 0.05 0.20 0.62 0.12 0.03 0.10".split()  # noqa: SIM905
    )
    assert [line[-3] for line in lines] == ["met"] * 3 + ["missed"] + ["met"] * 4
    assert "7 of 8 targets met; missed: LeNet-5, batch 64 (vectorized, MyGrad)" in out


def test_a_step_is_three_products_a_layer_but_for_the_first():
    a, b, c = 784 * 256, 256 * 128, 128 * 10
    assert works.step_size("mlp", (16, 784)) == (2 * 16 * (2 * a + 3 * b + 3 * c), 0)


def test_a_convolution_has_the_limit_that_the_machine_sets(all_installed, capsys, tmp_path):
    results = tmp_path / "one.json"
    words = ["--only", "conv 1x1, 64 to 256", "--kernels", "compiled", "--json", str(results)]
    line = run(capsys, *words).splitlines()[1]
    # at the fake peak of 2 · 1024³ operations a second, over the 1.6 s of the better rival
    limit = 3 * 2 * 16 * 16**2 * 64 * 256 / (2 * 1024**3) / 1.6
    assert line.split()[-4:] == ["0.80", "met", f"{limit:.2f}", "matmul"]
    (row,) = records.load(str(results))["rows"]
    assert not any(name.startswith("peak") for name in row["contestants"])
    assert [entry["limit"] for entry in row["against"]] == pytest.approx([limit * 0.4, limit])


def test_json_and_plots(all_installed, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    results, picture = tmp_path / "all.json", tmp_path / "all.png"
    words = ["--only", "LeNet-5, batch 1", "peak of lenet", "graph length", "mask"]
    out = run(capsys, *words, "--json", str(results), "--plot", str(picture),
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


def test_a_picture_has_the_numbers(all_installed, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks import plot

    results = tmp_path / "one.json"
    run(capsys, "--only", "LeNet-5, batch 1", "--json", str(results), "--kernels", "vectorized")
    (axes,) = plot._rows(records.load(str(results))["rows"]).axes
    dots = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert dots == [0.5, 1.25, 0.25, 0.05, 0.2]
    ticks = [line.get_xdata()[0] for line in axes.lines if line.get_color() == "black"]
    assert ticks == [1.3, 0.5, 0.1, 0.15]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["LeNet-5, batch 1"]


def test_peers_that_are_not_installed_are_left_out(all_installed, capsys, monkeypatch):
    monkeypatch.setattr(contestants.Contestant, "there", lambda self: False)
    out = run(capsys, "--only", "mlp", "--kernels", "vectorized")
    assert "torch" not in out
    assert out.count("vectorized") == 4


def test_torch_compile_is_asked_for(all_installed, capsys):
    SECONDS["torch.compile"] = 1.0
    words = ["--only", "MLP, batch 1", "--kernels", "vectorized"]
    assert "torch.compile" not in run(capsys, *words)
    assert "torch.compile" in run(capsys, *words, "--compile")


def test_what_checkpointing_saves(all_installed, capsys, tmp_path):
    asked = []

    class Halved(Fake):
        def rise(self, work, arguments, threads):
            asked.append((work, arguments["model"], arguments["shape"][0]))
            return 40 if arguments["options"]["checkpointed"] else 100

    words = ["--only", "checkpoint", "--kernels", "compiled", "--json", str(tmp_path / "r.json")]
    out = run(capsys, *words, sit=lambda name: Halved())
    assert set(asked) == {("training_step", "resnet", 64)}
    lines = [line.split() for line in out.splitlines() if line.startswith("ResNet-18, batch 64")]
    assert [line[3:] for line in lines] == [
        ["compiled", "40.0", "100.0", "MiB", "0.40", "0.50", "met"],
        ["torch", "40.0", "100.0", "MiB", "0.40"],
    ]
    record = json.loads((tmp_path / "r.json").read_text())["extras"][-1]
    assert (record["ratio"], record["target"], record["met"]) == (0.4, None, None)


def test_checkpointed_networks_compute_the_same():
    losses = []
    for checkpointed in (False, True):
        options = {"width": 2, "blocks": 1, "checkpointed": checkpointed}
        step = works.training_step(tc, "resnet", (2, 3, 32, 32), options)
        losses.append([float(step().detach()) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_failure_is_said_and_the_seat_given_up(all_installed, capsys):
    seats = []

    def sit(name):
        seats.append(Fake(fails="block" if name == "torch" else None))
        return seats[-1]

    out = run(capsys, "--only", "MLP, batch 1", "--kernels", "vectorized", sit=sit)
    assert "MLP, batch 1: torch failed: out of memory" in out
    assert all(seat.closed for seat in seats)


def test_a_word_that_names_nothing_is_an_error(capsys):
    with pytest.raises(SystemExit):
        command.main(["--only", "nonsense"])
    assert "no row of nonsense; groups are engine, mlp" in capsys.readouterr().err


# --- Seats --------------------------------------------------------------------------------------

CHAIN = ("chain", {"length": 4, "size": 2}, None)


@pytest.fixture
def kernels_as_they_were():
    before, threads = kernels.current(), kernels.get_num_threads()
    yield
    kernels.use(before)
    kernels.set_num_threads(threads)


def test_a_seat_times_its_call(kernels_as_they_were):
    seat = Seat(ALL["vectorized"])
    assert seat.prepare(*CHAIN) == pytest.approx(2 * 1.0001**2)
    assert seat.block(0.0) > 0


def test_a_seat_apart_answers_fails_and_ends():
    seat = Apart(ALL["vectorized"])
    assert seat.prepare(*CHAIN) == pytest.approx(2 * 1.0001**2)
    assert seat.block(0.0) > 0
    with pytest.raises(RuntimeError, match="no_such_work"):
        seat.prepare("no_such_work", {}, None)
    assert seat.prepare(*CHAIN) == pytest.approx(2 * 1.0001**2)  # and goes on
    seat.close()
    assert not seat.process.is_alive()
    with pytest.raises(RuntimeError, match="the process ended"):
        seat.prepare(*CHAIN)


def test_less_of_a_work():
    assert smaller({"shape": (16, 3, 8, 8), "model": "vgg"}) == {
        "shape": (2, 3, 8, 8), "model": "vgg"
    }  # fmt: skip
    assert smaller({"shape": (1, 784)}) == {"shape": (1, 784)}
    assert smaller({"length": 1000, "size": 8}) == {"length": 10, "size": 8}


def test_memory_of_a_fresh_process_holds_what_the_work_makes():
    seat = Apart(ALL["vectorized"])
    # each product and sum is a new array of 16 MiB, and two are there at once; the gradient another
    rise = seat.rise("chain", {"length": 2, "size": 4 << 20}, None)
    seat.close()
    assert 30 < rise < 200


def test_peaks_of_the_machine():
    for work in (("product", {"size": 8}), ("copy", {"size": 64})):
        assert Seat(ALL["peak"]).prepare(*work, None) in (1, 8)


def test_a_row_of_one_thread_leaves_the_next_its_default(monkeypatch):
    set_to = []
    monkeypatch.setattr(contestants, "_threads", {})
    monkeypatch.setattr(kernels, "get_num_threads", lambda: set_to[-1] if set_to else 5)
    monkeypatch.setattr(kernels, "set_num_threads", set_to.append)
    make = ALL["vectorized"].make
    before = kernels.current()
    make("chain", {"length": 2, "parameters": False}, 1)
    make("chain", {"length": 2, "parameters": False}, None)
    kernels.use(before)
    assert set_to == [1, 5]
