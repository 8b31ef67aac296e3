"""Data sets made from one seed, so that the whole chain runs without a download.

Two families of actions (`eight`, `six`), a training corpus for super-resolution and a
held-out set with ground-truth flow. They are generated data: what is measured on them
says how methods behave here, not how well they do on real video.

**What is seen.** A person of cloth and skin holds a patterned thing in each hand and
moves, before a piece of a photograph or leaves in its colours. The camera is hand-held,
the light changes, the sensor is noisy, things hang on the wall or pass by.

**What tells classes apart.** The pattern on the held things (its repeats are 7 to 10
pixels wide, so that x4 down-sampling takes much but not all of it away) and the way
hands and things move (up and down, sideways, on circles, in turn, turning, swelling, a
surface that runs within a resting outline), which five frames show at any moment.
Colours, outlines, clothes, backgrounds and left or right carry no information. In each
family one pair of classes shares its pattern and another its motion (of `six`, all but
the speed), so that each stream alone must confuse something; besides, a few clips have
a faint pattern and a few hardly move (`sets.FAINT`, `sets.LISTLESS`). Things are about
as bright as the wall behind: what shows that they move is their fine pattern.

**What stays apart.** A group owns a tile of a photograph that no other group shares a
pixel with, and all classes have the same groups; splits deal out whole groups. No two
of the families, the corpus and the held-out set share a photograph. Corpus and held-out
set show no person, no class and none of the actions' patterns, but tartans, ripples,
letters, leaves and pieces of their own photographs.

**Photographs**, all from inside scikit-image's wheel and read from there at run time:

=========== ======================= ================================================
used by     file                    licence
=========== ======================= ================================================
eight       astronaut.png           public domain (NASA)
eight       coffee.png              CC0 (Rachel Michetti)
eight       grass.png               CC0 (CC0Textures)
six         chelsea.png             CC0 (Stefan van der Walt)
six         rocket.jpg              public domain (SpaceX)
six         gravel.png              CC0 (CC0Textures)
corpus      motorcycle_left.png     Middlebury Stereo 2014, D. Scharstein et al., GCPR
                                    2014; no licence stated, free for research
corpus      ihc.png                 no known restrictions (CMMI)
corpus      brick.png               CC0 (CC0Textures)
corpus      coins.png               no known restrictions (Brooklyn Museum)
flow        camera.png              CC0 (Lav Varshney)
=========== ======================= ================================================

The files as a reader would take them: `sets` (what there is), `groups` (which clips),
`textures`, `motions`, `actors`, `scenes` (what is in a clip), `clips` (put together),
`render` (painted, with the flow that follows), `files` (written).
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twinlens.media.playground import clips, files, groups, scenes, sets, textures
from twinlens.media.playground.clips import Clip
from twinlens.media.playground.groups import Member, members
from twinlens.media.settings import Generated

__all__ = ["Clip", "Member", "Generated", "generate", "members", "render"]

Progress = Callable[[int, int], None]


def generate(
    out: Path,
    name: str,
    settings: Generated,
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
        progress: called with how many clips of how many are done.
    """
    if settings.kind == "action":
        _generate_actions(out, name, settings, seed, progress)
    else:
        _generate_clips(out, name, settings, seed, progress)


def render(
    name: str, settings: Generated, seed: int, member: Member, *, with_flow: bool = True
) -> Clip:
    """Render one clip in memory.

    Args:
        name: of the data set.
        settings: kind and size.
        seed: of everything.
        member: which clip; `members(settings)` lists those there are.
        with_flow: whether to compute the ground-truth flow as well.
    """
    tile = _tiles(name, settings, seed)[member.group - 1]
    random = textures.stream(seed, name, member.label, member.group, member.clip)
    if settings.kind == "action":
        take = clips.action(settings, member.label, tile, random, seed)
    else:
        take = clips.still_life(settings, tile, random, seed)
    return take.develop(with_flow)


def _tiles(name: str, settings: Generated, seed: int) -> list[scenes.Tile]:
    """Choose a tile for each group, in the order of the groups."""
    action = settings.kind == "action"
    photos = sets.PHOTOS[settings.set if action else settings.kind]
    need = len(groups.sizes(settings)) if action else settings.clips
    return scenes.tiles(
        photos, need, textures.stream(seed, name, "tiles"), full=not action
    )


def _generate_actions(
    out: Path, name: str, settings: Generated, seed: int, progress: Progress | None
) -> None:
    for _ in _videos(out, name, settings, seed, progress, with_flow=False):
        pass
    files.write_splits(out / "splits", settings)


def _generate_clips(
    out: Path, name: str, settings: Generated, seed: int, progress: Progress | None
) -> None:
    flows = _videos(out, name, settings, seed, progress, with_flow=True)
    files.write_flow(
        out / "flow.h5", {"name": name, "seed": seed, **asdict(settings)}, flows
    )


def _videos(
    out: Path,
    name: str,
    settings: Generated,
    seed: int,
    progress: Progress | None,
    *,
    with_flow: bool,
) -> Iterator[tuple[str, npt.NDArray[np.float16]]]:
    """Write all videos that are missing, and yield each one's flow if asked."""
    files.claim(out, {"name": name, "seed": seed, **asdict(settings)})
    wanted = members(settings)
    for done, member in enumerate(wanted, 1):
        path = out / "videos" / member.path
        if with_flow or not path.exists():
            clip = render(name, settings, seed, member, with_flow=with_flow)
            files.write_video(path, clip.frames, settings.fps)
            if clip.flow is not None:
                yield path.stem, clip.flow
        if progress is not None:
            progress(done, len(wanted))
