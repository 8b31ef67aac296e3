"""Write what was rendered: encoded video, split lists and true flow."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from twinlens import provenance
from twinlens.artifacts import writer
from twinlens.artifacts.publish import publish
from twinlens.media.playground import groups
from twinlens.media.settings import Generated

PACKAGE = "twinlens.media.playground"
TRUTH = "truth/1"

Flow = npt.NDArray[np.float16]

ENCODING = "-threads 1 -c:v mpeg4 -vtag xvid -q:v 2 -pix_fmt yuv420p"
"""MPEG-4 part 2 in AVI, as UCF101 has it, but at a quality that hides little."""
REPEATABLE = "-flags +bitexact -fflags +bitexact -map_metadata -1"


def write_video(path: Path, frames: npt.NDArray[np.uint8], fps: int) -> None:
    """Encode RGB frames (T, H, W, 3) to `path`; the same frames give the same bytes.

    Raises:
        RuntimeError: the encoder failed; its own words are in the message.
    """
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    source = f"-f rawvideo -pix_fmt rgb24 -s {size} -r {fps} -i -"
    options = f"-v error -y {source} {ENCODING} {REPEATABLE} -f avi".split()
    with publish(path) as part:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), *options, str(part)]
        done = subprocess.run(
            command, input=frames.tobytes(), capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"encoding {path} failed: {done.stderr.decode()}")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write text lines, whole or not at all."""
    with publish(path) as part:
        part.write_text("".join(f"{line}\n" for line in lines))


def write_flow(
    path: Path, origin: Mapping[str, object], flows: Iterable[tuple[str, Flow]]
) -> None:
    """Write true flow: HDF5 "truth/1", of each clip `flow`.

    Args:
        path: HDF5 to write.
        origin: name, seed and settings of the data set.
        flows: each clip's name and float16 (T - 1, 2, H, W): pixels to the right,
            pixels down, from each frame to the next.
    """
    about = provenance.about("generate", [PACKAGE], {}, **origin)
    with writer.create(path, TRUTH, about) as file:
        names = []
        for clip, flow in flows:
            writer.put(file.create_group(f"clip/{clip}"), "flow", flow)
            names.append(clip)
        writer.put_clips(file, names)


def write_splits(folder: Path, settings: Generated) -> None:
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
    code = provenance.code_digest(PACKAGE)
    note, text = out / "made_from.json", json.dumps({**origin, "code": code}) + "\n"
    if note.exists() and note.read_text() == text:
        return
    if (out / "videos").exists() and not note.exists():
        raise FileExistsError(f"{out} holds videos of unknown origin; not touched")
    for folder in ("videos", "splits"):
        shutil.rmtree(out / folder, ignore_errors=True)
    (out / "flow.h5").unlink(missing_ok=True)
    write_lines(note, [text.rstrip()])
