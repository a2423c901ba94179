"""The profiler: what it counts, its table, its trace, and its schedule."""

import json
import threading

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.profiler import (
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    tensorboard_trace_handler,
)  # fmt: skip


def work():
    x = tc.ones(3, 2, requires_grad=True)
    (x * 2.0).exp().sum().backward()


def counts(rows):
    return {row.key: row.count for row in rows}


def test_ops_and_vjps_are_counted():
    with profile(activities=[ProfilerActivity.CPU]) as prof:
        work()
        work()
    found = counts(prof.key_averages())
    assert found == {
        "mul": 2, "exp": 2, "sum": 2, "SumBackward0": 2, "ExpBackward0": 2, "MulBackward0": 2,
    }  # fmt: skip
    assert len(prof.events()) == 12


def test_times_add_up():
    with profile() as prof, record_function("all"):
        work()
    rows = {row.key: row for row in prof.key_averages()}
    assert rows["all"].cpu_time_total >= sum(
        rows[name].cpu_time_total for name in rows if name != "all"
    )
    total = prof.key_averages().self_cpu_time_total
    assert total == pytest.approx(rows["all"].cpu_time_total)
    assert all(0 <= row.self_cpu_time_total <= row.cpu_time_total for row in rows.values())
    assert prof.key_averages().total_average().count == len(prof.events())


def test_nothing_is_seen_outside_of_the_block():
    with profile() as prof:
        pass
    work()
    assert prof.events() == []


def test_an_exception_leaves_no_open_events():
    with profile() as prof:
        for _ in range(2):
            with pytest.raises(RuntimeError), record_function("outer"):
                tc.ones(2) + tc.ones(3)
        tc.ones(2) + 1
    found = counts(prof.key_averages())
    assert found["outer"] == 2
    assert all(event.cpu_time_total >= 0 for event in prof.events())
    assert prof.events()[-1].depth == 0


def test_threads_have_events_of_their_own():
    with profile() as prof:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts(prof.key_averages())["exp"] == 3
    assert all(event.self_cpu_time_total >= 0 for event in prof.events())


def test_two_profilers_at_once():
    with profile() as outer:
        work()
        with profile() as inner:
            work()
    assert counts(outer.key_averages())["exp"] == 2
    assert counts(inner.key_averages())["exp"] == 1


def test_shapes_and_memory():
    with profile(record_shapes=True, profile_memory=True) as prof:
        _ = tc.ones(3, 2) @ tc.ones(2, 4)
        _ = tc.ones(5, 2) @ tc.ones(2, 4)
    rows = prof.key_averages(group_by_input_shape=True)
    assert sorted(row.input_shapes for row in rows) == [[[3, 2], [2, 4]], [[5, 2], [2, 4]]]
    assert sorted(row.cpu_memory_usage for row in rows) == [48, 80]
    assert counts(prof.key_averages()) == {"matmul": 2}
    assert "Input Shapes" in rows.table()
    assert "CPU Mem" in rows.table()


def test_the_table():
    with profile() as prof:
        work()
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=2, header="Mine")
    lines = table.splitlines()
    assert lines[0] == "Mine"
    assert lines[2].split()[:4] == ["Name", "Self", "CPU", "%"]
    assert len(lines) == 8
    assert lines[-1].startswith("Self CPU time total: ")
    times = [row.cpu_time_total for row in prof.key_averages()]
    assert lines[4].split()[0] == prof.key_averages()[times.index(max(times))].key
    assert str(prof.key_averages()) == prof.key_averages().table()
    prof.key_averages().table(sort_by="self_cuda_time_total")  # 0 everywhere
    with profile() as empty:
        pass
    assert "Self CPU time total: 0.000us" in empty.key_averages().table()


def test_a_schedule_selects_steps():
    ready = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=2)
    with profile(
        schedule=plan, on_trace_ready=lambda p: ready.append(counts(p.key_averages())["exp"])
    ) as prof:
        for _ in range(10):
            work()
            prof.step()
    assert ready == [2, 2]


def test_traces_go_to_files(tmp_path):
    handler = tensorboard_trace_handler(str(tmp_path / "log"), worker_name="w")
    with profile(on_trace_ready=handler, record_shapes=True) as prof:
        work()
    (file,) = (tmp_path / "log").iterdir()
    assert file.name.startswith("w.")
    assert file.name.endswith(".pt.trace.json")
    prof.add_metadata("note", "text")
    prof.add_metadata_json("numbers", "[1, 2]")
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    trace = json.loads((tmp_path / "trace.json").read_text())
    assert [e["name"] for e in trace["traceEvents"]] == [e.key for e in prof.events()]
    assert (trace["note"], trace["numbers"]) == ("text", [1, 2])
    with pytest.raises(NotImplementedError, match="use_gzip"):
        tensorboard_trace_handler("log", use_gzip=True)


def test_the_older_form():
    with tc.autograd.profiler.profile(use_cuda=False) as prof:
        work()
    assert prof.self_cpu_time_total > 0
    assert len(prof.function_events) == 6
    assert "exp" in prof.table(sort_by="self_cpu_time_total")
    with tc.autograd.profiler.profile(enabled=False) as prof:
        work()
    with pytest.raises(AssertionError, match="initialized"):
        prof.key_averages()


def test_a_block_without_a_profiler_costs_little_and_does_nothing():
    @record_function("f")
    def f(x):
        return x + 1

    assert f(1) == 2
