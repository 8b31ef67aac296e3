"""Size and speed of the explorer with made-up verdicts of the paper's size.

    python benchmarks/explorer.py --chromium

UCF101 and HMDB51 have 3,783 and 1,530 test clips of 101 and 51 classes; 12 methods are
scored by two recognisers. The times are the browser's own: first paint of a page that
is opened from disk, then the way from a cell of the table to a clip. The last line is
one JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.explorer.browser import Browser  # noqa: E402
from tests.tables import scores  # noqa: E402
from twinlens.explorer import page  # noqa: E402
from twinlens.explorer.settings import ExplorerJob  # noqa: E402
from twinlens.tables import table3  # noqa: E402
from twinlens.tables.accuracy import Scores  # noqa: E402

SIZES = {"ucf": (3783, 101), "hmdb": (1530, 51)}
METHODS = ["bicubic", "hr", *(f"method{n}" for n in range(10))]


def made_up(clips: int, classes: int, rng: np.random.Generator) -> dict[str, Scores]:
    """Scores of every method's clips, two views each, two of three clips right."""
    labels = np.sort(np.arange(clips) % classes)
    names = [f"Class{label:03d}/v_Class_g{n:05d}" for n, label in enumerate(labels)]
    rows = {}
    for method in METHODS:
        heads = {}
        for head in scores.HEADS:
            values = rng.normal(size=(clips, classes))
            values[np.arange(clips), labels] += 3.5
            heads[head] = values
        views = {head: rng.integers(0, 3, clips) / 2 for head in heads}
        rows[method] = Scores(names, labels, heads, views)
    return rows


def write(folder: Path) -> float:
    """Write the page and what it reads on demand; seconds."""
    rng = np.random.default_rng(0)
    methods = {
        each: scores.method(each, paper="Bicubic" if each == "bicubic" else None)
        for each in METHODS
    }
    datasets = {each: scores.dataset(each) for each in SIZES}
    views = {"spatial": "views", "temporal": "views", "fusion": "clips"}
    layouts = {
        "tsn": scores.layout(methods, datasets),
        "st_resnet": scores.layout(
            methods, datasets, recogniser="ST-ResNet", metrics=views
        ),
    }
    rows = {
        name: {each: made_up(*size, rng) for each in layouts}
        for name, size in SIZES.items()
    }
    tables = []
    for recogniser, table in (("tsn", "table3"), ("st_resnet", "table4")):
        loaded = {
            (d, m): s for d, of in rows.items() for m, s in of[recogniser].items()
        }
        cells = table3._cells(loaded, layouts[recogniser], 0)
        lines = table3._long(cells, layouts[recogniser], {})
        tables.append(folder / f"{table}_long.csv")
        tables[-1].write_text("# made up\n" + lines.to_csv(index=False))
    job = ExplorerJob(
        layouts=layouts,
        tables={"tsn": "table3", "st_resnet": "table4"},
        order=tuple(METHODS),
    )
    start = time.perf_counter()
    first = {name: page._first(name, of) for name, of in rows.items()}
    page._write_scores(rows, first, job, folder)
    page._write_page(page._page(rows, first, {}, tables, job), folder)
    return time.perf_counter() - start


PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def look(folder: Path, profile: Path) -> dict[str, float]:
    """Open the page and go to a clip; milliseconds."""
    browser = Browser(profile)
    try:
        browser.open(f"file://{folder}/index.html#/")
        browser.wait(f"{PAINT} > 0")
        found = {"first_paint_ms": browser.js(PAINT)}
        assert browser.js("document.getElementById('check').className") == "quiet"
        start = time.perf_counter()
        browser.click('a[href="#/ucf/tsn/method3/spatial"]')
        browser.wait("document.querySelector('#fixed a') !== null")
        found["to_the_lists_ms"] = 1000 * (time.perf_counter() - start)
        start = time.perf_counter()
        browser.click("#fixed a")
        browser.wait("document.querySelectorAll('#scores .bar').length > 0")
        found["to_a_clip_s_scores_ms"] = 1000 * (time.perf_counter() - start)
        assert browser.faults() == []
    finally:
        browser.close()
    return {key: round(value, 1) for key, value in found.items()}


def main() -> None:
    """Write, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", action="store_true", help="open it, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "explorer"
        folder.mkdir()
        found: dict[str, float] = {"write_s": round(write(folder), 1)}
        found["page_mb"] = round((folder / "index.html").stat().st_size / 1e6, 2)
        files = [each for each in (folder / "scores").rglob("*.js")]
        found["scores_files"] = len(files)
        found["scores_largest_kb"] = max(each.stat().st_size for each in files) // 1000
        if arguments.chromium:
            found |= look(folder, Path(name))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
