"""Playground."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twinlens.media.playground import clips, files, groups, scenes, sets, textures
from twinlens.media.playground.clips import Clip
from twinlens.media.playground.groups import Member
from twinlens.media.playground.sets import Settings

__all__ = ["Clip", "Settings", "generate", "render"]

Progress = Callable[[int, int], None]


def generate(
    out: Path,
    name: str,
    settings: Settings,
    seed: int,
    *,
    progress: Progress | None = None,
) -> None:
    """Make one data set, or what is missing of it.

    Args:
        out: folder to write: `videos/`, and `splits/` or `flow.h5`.
        name: of the data set; another name gives other clips.
        settings: kind and size.
        seed: of everything.
        progress: told how many clips of how many are done.
    """
    if settings.kind == "action":
        _generate_actions(out, name, settings, seed, progress)
    else:
        _generate_clips(out, name, settings, seed, progress)


def render(
    name: str, settings: Settings, seed: int, member: Member, *, with_flow: bool = True
) -> Clip:
    """One clip in memory; `groups.members` lists those there are."""
    tile = _tiles(name, settings, seed)[member.group - 1]
    random = textures.stream(seed, name, member.label, member.group, member.clip)
    if settings.kind == "action":
        take = clips.action(settings, member.label, tile, random, seed)
    else:
        take = clips.still_life(settings, tile, random, seed)
    return take.develop(with_flow)


def _tiles(name: str, settings: Settings, seed: int) -> list[scenes.Tile]:
    """A tile for each group, in the order of the groups."""
    action = settings.kind == "action"
    photos = sets.PHOTOS[settings.set if action else settings.kind]
    need = len(groups.sizes(settings)) if action else settings.clips
    return scenes.tiles(photos, need, textures.stream(seed, name, "tiles"), again=not action)


def _generate_actions(
    out: Path, name: str, settings: Settings, seed: int, progress: Progress | None
) -> None:
    for _ in _videos(out, name, settings, seed, progress, with_flow=False):
        pass
    files.write_splits(out / "splits", settings)


def _generate_clips(
    out: Path, name: str, settings: Settings, seed: int, progress: Progress | None
) -> None:
    flows = _videos(out, name, settings, seed, progress, with_flow=True)
    files.write_flow(out / "flow.h5", flows)


def _videos(
    out: Path,
    name: str,
    settings: Settings,
    seed: int,
    progress: Progress | None,
    *,
    with_flow: bool,
) -> Iterator[tuple[str, npt.NDArray[np.float16]]]:
    """Write all videos that are missing, and give each one's flow if asked."""
    files.claim(out, {"name": name, "seed": seed, **asdict(settings)})
    wanted = groups.members(settings)
    for done, member in enumerate(wanted, 1):
        path = out / "videos" / member.path
        if with_flow or not path.exists():
            clip = render(name, settings, seed, member, with_flow=with_flow)
            files.write_video(path, clip.frames, settings.fps)
            if clip.flow is not None:
                yield path.stem, clip.flow
        if progress is not None:
            progress(done, len(wanted))
