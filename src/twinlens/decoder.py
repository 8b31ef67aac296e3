"""The ffmpeg that decodes and encodes: which one, and its version.

It is the system's, or else the binary that `imageio-ffmpeg` ships.
"""

import errno
import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from twinlens.errors import ArtifactError, refused

ABSENT = "absent"
OLDEST = (5, 1)  # the first that knows -fps_mode
SECONDS = 60
"""For a binary to say its version; one on a dead network drive never does."""
OUT_OF_REACH = {errno.EIO, errno.ENOTCONN, errno.ESTALE}
"""Of a disk that fails; another binary in its place might decode other frames."""


def binary() -> str:
    """Return the path of the ffmpeg to use.

    Raises:
        FileNotFoundError: there is none.
        ArtifactError: the disk of the system's fails, or it does not answer.
    """
    # As jobs look for it: beside this Python first.
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which("ffmpeg", path=places)
    if found and _release(_said(found)) >= OLDEST:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise FileNotFoundError(
            f"no ffmpeg of version {OLDEST[0]}.{OLDEST[1]} or newer: install one, or"
            " `pip install imageio-ffmpeg`"
        ) from error


def version() -> str:
    """Name the version of the ffmpeg in use, as it says it; `ABSENT` for none.

    Another one may give other frames of the same file.

    Raises:
        ArtifactError: the disk of the system's fails, or it does not answer.
    """
    try:
        return _said(binary()).partition(" ")[0]
    except FileNotFoundError:
        return ABSENT


def _release(said: str) -> tuple[int, int]:
    """Read a release; a build without one counts as new, a broken one as none."""
    found = re.match(r"n?(\d+)\.(\d+)", said)
    if found:
        return int(found[1]), int(found[2])
    return (99, 0) if said else (0, 0)


@functools.cache
def _said(path: str) -> str:
    """What a binary says of its version, from the version on; "" if it does not run.

    Raises:
        ArtifactError: its disk fails, or it does not answer.
    """
    try:
        said = subprocess.run(
            [path, "-version"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(
            f"{path}: does not say its version in {SECONDS} s: if it lies on a network"
            " drive, mount that again; else take it from PATH"
        ) from error
    except OSError as error:
        if error.errno in OUT_OF_REACH:
            raise refused(path, error, "read") from error
        return ""
    except subprocess.CalledProcessError:
        return ""
    return said.stdout.removeprefix("ffmpeg version ")
