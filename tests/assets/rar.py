"""Write .rar archives (version 5) whose files are stored, not compressed."""

import zlib

SIGNATURE = b"Rar!\x1a\x07\x01\x00"
MAIN, FILE, END = 1, 2, 5
HAS_DATA, HAS_CRC = 2, 4
UNIX = 1


def archive(files, *, solid=False, compressed=False):
    """The bytes of an archive of files by path.

    `compressed` only says so of them: what reads the archive then needs a tool.
    """
    blocks = [block(MAIN, 0, number(4 if solid else 0))]
    blocks += [file(path, content, compressed) for path, content in files.items()]
    return SIGNATURE + b"".join(blocks) + block(END, 0, number(0))


def file(path, content, compressed):
    name = path.encode()
    fields = [
        number(len(content)),  # of the data that follows
        number(HAS_CRC),
        number(len(content)),
        number(0o100644),
        zlib.crc32(content).to_bytes(4, "little"),
        number(3 << 7 if compressed else 0),
        number(UNIX),
        number(len(name)),
        name,
    ]
    return block(FILE, HAS_DATA, b"".join(fields)) + content


def block(kind, flags, fields):
    header = number(kind) + number(flags) + fields
    sized = number(len(header)) + header
    return zlib.crc32(sized).to_bytes(4, "little") + sized


def number(value):
    """Seven bits a byte, the lowest first."""
    output = bytearray()
    while value > 0x7F:
        output.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*output, value])
