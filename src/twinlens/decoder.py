"""The ffmpeg that decodes and encodes: which one, and its version.

It is the system's, or else the binary that `imageio-ffmpeg` ships.
"""

import functools
import re
import shutil
import subprocess

ABSENT = "absent"
OLDEST = (5, 1)  # the first that knows -fps_mode


def binary() -> str:
    """Return the path of the ffmpeg to use.

    Raises:
        FileNotFoundError: there is none.
    """
    found = shutil.which("ffmpeg")
    if found and _version(found) >= OLDEST:
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
    """
    try:
        return _said(binary()).partition(" ")[0]
    except FileNotFoundError:
        return ABSENT


def _version(path: str) -> tuple[int, int]:
    """Read its release; a build without one counts as new."""
    found = re.match(r"n?(\d+)\.(\d+)", _said(path))
    return (int(found.group(1)), int(found.group(2))) if found else (99, 0)


@functools.cache
def _said(path: str) -> str:
    """What a binary says of its version, from the version on."""
    said = subprocess.run(
        [path, "-version"], capture_output=True, text=True, check=False
    )
    return said.stdout.removeprefix("ffmpeg version ")
