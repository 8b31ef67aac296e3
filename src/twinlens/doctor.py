"""Say at once all that is missing, and how to fix it.

`twinlens doctor` looks at the installation and at a world's needs; the workflow runs
the same before its first job. Only the standard library is imported before all else is
known to be there.
"""

import argparse
import copy
import importlib.metadata
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinlens.plan import Plan
    from twinlens.plan.world import World

GIB = 1 << 30
CHECKOUT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is missing; 1 if anything is."""
    parser = argparse.ArgumentParser(prog="twinlens doctor", description=__doc__)
    parser.add_argument(
        "--config", type=Path, nargs="*", default=[], help="overlays of config.yaml"
    )
    parser.add_argument("--data", help="folder of the data, as the config's `data`")
    parser.add_argument(
        "--installed", action="store_true", help="look at the installation only"
    )
    options = parser.parse_args(arguments)
    found = list(installation())
    if not found and not options.installed and Path("config.yaml").is_file():
        plan = _plan(options.config, options.data)
        found = [*machine(plan), *assets(plan)]
    for line in found:
        print(f"MISSING {line}")
    if not found and not Path("config.yaml").is_file():
        print("no config.yaml here: looked at the installation only")
    if not found:
        print("nothing is missing")
    return int(bool(found))


def installation() -> Iterator[str]:
    """Check Python, packages and ffmpeg."""
    for name in requirements():
        if not _version(name):
            yield f"Python package {name}: run `make setup`, or `pip install {name}`"
    yield from _opencv()
    if not shutil.which("ffmpeg") and not _version("imageio-ffmpeg"):
        yield "ffmpeg: install it, or run `pip install imageio-ffmpeg`"


def requirements() -> list[str]:
    """List packages that jobs need, as the checkout or installed package declares."""
    if CHECKOUT.is_file():
        project = tomllib.loads(CHECKOUT.read_text(encoding="utf-8"))["project"]
        lines = project["dependencies"]
    else:
        declared = importlib.metadata.requires("twinlens") or []
        lines = [each for each in declared if "extra ==" not in each]
    return [re.split(r"[^\w.-]", line)[0] for line in lines]


def _version(name: str) -> str:
    """Look up an installed package's version; "" if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _opencv() -> Iterator[str]:
    """Check for a single OpenCV 5: packages overwrite one another, 4 rounds flows."""
    version = _version("opencv-contrib-python-headless")
    if version and int(version.split(".")[0]) < 5:
        yield f"OpenCV 5 or newer: this is {version}; run `make setup`"
    others = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")
    found = {name: version for name in others if (version := _version(name))}
    if found:
        names = " ".join(found)
        yield (
            f"a single OpenCV: {found} lies over opencv-contrib-python-headless; run"
            f" `pip uninstall {names}`, then `pip install --force-reinstall"
            " 'opencv-contrib-python-headless>=5,<6'`"
        )


def machine(plan: "Plan") -> Iterator[str]:
    """Check the disk and the GPU that a world needs."""
    free = shutil.disk_usage(Path.cwd()).free
    need = _disk_need(plan.world)
    if free < need:
        yield (
            f"{need / GIB:.1f} GiB of disk at {Path.cwd()}: {free / GIB:.1f} GiB are"
            " free; make room, or set `keep: false` in the config"
        )
    if plan.gpus and not _gpu():
        yield (
            f"a GPU: resources.gpus is {plan.gpus}, and no NVIDIA device is here; run"
            " on a machine with one, or set resources.gpus: 0"
        )


def _disk_need(world: "World") -> int:
    """Guess generously for generated sets; real ones are measured by their videos."""
    total = GIB // 2
    for name in world.select.datasets:
        entry = world.datasets[name]
        if generated := entry.generated:
            clips = 8 * (generated.train + generated.test)
            pixels = generated.width * generated.height
            total += 4 * clips * 36 * 3 * pixels // 2
        elif entry.videos and Path(entry.videos).is_dir() and world.keep:
            files = Path(entry.videos).rglob("*")
            total += 40 * sum(each.stat().st_size for each in files if each.is_file())
    return total


def _gpu() -> bool:
    return any(Path("/dev").glob("nvidia[0-9]*")) or bool(shutil.which("nvidia-smi"))


def assets(plan: "Plan") -> list[str]:
    """List missing folders and files that a world's config names."""
    lines = []
    for name in plan.world.select.datasets:
        entry = plan.world.datasets[name]
        for key in ("videos", "splits", "split_file"):
            path = getattr(entry, key)
            if path and not Path(path).exists():
                lines.append(
                    f"{key} of data set {name}: looked for {path}; put them there, set"
                    f" datasets.{name}.{key}, or --config data=FOLDER"
                )
        if not entry.generated and not entry.videos:
            lines.append(f"videos of data set {name}: set datasets.{name}.videos")
    return lines + _training_assets(plan) + _recogniser_assets(plan)


def _training_assets(plan: "Plan") -> list[str]:
    """List what training super-resolution lacks: corpora, published weights."""
    lines, world = [], plan.world
    shown = plan.tables.methods_read
    for name in plan.methods.corpora(shown):
        entry = world.datasets[name]
        if not entry.generated and not Path(entry.videos or "").is_dir():
            lines.append(
                f"videos of corpus {name}: looked for {entry.videos}; put videos"
                f" there, set datasets.{name}.videos, or --config data=FOLDER"
            )
    networks = plan.methods.networks(shown)
    for name, network in networks.items():
        key = name.replace("/", ".") if "/" in name else f"methods.{name}"
        lines += _file(network.weights, f"weights of {name}", f"{key}.weights")
    if any(
        each.trained and each.recipe.loss.kind == "sosr" for each in networks.values()
    ):
        perceptual = world.training.perceptual.weights
        lines += _file(perceptual, "perceptual network", "training.perceptual.weights")
    for flow in dict.fromkeys([*plan.networks.flows_used, world.quality.flow]):
        weights = getattr(world.flows[flow], "weights", None)
        lines += _file(weights, f"weights of {flow}", f"flows.{flow}.weights")
    return lines


def _recogniser_assets(plan: "Plan") -> list[str]:
    """List missing published weights of recognisers."""
    lines = []
    for name in plan.world.select.recognisers:
        for dataset in plan.world.select.datasets:
            for key, network in plan.networks.of_recogniser(name, dataset).items():
                of = "" if network.shared else f" of {dataset}"
                what = f"weights of {name}, {key}{of}"
                lines += _file(network.weights, what, f"recognisers.{name}")
    return list(dict.fromkeys(lines))


def _file(path: str | None, what: str, key: str) -> list[str]:
    if not path or Path(path).is_file():
        return []
    return [f"{what}: looked for {path}; put it there, or set {key}"]


def _plan(overlays: Sequence[Path], data: str | None) -> "Plan":
    """Plan a world as the workflow does; its packages are installed by now."""
    from twinlens.errors import ConfigError
    from twinlens.plan import Plan

    config = _merged([Path("config.yaml"), *overlays])
    try:
        return Plan.of({**config, "data": data or config.get("data", "data")})
    except ConfigError as error:
        sys.exit(f"twinlens doctor: {error}")


def _merged(paths: Sequence[Path]) -> dict[str, Any]:
    """Merge configs one over the other, as Snakemake does."""
    import yaml

    merged: dict[str, Any] = {}
    for path in paths:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            sys.exit(f"twinlens doctor: {path}: {error}")
        _merge(merged, loaded or {})
    return merged


def _merge(into: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)  # aliases are copies there
