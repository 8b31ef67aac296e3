"""Lists of clips and classes, as people's programs write them."""

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePath

from twinlens.errors import DataError

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""How files of a byte-order mark are coded."""
SEPARATORS = ",;\t"


def text(path: Path) -> str:
    """Read a text file: UTF-8, or UTF-16 with a byte-order mark.

    Raises:
        DataError: there is none, or it is coded otherwise; the line.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; it is one of the data set's lists")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}") from error
    coding = next((MARKS[mark] for mark in MARKS if raw.startswith(mark)), "utf-8")
    try:
        found = raw.decode(coding)
        before = found.partition("\0")[0]
    except UnicodeDecodeError as error:
        found, before = "", raw[: error.start].decode(coding, errors="replace")
    if before != found:
        line = before.count("\n") + 1
        raise DataError(f"{path}, line {line}: is not UTF-8; save the list as UTF-8")
    return found


def lines(path: Path) -> list[str]:
    """Read the non-empty lines of a list, whatever its line ends.

    Raises:
        DataError: it can't be read.
    """
    return [line.strip() for line in text(path).splitlines() if line.strip()]


def rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a csv file: by row the number of its line, and its fields by column.

    Fields are separated by commas, or by semicolons or tabs as spreadsheets do; rows of
    empty fields are left out.

    Raises:
        DataError: it can't be read.
    """
    content = text(path)
    head = content.partition("\n")[0]
    separator = max(SEPARATORS, key=lambda each: (head.count(each), each == ","))
    reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=separator)
    try:
        for row in reader:
            fields = {key.strip(): value or "" for key, value in row.items() if key}
            if any(value.strip() for value in fields.values()):
                yield reader.line_num, fields
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: {error}; is a quote left open there?"
        ) from error


def composed(name: str) -> str:
    """A name in Unicode's composed form: Macs write it decomposed."""
    return unicodedata.normalize("NFC", name)


def existing(root: Path, listed: PurePath) -> Path:
    """A listed file as it is called on this disk, each part in either form of Unicode.

    Args:
        root: the folder, as it is called.
        listed: the file below it.
    """
    path = root
    for part in listed.parts:
        forms = [part, *(unicodedata.normalize(form, part) for form in ("NFC", "NFD"))]
        path = next(
            (path / each for each in forms if (path / each).exists()), path / part
        )
    return path
