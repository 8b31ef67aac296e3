"""Print envs/twinlens.yaml: what jobs need, in the versions of the lock.

`make lock` runs it; it needs the standard library only.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = """\
# What the jobs need, for `snakemake --sdm conda`. Made from the lock by `make lock`.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def main() -> None:
    """Print the whole file."""
    pinned = pins()
    lines = [f"      - {name}=={pinned[plain(name)]}\n" for name in requirements()]
    print(HEAD, *lines, sep="", end="")


def requirements() -> list[str]:
    """Packages that pyproject.toml asks for, and Snakemake: a rule draws the others."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["workflow"]
    return [re.split(r"[^\w.-]", each)[0] for each in needed]


def pins() -> dict[str, str]:
    """Versions by package, torch's included."""
    files = (ROOT / "requirements.lock", ROOT / "requirements-torch.txt")
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.M):
        if found.setdefault(plain(name), version) != version:
            raise SystemExit(f"{name}: the lock has two versions, by Python's: pin one")
    return found


def plain(name: str) -> str:
    """A package's name as indexes compare them."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
