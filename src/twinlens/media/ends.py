"""Whether a video file is cut: what its container says of its own end.

A decoder takes what there is, and the end of a cut file looks like the end of a video.
How long sound and picture play says little either, since they may differ, and so may
stated and real frame rates. So it is read off the container's structure, whose sizes
and end marks are the same whatever they enclose; where there are none, it is unknown.
"""

import re
from collections.abc import Callable
from pathlib import Path
from struct import unpack
from typing import BinaryIO

import numpy as np

from twinlens.errors import RejectedError

WHOLE, UNKNOWN = "whole", "unknown"
HEAD = 1 << 16
"""Bytes at the start in which a header lies."""
TAIL = 1 << 18
"""Bytes at the end in which the last pack of an MPEG program stream starts."""
PACKETS = 204 * 12
"""Bytes that show the packets of a transport stream."""
BOXES = frozenset(
    b"ftyp moov mdat free skip wide pnot moof styp sidx ssix mfra meta udta uuid pdin"
    b" emsg prft junk PICT".split()
)
"""Boxes of MP4 and QuickTime that a file consists of."""
SEGMENT = 0x18538067
ELEMENTS = frozenset(
    (
        *(SEGMENT, 0x1A45DFA3, 0x1F43B675, 0x1C53BB6B, 0x1254C367, 0x114D9B74),
        *(0x1549A966, 0x1654AE6B, 0x1941A469, 0x1043A770, 0xEC, 0xBF),
    )
)
"""Elements of Matroska that a file or a segment consists of."""
SLACK = 64
"""Bytes by which writers of AVI miscount; at its end lies an index."""
MOST_OF_INDEX = 1 << 26
"""Bytes of an MP4's index that are read."""
ZEROS = 4096
"""Bytes at the end of a whole file that are not all zero."""
MOST_READS = 10**6
"""Parts of a file that are looked at, which takes seconds."""


class _TooManyReadsError(Exception):
    pass


class _File:
    """A file that is read here and there."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size, self.reads = file, size, 0

    def read(self, at: int, count: int) -> bytes:
        """Read bytes, fewer at the end and none outside."""
        self.reads += 1
        if self.reads > MOST_READS:
            raise _TooManyReadsError
        if not 0 <= at < self.size:
            return b""
        self.file.seek(at)
        return self.file.read(count)

    def check(self, end: int) -> None:
        """Check that the file reaches to where something in it ends.

        Raises:
            RejectedError: it does not.
        """
        if end > self.size:
            raise RejectedError(
                f"truncated: the file ends {end - self.size} bytes before the end that"
                " its container states"
            )


def end(path: Path) -> str:
    """Say whether a file is whole.

    Args:
        path: a regular file.

    Returns:
        `WHOLE`, or `UNKNOWN` where its format does not tell, or is not known here.

    Raises:
        RejectedError: it is cut; by how much, where the format says.
        OSError: it can't be read.
    """
    with path.open("rb") as opened:
        file = _File(opened, path.stat().st_size)
        head = file.read(0, HEAD)
        walk = next((walk for matches, walk in _CONTAINERS if matches(head)), None)
        # A download can take its whole room first, and fill it later.
        filled = any(file.read(max(0, file.size - ZEROS), ZEROS))
        try:
            return WHOLE if walk and walk(file, head) and filled else UNKNOWN
        except _TooManyReadsError:
            return UNKNOWN


def stated_frames(path: Path) -> int:
    """Read how many frames the header of an AVI states; 0 for other files.

    Other containers state none, or those that a list of edits hides as well.

    Args:
        path: a regular file.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as opened:
        head = opened.read(HEAD)
    at = head.find(b"strh")
    if head[:4] != b"RIFF" or at < 0 or head[at + 8 : at + 12] != b"vids":
        return 0
    return int.from_bytes(head[at + 40 : at + 44], "little")


def _mp4(file: _File, head: bytes) -> bool:
    """MP4 and QuickTime: boxes, each with its size; fragments have an index behind."""
    kinds, at, moov, known = set(), 0, b"", True
    while len(header := file.read(at, 16)) >= 8 and any(header[:8]):
        size, kind = unpack(">I4s", header[:8])
        if size == 1 and len(header) == 16:
            (size,) = unpack(">Q", header[8:])
        elif size == 0:  # the last box, to wherever the file ends
            size, known = file.size - at, False
        if kind not in BOXES or size < 8:
            known = False  # what follows the last box, or a kind that is rare
            break
        if kind == b"moov":
            moov = file.read(at, min(size, MOST_OF_INDEX))
        kinds.add(kind)
        at += size
    file.check(at)
    file.check(_last_chunk(moov))
    fragmented = b"moof" in kinds or b"mvex" in moov
    return known and (not fragmented or b"mfra" in kinds)


