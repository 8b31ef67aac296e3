"""The built wheel works outside the source tree."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from twinlens import provenance

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A new environment with the wheel, and the libraries of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--outdir",
        folder / "dist",
        ROOT,
        cwd=ROOT,
    )
    wheel = next((folder / "dist").glob("*.whl"))
    venv.create(folder / "env", with_pip=True)
    made = folder / "env/bin/python"
    site = _run(made, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder)
    libraries = sysconfig.get_paths()["purelib"]
    (Path(site.strip()) / "libraries.pth").write_text(f"{libraries}\n")
    pip = ("-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check")
    _run(made, *pip, wheel, cwd=folder)
    return made


def _run(*words, cwd):
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_imported_from_the_wheel(python, tmp_path):
    found = _run(
        python, "-c", "import twinlens; print(twinlens.__file__)", cwd=tmp_path
    )
    assert str(python.parent.parent) in found


def test_the_command_line_lists_its_stages(python, tmp_path):
    said = _run(python.with_name("twinlens"), "--help", cwd=tmp_path)
    assert "inspect" in said


def test_the_doctor_finds_everything(python, tmp_path):
    said = _run(python.with_name("twinlens"), "doctor", cwd=tmp_path)
    assert "nothing is missing" in said


def test_it_is_typed(python, tmp_path):
    code = (
        "from importlib.resources import files; print(files('twinlens') / 'py.typed')"
    )
    assert Path(_run(python, "-c", code, cwd=tmp_path).strip()).is_file()


def test_its_code_has_the_digest_of_the_checkout(python, tmp_path):
    stage = "twinlens.flow.stage"
    code = f"from twinlens import provenance; print(provenance.code_digest('{stage}'))"
    said = _run(python, "-c", code, cwd=tmp_path)
    assert said.strip() == provenance.code_digest(stage)


def test_the_public_surface_works(python, tmp_path):
    code = (
        "import numpy as np\n"
        "from twinlens.resample import downscale, upscale\n"
        "from twinlens.flow import tvl1\n"
        "frames = np.zeros((2, 32, 32), np.uint8)\n"
        "print(upscale(downscale(frames[0])).shape, tvl1(frames, frames).shape)\n"
    )
    assert _run(python, "-c", code, cwd=tmp_path).strip() == "(32, 32) (2, 2, 32, 32)"
