"""Say at once all that is missing, each with its mend.

`twinlens doctor` looks at the installation and at a world's needs; the workflow runs
the same before its first job. Only the standard library is imported before all else is
known to be there.
"""

import argparse
import contextlib
import copy
import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# What jobs import, and the distribution that brings it.
PACKAGES = {
    "cv2": "opencv-contrib-python-headless",
    "ffmpeg": "ffmpeg-python",
    "flow_vis": "flow-vis",
    "google.protobuf": "protobuf",
    "h5py": "h5py",
    "jsonargparse": "jsonargparse",
    "jsonschema": "jsonschema",
    "lightning_fabric": "lightning-fabric",
    "matplotlib": "matplotlib",
    "numba": "numba",
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "torch": "torch",
    "tqdm": "tqdm",
    "xxhash": "xxhash",
    "yaml": "pyyaml",
}
GIB = 1 << 30
SCHEMA = Path("workflow/schemas/config.schema.yaml")


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
        config = _config(options.config, options.data)
        found = [*machine(config), *assets(config)]
    for line in found:
        print(f"MISSING {line}")
    if not found and not Path("config.yaml").is_file():
        print("no config.yaml here: looked at the installation only")
    if not found:
        print("nothing is missing")
    return int(bool(found))


def installation() -> Iterator[str]:
    """Python, packages and ffmpeg."""
    for module, name in PACKAGES.items():
        if not _there(module):
            yield f"Python package {name}: run `make setup`, or `pip install {name}`"
    yield from _opencv()
    if not shutil.which("ffmpeg") and not _there("imageio_ffmpeg"):
        yield "ffmpeg: install it, or run `pip install imageio-ffmpeg`"


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _opencv() -> Iterator[str]:
    """Several OpenCV packages overwrite one another, and version 4 rounds flows."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version("opencv-contrib-python-headless")
        if int(version.split(".")[0]) < 5:
            yield f"OpenCV 5 or newer: this is {version}; run `make setup`"
    found = {}
    for name in ("opencv-python", "opencv-python-headless", "opencv-contrib-python"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if found:
        names = " ".join(found)
        yield (
            f"a single OpenCV: {found} lies over opencv-contrib-python-headless; run"
            f" `pip uninstall {names}`, then `pip install --force-reinstall"
            " 'opencv-contrib-python-headless>=5,<6'`"
        )


def machine(config: Mapping[str, Any]) -> Iterator[str]:
    """Disk, memory and GPU that a world needs."""
    free = shutil.disk_usage(Path.cwd()).free
    need = _disk_need(config)
    if free < need:
        yield (
            f"{need / GIB:.1f} GiB of disk at {Path.cwd()}: {free / GIB:.1f} GiB are"
            " free; make room, or set `keep: false` in the config"
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted = 2 * config["resources"]["mem_mb"] * (1 << 20)
    if memory < wanted:
        yield (
            f"{wanted / GIB:.1f} GiB of memory on this machine, for one training job"
            f" (twice resources.mem_mb): there are {memory / GIB:.1f} GiB; lower it, or"
            " pay no heed where a cluster runs the jobs"
        )
    if config["resources"]["gpus"] and not _gpu():
        yield (
            f"a GPU: resources.gpus is {config['resources']['gpus']}, and no NVIDIA"
            " device is here; run on a machine with one, or set resources.gpus: 0"
        )


def _disk_need(config: Mapping[str, Any]) -> int:
    """A generous guess for generated sets; real ones are measured by their videos."""
    total = GIB // 2
    for name in config["select"]["datasets"]:
        entry = config["datasets"].get(name, {})
        made = entry.get("generated")
        if made:
            clips = 8 * (made.get("train", 40) + made.get("test", 25))
            pixels = made.get("width", 128) * made.get("height", 96)
            total += 4 * clips * 36 * 3 * pixels // 2
        elif entry.get("videos") and Path(entry["videos"]).is_dir() and config["keep"]:
            files = Path(entry["videos"]).rglob("*")
            total += 40 * sum(each.stat().st_size for each in files if each.is_file())
    return total


def _gpu() -> bool:
    return any(Path("/dev").glob("nvidia[0-9]*")) or bool(shutil.which("nvidia-smi"))


def assets(config: Mapping[str, Any]) -> list[str]:
    """Folders and files that a world's config names and that are not there."""
    lines = []
    for name in config["select"]["datasets"]:
        entry = config["datasets"].get(name, {})
        for key in ("videos", "splits", "split_file"):
            if key in entry and not Path(entry[key]).expanduser().exists():
                lines.append(
                    f"{key} of data set {name}: looked for {entry[key]}; put them"
                    f" there, set datasets.{name}.{key}, or --config data=FOLDER"
                )
        if "generated" not in entry and "videos" not in entry:
            lines.append(f"videos of data set {name}: set datasets.{name}.videos")
    lines += _training_assets(config)
    recogniser = config["recogniser"]
    for name, streams in recogniser.get("weights", {}).items():
        if name in config["select"]["datasets"]:
            for stream, file in streams.items():
                key = f"recogniser.weights.{name}.{stream}"
                lines += _file(file, f"{stream} weights of {name}", key)
    if recogniser.get("init"):
        lines += _file(recogniser["init"], "image network", "recogniser.init")
    return lines


def _training_assets(config: Mapping[str, Any]) -> list[str]:
    """What training super-resolution needs: corpora, published weights."""
    from twinlens import config as checks

    lines = []
    patches = checks.patch_sets(config)
    for name in sorted({config["patches"][each]["corpus"] for each in patches}):
        entry = config["datasets"][name]
        if "generated" not in entry and not Path(entry.get("videos", "")).is_dir():
            lines.append(
                f"videos of corpus {name}: looked for {entry.get('videos')}; put videos"
                f" there, set datasets.{name}.videos, or --config data=FOLDER"
            )
    for name, network in checks.networks(config).items():
        if network.get("weights"):
            key = f"{name.replace('/', '.') if '/' in name else f'methods.{name}'}"
            lines += _file(network["weights"], f"weights of {name}", f"{key}.weights")
    given = config["training"]["perceptual"].get("weights")
    if given and checks.needs_perceptual(config):
        lines += _file(given, "perceptual network", "training.perceptual.weights")
    given = config["flow"]["flownet2"]["weights"]
    if given and checks.needs_flownet2(config):
        lines += _file(given, "weights of FlowNet2", "flow.flownet2.weights")
    return lines


def _file(path: str, what: str, key: str) -> list[str]:
    if Path(path).expanduser().is_file():
        return []
    return [f"{what}: looked for {path}; put it there, or set {key}"]


def _config(overlays: Sequence[Path], data: str | None) -> dict[str, Any]:
    """A world's config as the workflow sees it; its packages are there by now."""
    from twinlens.config import located, problems

    config = _merged([Path("config.yaml"), *overlays])
    if found := problems(config, _merged([SCHEMA])):
        sys.exit("twinlens doctor: the config can't be used:\n  " + "\n  ".join(found))
    return located({**config, "data": data or config["data"]})


def _merged(paths: Sequence[Path]) -> dict[str, Any]:
    """Configs one over the other, as Snakemake merges them."""
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