def _last_chunk(moov: bytes) -> int:
    """Where the last chunk of samples starts, of those that an index lists."""
    last = 0
    for found in re.finditer(b"stco|co64", moov):
        kind = ">u4" if found[0] == b"stco" else ">u8"
        start = found.end() + 8
        count = int.from_bytes(moov[start - 4 : start])
        if count and start + count * np.dtype(kind).itemsize <= len(moov):
            last = max(last, int(np.frombuffer(moov, kind, count, start).max()))
    return last


def _avi(file: _File, head: bytes) -> bool:
    """AVI: one RIFF chunk, or several where it is large, each with its size."""
    at = end = 0
    while (header := file.read(at, 8))[:4] == b"RIFF" and len(header) == 8:
        (size,) = unpack("<I", header[4:])
        if size in (0, 0xFFFFFFFF):  # never filled in
            return False
        end = at + 8 + size
        at = end + size % 2
    file.check(end - SLACK)
    file.check(_last_index(head))
    return True


def _last_index(head: bytes) -> int:
    """Where the last of the indices ends that a large AVI lists."""
    last = 0
    for found in re.finditer(b"indx", head):
        entry = head[found.end() + 4 :]
        if len(entry) < 24 or entry[3] != 0:  # not a list of indices
            continue
        (count,) = unpack("<I", entry[4:8])
        for at in range(24, min(24 + 16 * count, len(entry) - 15), 16):
            start, size = unpack("<QI", entry[at : at + 12])
            last = max(last, start + size)
    return last


def _matroska(file: _File, head: bytes) -> bool:
    """Matroska and WebM: elements with their sizes, that of a live segment unknown."""
    at, known = 0, True
    while at < file.size:
        kind, start, size = _element(file, at)
        if kind not in ELEMENTS:
            known = False  # what follows the last element
            break
        if size is None:
            if kind != SEGMENT:  # all but a segment has no elements of its own
                return False
            at, known = start, False
        else:
            at = start + size
    file.check(at)
    return known


def _element(file: _File, at: int) -> tuple[int, int, int | None]:
    """Read an element's kind, where its content starts, and its size if it is known."""
    header = file.read(at, 12)
    wide = 9 - header[0].bit_length()
    size = header[wide : wide + 1]
    if wide > 4 or not size or not size[0]:
        return 0, at, None
    more = 9 - size[0].bit_length()
    bits = int.from_bytes(header[wide : wide + more]) & ((1 << 7 * more) - 1)
    known = None if bits == (1 << 7 * more) - 1 else bits
    return int.from_bytes(header[:wide]), at + wide + more, known


def _packets(data: bytes) -> tuple[int, int] | None:
    """Find packets of an MPEG transport stream: where they start, and their size."""
    for size in (188, 192, 204):
        for start in range(size):
            marks = data[start::size]
            if len(marks) > 4 and not marks.strip(b"G"):
                return start, size
    return None


def _transport(file: _File, head: bytes) -> bool:
    """MPEG transport streams: packets of one size, and no end."""
    found = _packets(head[:PACKETS])
    tail = file.read(max(0, file.size - PACKETS), PACKETS)
    if found and (last := _packets(tail)) and last[1] == found[1]:
        start, size = last
        before = 4 if size == 192 else 0  # bytes of a packet before its mark
        rest = (len(tail) - start + before) % size
        file.check(file.size + (size - rest if rest else 0))
    return False


def _program(file: _File, head: bytes) -> bool:
    """MPEG program streams: packets with their sizes, and maybe an end code."""
    at = max(0, file.size - TAIL)
    tail = file.read(at, TAIL)
    here = tail.rfind(b"\0\0\1\xba")
    if here < 0:
        return False
    second = tail[here + 4 : here + 5] >= b"\x40"  # MPEG-2, else MPEG-1
    here += 14 + (tail[here + 13] & 7 if second and len(tail) > here + 13 else 0)
    here -= 0 if second else 2
    last = b""
    while len(header := tail[here : here + 6]) == 6 and header[:3] == b"\0\0\1":
        if header[3] == 0xB9:
            return True
        last = tail[here : (here := here + 6 + unpack(">H", header[4:])[0])]
    if tail[here:].startswith(b"\0\0\1\xb9"):
        return True
    file.check(at + here)
    return last.rstrip(b"\0\xff").endswith(b"\0\0\1\xb7")


