"""Write what was rendered: encoded video, split lists and true flow."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import h5py
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from twinlens.media.playground import groups
from twinlens.media.playground.sets import Settings

Flow = npt.NDArray[np.float16]

ENCODING = "-threads 1 -c:v mpeg4 -vtag xvid -q:v 2 -pix_fmt yuv420p"
"""MPEG-4 part 2 in AVI, as UCF101 has it, but at a quality that hides little."""
REPEATABLE = "-flags +bitexact -fflags +bitexact -map_metadata -1"


def publish(made: Path, target: Path) -> None:
    """Give a finished file its name, so that a name always means a whole file."""
    made.replace(target)


def write_video(path: Path, frames: npt.NDArray[np.uint8], fps: int) -> None:
    """Encode RGB frames (T, H, W, 3) to `path`; the same frames give the same bytes.

    Raises:
        RuntimeError: the encoder failed; its own words are in the message.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    source = f"-f rawvideo -pix_fmt rgb24 -s {size} -r {fps} -i -"
    options = f"-v error -y {source} {ENCODING} {REPEATABLE} -f avi".split()
    command = [imageio_ffmpeg.get_ffmpeg_exe(), *options, str(part)]
    done = subprocess.run(
        command, input=frames.tobytes(), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"encoding {path} failed: {done.stderr.decode()}")
    publish(part, path)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write text lines, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(f"{line}\n" for line in lines))
    publish(part, path)


def write_flow(path: Path, flows: Iterable[tuple[str, Flow]]) -> None:
    """Write true flow, one dataset a clip.

    Args:
        path: HDF5 to write.
        flows: each clip's name and float16 (T - 1, 2, H, W): pixels to the right,
            pixels down, from each frame to the next.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with h5py.File(part, "w", libver="latest") as file:
        for clip, flow in flows:
            chunk = (1, *flow.shape[1:])
            file.create_dataset(clip, data=flow, chunks=chunk, fletcher32=True)
    publish(part, path)


def write_splits(folder: Path, settings: Settings) -> None:
    """Write `classInd.txt` and three pairs of lists, as UCF101's authors do."""
    number = {label: rank for rank, label in enumerate(groups.labels(settings), 1)}
    write_lines(
        folder / "classInd.txt", (f"{n} {label}" for label, n in number.items())
    )
    clips = sorted(groups.members(settings), key=lambda member: member.path)
    for split in groups.SPLITS:
        held = groups.test_groups(settings, split)
        test = [clip.path for clip in clips if clip.group in held]
        train = [f"{c.path} {number[c.label]}" for c in clips if c.group not in held]
        write_lines(folder / f"testlist{split:02d}.txt", test)
        write_lines(folder / f"trainlist{split:02d}.txt", train)


def claim(out: Path, origin: dict[str, object]) -> None:
    """Make sure that what lies in `out` was made from the same settings and code.

    A finished video may then be kept; if anything differs, all are removed.

    Raises:
        FileExistsError: `out` holds videos that did not come from here.
    """
    note, text = out / "made_from.json", json.dumps({**origin, "code": _code()}) + "\n"
    if note.exists() and note.read_text() == text:
        return
    if (out / "videos").exists() and not note.exists():
        raise FileExistsError(f"{out} holds videos of unknown origin; not touched")
    for folder in ("videos", "splits"):
        shutil.rmtree(out / folder, ignore_errors=True)
    (out / "flow.h5").unlink(missing_ok=True)
    write_lines(note, [text.rstrip()])


def _code() -> str:
    """A digest of this package's sources."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
