"""Say at once all that is missing, and how to fix it.

`twinlens doctor` looks at the installation and at a world's needs; the workflow runs
the same before its first job. Only the standard library is imported before all else is
known to be there.
"""

import importlib.metadata
import re
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twinlens import cli, decoder, gpu
from twinlens.assets import needs
from twinlens.errors import ArtifactError, PlanError

if TYPE_CHECKING:
    from twinlens.plan import Plan

GIB = 1 << 30
COMPILERS = ("cc", "gcc", "clang")
"""That Triton looks for."""
CHECKOUT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is missing; 1 if anything is."""
    parser = cli.config_options("doctor", __doc__)
    parser.add_argument(
        "--installed", action="store_true", help="look at the installation only"
    )
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="jobs run on other machines: leave out a GPU and a compiler of this one",
    )
    options = parser.parse_args(arguments)
    found, refused = list(installation()), list[str]()
    if not found and not options.installed:
        from twinlens.plan import builds, overlays  # all is installed by now

        if options.config or overlays.bases()[0].is_file():
            plan = overlays.plan(options.config, options.data)
            here = disk(plan) if options.cluster else machine(plan)
            found = [*here, *needs.missing(plan)]
            refused = builds.faults(plan)
        else:
            print("no config.yaml here: looked at the installation only")
    for line in found:
        print(f"MISSING {line}")
    for line in refused:
        print(f"REFUSED {line}")
    if not found and not refused:
        print("nothing is missing")
    return int(bool(found or refused))


def installation() -> Iterator[str]:
    """Check Python, packages and ffmpeg."""
    for name in requirements():
        if not _version(name):
            yield f"Python package {name}: run `make setup`, or `pip install {name}`"
    yield from _opencv()
    try:
        if decoder.version() == decoder.ABSENT:
            yield "ffmpeg: install it, or run `pip install imageio-ffmpeg`"
    except ArtifactError as error:  # it is on a disk that fails
        yield f"ffmpeg: {error}"


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
    yield from disk(plan)
    yield from _gpu(plan)


def disk(plan: "Plan") -> Iterator[str]:
    """Check the disk that a world needs."""
    free = shutil.disk_usage(Path.cwd()).free
    need = _disk_need(plan)
    if free < need:
        yield (
            f"{need / GIB:.1f} GiB of disk at {Path.cwd()}: {free / GIB:.1f} GiB are"
            " free; make room, or set `keep: false` in the config"
        )


def _gpu(plan: "Plan") -> Iterator[str]:
    """Check the GPU that a world needs, and what compiles for it."""
    if plan.gpus and not gpu.present():
        yield (
            f"a GPU: resources.gpus is {plan.gpus}, and no NVIDIA device is here; run"
            " on a machine with one, or set resources.gpus: 0"
        )
    flows = plan.world.flows.items()
    compiled = [
        name for name, each in flows if each.kind == "tvl1" and plan.flow_gpu(name)
    ]
    if compiled and not any(map(shutil.which, COMPILERS)):
        yield (
            f"a C compiler ({', '.join(COMPILERS)}), by which {compiled[0]} is compiled"
            f" for the GPU: install one, or set flows.{compiled[0]}.device: cpu"
        )


def _disk_need(plan: "Plan") -> int:
    """Guess generously for generated sets; real ones are measured by their videos."""
    total = GIB // 2
    for name in plan.world.select.datasets:
        entry = plan.world.datasets[name]
        if generated := entry.generated:
            clips = 8 * (generated.train + generated.test)
            pixels = generated.width * generated.height
            total += 4 * clips * 36 * 3 * pixels // 2
        elif plan.world.keep:
            with suppress(PlanError, FileNotFoundError):  # said elsewhere
                files = {each.path for each in plan.data.clips(name)}
                total += 40 * sum(path.stat().st_size for path in files)
    return total
