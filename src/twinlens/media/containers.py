"""Kinds of video files that are written, and what each can hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twinlens.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file that is written, by ffmpeg's names."""

    format: str
    picture: str
    """The encoder of frames."""
    sound: str
    """The encoder of sound that does not fit as it is."""
    any_times: bool = True
    """Whether frames may be shown at any times."""
    tags: bool = True
    """Whether it says what colours are."""
    any_pixels: bool = True
    """Whether pixels may have another shape than a square."""


_MP4 = Container("mp4", "libx264", "aac")
CONTAINERS: Mapping[str, Container] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container("mov", "libx264", "aac"),
    ".mkv": Container("matroska", "libx264", "aac"),
    ".webm": Container("webm", "libvpx-vp9", "libopus", any_pixels=False),
    ".avi": Container("avi", "mpeg4", "pcm_s16le", any_times=False, tags=False),
}
"""By the endings of their files."""


def container(path: Path) -> Container:
    """Choose the kind of a file that is to be written by its ending.

    Raises:
        ArtifactError: it has none that is known.
    """
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise ArtifactError(
            f"{path}: can't write {path.suffix or 'a file without an ending'}: give it"
            f" one of {' '.join(CONTAINERS)}"
        ) from None
