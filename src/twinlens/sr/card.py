"""The model card of an exported network: what it is, what it learnt from, its PSNR."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tabulate import tabulate

from twinlens import __version__, models
from twinlens.artifacts import reader
from twinlens.training.recipe import ONLY_FOR

HEAD = """\
---
library_name: twinlens
tags: [super-resolution, video]
---
"""


def text(about: Mapping[str, Any], parameters: int, usage: str) -> str:
    """Write a card in Markdown, with front matter that model hubs read.

    Args:
        about: what the network's artifact says of itself.
        parameters: how many numbers it learnt.
        usage: how to use the file.

    Raises:
        ArtifactError: what it was made from is damaged, or the disk refused it.
    """
    facts = {**dict(_network(about, parameters)), **dict(_origin(about))}
    table = tabulate([*facts.items()], headers=["", ""], tablefmt="github")
    inputs = "\n".join(_inputs(about))
    return (
        f"{HEAD}\n# {about['network']}: {about['kind']}, x{models.SCALE}\n\n{table}\n\n"
        f"## Made from\n\n{inputs}\n\n## Use\n\n{usage}\n"
    )


def _network(about: Mapping[str, Any], parameters: int) -> Iterator[tuple[str, str]]:
    """What it is."""
    frames = models.frames(about["kind"])
    whole = frames == models.WHOLE_CLIP
    yield "network", f"`{about['kind']}`"
    yield "settings", _listed(about["settings"]) or "as published"
    yield "parameters", f"{parameters:,}"
    yield "reads", "a whole clip, frame by frame" if whole else f"{frames} frame(s)"
    yield "digest", f"`{about['id']}`"
    yield "code", f"`{about['code']}`, twinlens {__version__}"


def _origin(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How it was trained, if it was here."""
    recipe = about["job"].get("recipe")
    if recipe is None:
        yield "weights", "published, imported"
        return
    kind = recipe["loss"]["kind"]
    ours = {key: value for key, value in recipe["loss"].items() if key != "kind"}
    loss = {key: ours[key] for key in ours if kind in ONLY_FOR.get(key, (kind,))}
    yield "loss", f"`{kind}`: {_listed(loss)}"
    if about.get("alpha") is not None:
        yield "alpha", f"{about['alpha']:.6g}"
    yield "steps", f"{recipe['steps']:,} of {recipe['batch']} patches"
    yield "learning rate", f"{recipe['lr']:g}, schedule {recipe['schedule']}"
    yield "seed", str(about["job"]["seed"])
    gain = about["psnr"] - about["bicubic_psnr"]
    yield (
        "PSNR of held-out patches",
        f"{about['psnr']:.2f} dB, {gain:+.2f} dB to bicubic interpolation",
    )


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items())


def _inputs(about: Mapping[str, Any], mark: str = "- ") -> Iterator[str]:
    """List what it was made from; of a network that it started from, also that."""
    for path, identity in about["inputs"].items():
        source = _about(Path(path), identity)
        yield f"{mark}{_described(source)}`{path}`, digest `{identity[:12]}`"
        if "family" in source:
            yield from _inputs(source, f"  {mark}")


def _about(path: Path, identity: str) -> dict[str, Any]:
    """What an input says of itself; nothing if it is gone, or another by now."""
    if not reader.is_artifact(path):
        return {}
    with reader.open(path) as file:
        return dict(file.about) if file.about.get("id") == identity else {}


def _described(source: Mapping[str, Any]) -> str:
    if "patches" in source:
        return f"patch set {source['patches']} of data set {source['dataset']}: "
    return f"network {source['network']}: " if "family" in source else ""
