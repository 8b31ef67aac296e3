"""The facts behind an accuracy in a table: its source, what it rests on, its peer."""

from collections.abc import Mapping, Sequence

from twinlens.errors import ArtifactError
from twinlens.tables import published
from twinlens.tables.accuracy import Accuracy, Bools, Scores, by_class, wilson
from twinlens.tables.settings import Dataset, Layout

# Of each class and method, which clips are right.
Right = dict[str, dict[str, Bools]]
Loaded = Mapping[tuple[str, str], Scores]


def of(loaded: Loaded, dataset: str, row: str) -> Scores:
    """The stored scores of a method, or of a pair of two, on a data set.

    Raises:
        ArtifactError: they were not given.
    """
    if (dataset, row) not in loaded:
        raise ArtifactError(f"no scores of {row} on {dataset} were given")
    return loaded[dataset, row]


def single(loaded: Loaded, layout: Layout, dataset: str) -> dict[str, Scores]:
    """Scores of each method by the table's head, but for HR where there is none.

    Raises:
        ArtifactError: they were not given.
    """
    return {
        key: of(loaded, dataset, method.scores[layout.head])
        for key, method in layout.methods.items()
        if method.frames_of != "hr" or layout.datasets[dataset].has_hr
    }


def same_clips(dataset: str, *scores: Scores) -> None:
    """Check that methods can be compared clip by clip.

    Raises:
        ArtifactError: their scores are not of the same clips in the same order.
    """
    if any(each.clips != scores[0].clips for each in scores):
        raise ArtifactError(
            f"{dataset}: the scores of two methods are not of the same clips"
        )


def right_by_class(loaded: Loaded, layout: Layout, dataset: str) -> Right:
    """Which clips of each class every method classifies correctly, by its head.

    Raises:
        ArtifactError: scores are missing or not of the same clips.
    """
    scores = single(loaded, layout, dataset)
    same_clips(dataset, *scores.values())
    of_method = {key: by_class(each, layout.head) for key, each in scores.items()}
    names = next(iter(of_method.values()), {})
    return {
        name: {key: classes[name] for key, classes in of_method.items()}
        for name in names
    }


def class_line(right_n: Bools) -> dict[str, object]:
    """A method's accuracy in a class with all that it rests on, for the long form."""
    right, clips = int(right_n.sum()), len(right_n)
    low, high = wilson(right, clips)
    return {
        "accuracy": percent(right_n),
        "low": f"{low:.2f}",
        "high": f"{high:.2f}",
        "right": right,
        "clips": clips,
    }


def percent(right_n: Bools) -> str:
    """The part of clips that are right, in percent with two digits."""
    return f"{100 * right_n.mean():.2f}"


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
    comparable = complete(dataset, cell.clips, cell.classes)
    return "" if value is None or not comparable else f"{value:.2f}"


def complete(dataset: Dataset, clips: int, classes: int) -> bool:
    """Whether so many clips of so many classes are all of an official test split."""
    whole = published.COMPLETE.get(dataset.paper or "") == (clips, classes)
    return dataset.official and whole


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
