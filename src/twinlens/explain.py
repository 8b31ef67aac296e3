"""Say where a cell of a table comes from: the chain of jobs down to the raw files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from twinlens import cli, records
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError, PlanError
from twinlens.named import nearest
from twinlens.plan import Plan, overlays
from twinlens.tables import facts, forms, table3
from twinlens.tables.accuracy import Scores, is_correct, load
from twinlens.tables.settings import Layout


class Cell(NamedTuple):
    """A cell of a table of accuracies."""

    layout: Layout
    method: str
    """Key of its row."""
    dataset: str
    """Key of its data set."""
    stream: str
    """A head, or "fusion"."""
    inputs: list[Path]
    """Score shards."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what stands behind a cell."""
    parser = cli.config_options("explain", __doc__)
    parser.add_argument("table", type=Path, help="such as results/table3.csv")
    parser.add_argument("--row", required=True, help="a method, as the table names it")
    parser.add_argument("--column", required=True, help='such as "Yard Spatial"')
    parser.add_argument(
        "--commands", action="store_true", help="print each job's whole command"
    )
    options = parser.parse_args(arguments)
    plan = overlays.plan(options.config, options.data)
    cell = find(plan, options.table, options.row, options.column)
    for line in [*clips(plan, cell), "", *chain(cell.inputs, options.commands)]:
        print(line)
    return 0


def find(plan: Plan, table: Path, row: str, column: str) -> Cell:
    """Find a cell.

    Args:
        plan: of the world.
        table: a csv of accuracies.
        row: a method, by its label.
        column: such as "Yard Spatial".

    Raises:
        PlanError: there is no such table, row or column.
    """
    name = table.stem
    if (world := forms.world_of(table)) not in {"", plan.world.world}:
        raise PlanError(
            f"{table}: is of world {world}, and the config's is {plan.world.world}:"
            " name the configs that it was made with by --config"
        )
    spec = plan.tables.names.get(name)
    if spec is None or spec.module != "table3":
        tables = plan.tables.names.items()
        which = ", ".join(key for key, each in tables if each.module == "table3")
        raise PlanError(f"{name}: it is cells of {which} that can be explained")
    layout = plan.tables.layout(spec)
    rows = {method.label: key for key, method in layout.methods.items()}
    columns = {
        f"{about.label} {stream}": (key, stream.lower())
        for key, about in layout.datasets.items()
        for stream in table3.streams(layout)
    }
    for what, wanted, known in (
        ("row", row, list(rows)),
        ("column", column, list(columns)),
    ):
        if wanted not in known:
            raise PlanError(
                f"{table}: has no {what} {wanted!r}{nearest(wanted, known)}"
            )
    method, (dataset, stream) = rows[row], columns[column]
    of = layout.methods[method]
    if stream != facts.FUSION and of.frames_of != of.flow_of:
        raise PlanError(
            f"{table}: {row} takes each stream from another method, and"
            " has a value of their fusion only"
        )
    rows_read = dict.fromkeys(of.scores.values())
    files = plan.scores.files(spec.recogniser, rows_read, [dataset])
    return Cell(layout, method, dataset, stream, [Path(each) for each in files])


def clips(plan: Plan, cell: Cell) -> Iterator[str]:
    """Say of each clip whether it was recognised, and as what.

    Raises:
        ArtifactError: the scores are not there, or damaged.
    """
    scores = _scores(cell)
    fused = cell.stream == facts.FUSION
    values = scores.fused(cell.layout.fusion) if fused else scores.of(cell.stream)
    names = _classes(plan, cell.dataset)
    correct = is_correct(values, scores.labels)
    method = cell.layout.methods[cell.method].label
    label = cell.layout.datasets[cell.dataset].label
    yield (
        f"{method} on {label}, {cell.stream} of {cell.layout.recogniser}:"
        f" {int(correct.sum())} of {len(correct)} clips are recognised"
    )
    for index, clip in enumerate(scores.clips):
        taken = names[int(values[index].argmax())]
        yield f"  {'right' if correct[index] else 'wrong'}  {clip}  as {taken}"


def _scores(cell: Cell) -> Scores:
    """Join the scores of all heads, each from where it is stored."""
    absent = [path for path in cell.inputs if not path.is_file()]
    if absent:
        raise ArtifactError(f"{absent[0]}: is not there; make the table first")
    method = cell.layout.methods[cell.method]
    return table3.joined(load(cell.inputs), cell.layout, cell.dataset, method)


def _classes(plan: Plan, dataset: str) -> list[str]:
    found = read_csv(Path(plan.networks.classes(dataset)), "classes/1")
    return [str(each) for each in found["class"]]


# --- the chain ------------------------------------------------------------------------


def chain(files: Sequence[Path], commands: bool = False) -> Iterator[str]:
    """List the files that others are made from, each once, below what is made of it.

    Args:
        files: where to begin.
        commands: whether each job's whole command is printed.
    """
    seen: set[str] = set()
    for path in files:
        yield from _file(path, 0, seen, commands)


def _file(path: Path, depth: int, seen: set[str], commands: bool) -> Iterator[str]:
    indent = "  " * depth
    record = records.of(path)
    if str(path) in seen:
        yield f"{indent}{path}  (see above)"
        return
    seen.add(str(path))
    yield f"{indent}{path}  {_identity(path)}".rstrip()
    if record is None:
        yield f"{indent}  given, and not made by the workflow"
        return
    program = record.command.partition(" --")[0]
    yield f"{indent}  by {record.rule}: {record.command if commands else program}"
    for each in record.params:
        if each.startswith("'{"):
            yield f"{indent}  settings: {each.strip(chr(39))}"
    yield from _videos(path, indent)
    for each in record.inputs:
        yield from _file(Path(each), depth + 1, seen, commands)


def _identity(path: Path) -> str:
    """The digest of an artifact; "gone" of one that only passed through."""
    if not path.is_file():
        return "(gone after its last use)"
    if path.suffix != ".h5":
        return ""
    return reader.file_id(path)[:12]


def _videos(path: Path, indent: str) -> Iterator[str]:
    """Name the raw files that were decoded to a shard, with their digests."""
    if path.parts[-4:-3] != ("frames",):
        return
    report = Path(*path.parts[:-4], "reports", *path.parts[-3:]).with_suffix(".csv")
    if report.is_file():
        for row in read_csv(report, "report/1").to_dict("records"):
            yield f"{indent}  video: {row['path']}  sha1 {row['sha1']}"
