"""examples/gallery.py on a short setting: every picture that docs/pictures.md shows is made."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_it_makes_what_the_guide_shows(example, tmp_path, capsys):
    options = ["--out", str(tmp_path), "--epochs", "1", "--steps", "10", "--pages"]
    made = {file.name for file in example("gallery").main(options)}
    assert made == {file.name for file in tmp_path.iterdir()}
    assert all((tmp_path / name).stat().st_size > 1000 for name in made)
    text = (DOCS / "pictures.md").read_text(encoding="utf-8")
    text += (DOCS.parent / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"pictures/([\w-]+\.\w+)", text))
    assert shown <= made
    assert {name for name in made if not name.endswith(".html")} <= shown
    for file in (*tmp_path.glob("*.svg"), *(DOCS / "pictures").glob("*.svg")):
        assert "/examples/" not in file.read_text(encoding="utf-8")  # no path of this machine
    there = {file.name for file in (DOCS / "pictures").iterdir()}
    assert shown == there
    assert sum(file.stat().st_size for file in (DOCS / "pictures").iterdir()) < 800_000
