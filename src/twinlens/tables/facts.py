"""The facts behind an accuracy in a table: its source, what it rests on, its peer."""

from collections.abc import Mapping, Sequence

from twinlens import formats
from twinlens.tables import published
from twinlens.tables.accuracy import Accuracy, Scores
from twinlens.tables.forms import Dataset


def of(loaded: Mapping[tuple[str, str], Scores], dataset: str, method: str) -> Scores:
    """The scores of a method's clips of a data set.

    Raises:
        ArtifactError: they were not given.
    """
    if (dataset, method) not in loaded:
        raise formats.ArtifactError(f"no scores of {method} on {dataset} were given")
    return loaded[dataset, method]


def accuracy_line(cell: Accuracy) -> dict[str, object]:
    """An accuracy with all that it rests on, for the long form."""
    return {
        "accuracy": f"{cell.mean_class:.2f}",
        "low": f"{cell.low:.2f}",
        "high": f"{cell.high:.2f}",
        "overall": f"{cell.overall:.2f}",
        "right": cell.right,
        "clips": cell.clips,
        "overall_low": f"{cell.overall_low:.2f}",
        "overall_high": f"{cell.overall_high:.2f}",
        "classes": cell.classes,
    }


def beside(value: float | None, dataset: Dataset, cell: Accuracy) -> str:
    """The paper's value, only where ours is of the same complete test split."""
    whole = published.COMPLETE.get(dataset.label) == (cell.clips, cell.classes)
    comparable = dataset.official and whole and value is not None
    return f"{value:.2f}" if comparable else ""


def sizes(dataset: Dataset, cells: Sequence[Accuracy]) -> list[str]:
    """A line on what a data set's accuracies rest on; none where it has none."""
    if not cells:
        return []
    half = max(_half(cell) for cell in cells)
    return [
        f"{dataset.label}: {cells[0].clips} test clips of {cells[0].classes} classes;"
        f" 95 % intervals reach ±{half:.1f} points or less"
    ]


def _half(cell: Accuracy) -> float:
    """Half the wider interval: redrawing within classes that are all right says 0."""
    overall = cell.overall_high - cell.overall_low
    return max(cell.high - cell.low, overall) / 2
