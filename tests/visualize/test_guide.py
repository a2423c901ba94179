"""docs/pictures.md: every snippet runs, and every link has a target."""

import inspect
import re
from pathlib import Path

import visualize
from visualize import look

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "pictures.md").read_text(encoding="utf-8")


def test_every_snippet_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "guide"}
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)):
        exec(compile(block, f"pictures.md, block {number}", "exec"), names)
    files = re.findall(r'"([\w.]+\.(?:svg|png|html))"', TEXT)
    assert all((tmp_path / name).stat().st_size > 1000 for name in files)
    printed = capsys.readouterr().out
    assert "+ batch_norm in 1" in printed
    assert re.search(r"^relu +1 +1\.2 MB", printed, re.M)


def test_links_and_pictures_are_there():
    sections = re.findall(r"^## (.*)$", TEXT, re.M)
    assert re.findall(r"^- \[(.*)\]\(#", TEXT, re.M) == sections
    anchors = {re.sub(r"[^\w -]", "", s.lower()).replace(" ", "-") for s in sections}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) == anchors
    for path in re.findall(r'(?:src="|\]\()((?:pictures/)?[\w-]+\.(?:svg|png|gif|md))', TEXT):
        assert (DOCS / path).is_file(), path


def test_the_table_of_options_has_them_all():
    rows = {
        keyword: (re.findall(r'"(\w+)"', values), default)
        for keyword, values, default in re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", TEXT, re.M)
    }
    assert set(rows) == set(visualize.Look.__required_keys__ | visualize.Look.__optional_keys__)
    assert rows["direction"][0] == list(look.DIRECTIONS)
    assert rows["phase"][0] == list(look.PHASES)
    assert rows["heat"][0] == [heat for heat in look.HEATS if heat != "status"]  # only for diff
    assert sorted(rows["show"][0]) == sorted(look.DETAILS)
    assert rows.pop("show")[0][:4] == list(look.DEFAULT_DETAILS)
    parameters = inspect.signature(visualize.Picture).parameters
    for keyword, (_, default) in rows.items():
        assert default.strip('"') == str(parameters[keyword].default)
