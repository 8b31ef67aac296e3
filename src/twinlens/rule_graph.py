"""Draw the rules of a world: which reads the files of which."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import networkx as nx
from matplotlib import pyplot
from matplotlib.axes import Axes

from twinlens import dry_run
from twinlens.artifacts.figure import write_figure
from twinlens.dry_run import Job
from twinlens.figures import style

SWEEPS = 4
"""Down and up over the lines; in each, rules move towards those they are joined to."""
WIDE, HIGH = 1.5, 0.7
"""Inches from a rule to the next in its line, and from a line to the next."""
HALF_BOX = 0.14
"""Inches from the middle of a rule's box to the arrows above and below."""
BOX = {
    "boxstyle": "round,pad=0.35",
    "facecolor": "white",
    "edgecolor": style.COLOURS[0],
}
CENTRE: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 3}


def draw_rules(config: dict[str, Any], out: Path) -> None:
    """Draw the rules of a world, from top to bottom.

    Args:
        config: all settings of the world.
        out: PNG; PDF and SVG go beside it.

    Raises:
        ArtifactError: Snakemake can't plan the world; its text says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        jobs = dry_run.jobs([path], anew=True)
    _draw(graph(jobs), out)


def graph(jobs: Sequence[Job]) -> "nx.DiGraph[str]":
    """Join rules: an edge where a job of one reads a file of the other's jobs.

    A rule that reads its own files, as the stages of a training do, has no edge for it.
    """
    writer = {path: job.rule for job in jobs for path in job.output}
    found: nx.DiGraph[str] = nx.DiGraph()
    # Sorted, so that the same world gives the same picture.
    found.add_nodes_from(sorted({job.rule for job in jobs}))
    found.add_edges_from(
        sorted(
            {
                (writer[path], job.rule)
                for job in jobs
                for path in job.input
                if path in writer and writer[path] != job.rule
            }
        )
    )
    return found


def places(rules: "nx.DiGraph[str]") -> dict[str, tuple[float, int]]:
    """Place rules in lines, each below all that it reads.

    Within a line they go where the rules that they are joined to are on average: a few
    sweeps down and up leave few arrows that cross (Sugiyama, Tagawa, Toda, 1981).

    Returns:
        x and line of each; the middle of each line is at x 0.
    """
    lines = [list(each) for each in nx.topological_generations(rules)]
    line_of = {rule: number for number, line in enumerate(lines) for rule in line}
    x = {rule: place for line in lines for rule, place in _spread(line)}
    down, up = (lines, rules.predecessors), (lines[::-1], rules.successors)
    for order, around in (down, up) * SWEEPS:
        for line in order:
            wanted = {
                rule: mean([x[each] for each in around(rule)] or [x[rule]])
                for rule in line
            }
            line.sort(key=wanted.__getitem__)
            x |= dict(_spread(line))
    return {rule: (x[rule], line_of[rule]) for rule in rules}


def _spread(line: Sequence[str]) -> list[tuple[str, float]]:
    return [(rule, place - (len(line) - 1) / 2) for place, rule in enumerate(line)]


def _draw(rules: "nx.DiGraph[str]", out: Path) -> None:
    style.use([])
    at = {rule: (x * WIDE, -y * HIGH) for rule, (x, y) in places(rules).items()}
    width = max(x for x, _ in at.values()) * 2 + WIDE
    height = -min(y for _, y in at.values()) + HIGH
    figure, axis = pyplot.subplots(figsize=(width, height))
    needed = nx.transitive_reduction(rules).edges
    for source, target in rules.edges:
        _arrow(axis, at[source], at[target], implied=(source, target) not in needed)
    for rule, (x, y) in at.items():
        axis.text(x, y, rule.replace("_", " "), bbox=BOX, **CENTRE)
    axis.set(xlim=(-width / 2, width / 2), ylim=(-height + HIGH / 2, HIGH / 2))
    axis.axis("off")
    figure.subplots_adjust(0, 0, 1, 1)
    write_figure(out, figure, style.DPI)


def _arrow(
    axis: Axes, source: tuple[float, float], target: tuple[float, float], implied: bool
) -> None:
    """Draw an arrow; one that others imply is light, one that passes lines is bent."""
    (x0, y0), (x1, y1) = source, target
    bend = 0.12 if y0 - y1 > 1.5 * HIGH else 0.0
    look = {
        "arrowstyle": "-|>",
        "color": "0.8" if implied else "0.35",
        "linewidth": 0.8,
        "connectionstyle": f"arc3,rad={bend}",
        "shrinkA": 0,
        "shrinkB": 0,
    }
    ends = (x1, y1 + HALF_BOX), (x0, y0 - HALF_BOX)
    axis.annotate("", *ends, arrowprops=look, zorder=1 if implied else 2)