def _sequence(file: _File, head: bytes) -> bool:
    """Bare MPEG video: no sizes, and maybe an end code."""
    tail = file.read(max(0, file.size - HEAD), HEAD).rstrip(b"\0")
    return tail.endswith((b"\0\0\1\xb7", b"\0\0\1\xb1"))


def _gif(file: _File, head: bytes) -> bool:
    """GIF: blocks of blocks, and a trailer."""
    at = 13 + (_palette(head[10]) if len(head) > 10 else 0)
    while (kind := file.read(at, 10)) and kind[:1] != b";":
        if kind[:1] == b",":
            at += 11 + (_palette(kind[9]) if len(kind) == 10 else 0)
        elif kind[:1] == b"!":
            at += 2
        else:
            return False  # no block starts so
        while (size := file.read(at, 1)) and size[0]:
            at += 1 + size[0]
        at += 1
    if not kind:
        raise RejectedError("truncated: the file ends without the trailer of a GIF")
    return True


def _palette(flags: int) -> int:
    """Bytes of the palette that these flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _y4m(file: _File, head: bytes) -> bool:
    """YUV4MPEG2: frames of one size after a line each."""
    first = head.partition(b"\n")[0]
    stated = {each[:1]: each[1:] for each in first.split()[1:]}
    frame = _samples(stated)
    if not frame:
        return False
    at = len(first) + 1
    while (line := file.read(at, 128).partition(b"\n")[0]).startswith(b"FRAME"):
        at += len(line) + 1 + frame
    file.check(at)
    return False


def _samples(stated: dict[bytes, bytes]) -> int:
    """Bytes of a frame of Y4M by its header; 0 for a form that is not known here."""
    sides = [stated.get(key, b"") for key in (b"W", b"H")]
    form = stated.get(b"C", b"420jpeg").decode(errors="replace")
    found = re.fullmatch(r"(420|411|422|444|mono)(?:jpeg|paldv|mpeg2)?(p?\d\d)?", form)
    if not found or not all(re.fullmatch(rb"\d{1,6}", side) for side in sides):
        return 0
    width, height = map(int, sides)
    across, down = {"420": (2, 2), "411": (4, 1), "422": (2, 1)}.get(found[1], (1, 1))
    chroma = 0 if found[1] == "mono" else -(-width // across) * -(-height // down)
    return (width * height + 2 * chroma) * (2 if found[2] else 1)


def _asf(file: _File, head: bytes) -> bool:
    """ASF and WMV: the header states the size, but for live ones."""
    at = head.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    if at < 0 or len(head) < at + 92:
        return False
    (size,), (flags,) = unpack("<Q", head[at + 40 : at + 48]), head[at + 88 : at + 89]
    if flags & 1 or not size:
        return False
    file.check(size)
    return size == file.size


def _ogg(file: _File, head: bytes) -> bool:
    """Ogg: pages with their sizes; the last of each stream should have a mark."""
    at, unended = 0, set[int]()
    while len(page := file.read(at, 27 + 255)) >= 27 and page[:4] == b"OggS":
        (stream,) = unpack("<I", page[14:18])
        (unended.discard if page[5] & 4 else unended.add)(stream)
        at += 27 + page[26] + sum(page[27 : 27 + page[26]])
    file.check(at)
    return not unended and not page


def _flv(file: _File, head: bytes) -> bool:
    """FLV: tags with their sizes; the last of H.264 is a mark."""
    at, mark = int.from_bytes(head[5:9]) + 4, False
    while len(tag := file.read(at, 13)) >= 11 and tag[0] & 0x1F in (8, 9, 18):
        if tag[0] & 0x1F == 9:
            mark = tag[11:13] == b"\x17\x02"
        at += 11 + int.from_bytes(tag[1:4]) + 4
    file.check(at - 4)  # some leave the last tag's size out
    return mark


def _starts(*marks: bytes) -> Callable[[bytes], object]:
    return lambda head: head.startswith(marks)


_CONTAINERS: list[tuple[Callable[[bytes], object], Callable[[_File, bytes], bool]]] = [
    (lambda head: head[4:8] in BOXES, _mp4),
    (_starts(b"RIFF"), _avi),
    (_starts(b"\x1a\x45\xdf\xa3"), _matroska),
    (_starts(b"GIF8"), _gif),
    (_starts(b"YUV4MPEG2 "), _y4m),
    (_starts(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")), _asf),
    (_starts(b"OggS"), _ogg),
    (_starts(b"FLV"), _flv),
    (_starts(b"\0\0\1\xba"), _program),
    (_starts(b"\0\0\1"), _sequence),
    (lambda head: _packets(head[:PACKETS]), _transport),
]
"""How each container is recognised, and read."""
