"""Download a file, going on where the last try was cut."""

import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pooch
import requests

from twinlens.artifacts.publish import locked, publish
from twinlens.errors import ArtifactError
from twinlens.progress import say, teller

ATTEMPTS = 4
"""Tries in a row that bring nothing new before a server is given up."""
SECONDS = 60
"""Without a byte before a connection counts as cut."""
CHUNK = 1 << 16
"""Bytes that are taken at once; a cut loses as many at most."""
MEGABYTE = 1 << 20
CUT = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What a cut looks like."""
BUSY = {408, 425, 429, 500, 502, 503, 504}
"""States of a server that may pass."""
DIGITS = {"md5": 32, "sha1": 40, "sha256": 64}
"""Of whole digests."""


def download(urls: tuple[str, ...], out: Path, digest: str = "") -> None:
    """Download a file from the first server that has it.

    What arrived lies hidden beside `out` until it is whole, so that the next call goes
    on from there, if the server still has the same file. Of two calls for one file, the
    second waits, and takes what the first brought if its digest fits.

    Args:
        urls: the best first.
        out: the file to write; its folder is created.
        digest: "sha256:...", "sha1:..." or "md5:...", all digits or the first ones; ""
            checks the length only, where the server states it.

    Raises:
        ArtifactError: no server has the file, or all give another.
    """
    pooch.get_logger().setLevel(logging.ERROR)
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out, ".download"):  # held until the part is gone: it has one owner
        if not _is_there(out, digest):
            _download(urls, out, digest)
        Part(out).forget()


def _is_there(out: Path, digest: str) -> bool:
    """Whether the file lies there; without its whole digest, nobody can say."""
    return _is_whole(digest) and out.exists() and pooch.hashes.hash_matches(out, digest)


def _download(urls: tuple[str, ...], out: Path, digest: str) -> None:
    problems = []
    with publish(out) as temporary:
        for url in urls:
            if problem := _try(url, temporary, Part(out), digest):
                problems.append(f"{url}: {problem}")
            else:
                return
        raise ArtifactError(f"{out.name}: {'; '.join(problems)}")


def _try(url: str, temporary: Path, part: "Part", digest: str) -> str:
    """Download from one server; what was wrong, in a few words, or ""."""
    try:
        pooch.retrieve(
            url,
            known_hash=digest if _is_whole(digest) else None,
            fname=temporary.name,
            path=temporary.parent,
            downloader=Resumed(part, digest),
        )
    except requests.HTTPError as error:
        answer = error.response
        return str(error) if answer is None else f"{answer.status_code} {answer.reason}"
    except (requests.RequestException, UnfitError) as error:
        return str(error)
    except ValueError as error:  # pooch's, of a digest
        part.forget()
        return f"another file than was published: {str(error).splitlines()[0]}"
    return ""


def _is_whole(digest: str) -> bool:
    kind, _, digits = digest.partition(":")
    return bool(digest) and len(digits) == DIGITS[kind]


class UnfitError(RuntimeError):
    """A server gave something else than the file."""


class CutError(requests.RequestException):
    """A connection that was cut, or never came to be."""


class BusyError(requests.RequestException):
    """A server that may serve the file later."""


class Part:
    """What has arrived of a file, and of which version of it."""

    def __init__(self, out: Path) -> None:
        """Take the file that it will be."""
        self.name = out.name
        self.path = out.with_name(f".{out.name}.part")
        self._note = out.with_name(f".{out.name}.part.version")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def version(self) -> str:
        """The server's name for the version; "" if it gave none."""
        return self._note.read_text() if self._note.exists() else ""

    def begin(self, version: str) -> None:
        """Drop what is here for a version."""
        self.forget()
        self._note.write_text(version)

    def forget(self) -> None:
        """Drop what is here."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


class Resumed:
    """A downloader for pooch that goes on where another was cut."""

    def __init__(self, part: Part, digest: str) -> None:
        """Take what is here already, and what the file's digest must begin with."""
        self.part, self.digest = part, digest

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        """Download into `output_file`, whole.

        Raises:
            requests.RequestException: the server can't be reached, or refuses.
            UnfitError: it gives another file.
        """
        self._all(url)
        if self.digest and not _is_whole(self.digest):
            self._check_beginning()
        # The part stays until the file is published: a kill meanwhile costs nothing.
        Path(output_file).unlink(missing_ok=True)
        try:
            os.link(self.part.path, output_file)
        except OSError:  # a disk without links
            shutil.copyfile(self.part.path, output_file)

    def _all(self, url: str) -> None:
        """Ask for the rest until there is none."""
        failed, most = 0, self.part.size
        while True:
            try:
                return self._rest(url)
            except (CutError, BusyError) as error:
                failed = 0 if self.part.size > most else failed + 1
                most = max(most, self.part.size)
                if failed == ATTEMPTS:
                    raise
                wait = 2 ** (failed - 1) if failed else 0
                say(f"{self.part.name}: {error}; going on in {wait} s")
                time.sleep(wait)

    def _rest(self, url: str) -> None:
        """Ask a server for what is missing, and take it."""
        with self._asked(url) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                return self._end(answer)
            if answer.status_code in BUSY:
                raise BusyError(f"{answer.status_code} {answer.reason}")
            answer.raise_for_status()
            self._refuse_page(answer)
            start = self._start(answer)
            length = answer.headers.get("Content-Length")
            total = start + int(length) if length else None
            try:
                self._take(answer, start, total)
            except CUT as error:
                raise self._cut(total) from error
            if total is not None and self.part.size != total:
                raise self._cut(total)

    def _cut(self, total: int | None) -> CutError:
        of = f" of {total:,}" if total else ""
        return CutError(f"cut at {self.part.size:,}{of} bytes")

    def _asked(self, url: str) -> requests.Response:
        """Ask for the rest of the same version, if both are known."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "twinlens"}
        if self.part.size and self.part.version:
            begin = f"bytes={self.part.size}-"
            headers |= {"Range": begin, "If-Range": self.part.version}
        try:
            return requests.get(url, headers=headers, stream=True, timeout=SECONDS)
        except requests.exceptions.SSLError as error:
            raise UnfitError(
                f"its certificate is refused ({_innermost(error)})"
            ) from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise CutError(f"can't be reached ({_innermost(error)})") from error

    def _end(self, answer: requests.Response) -> None:
        """End where all is here already; else the server has a shorter file now."""
        stated = answer.headers.get("Content-Range", "").rpartition("/")[2]
        if stated != str(self.part.size):
            self.part.forget()
            raise CutError("the server has another file by now")

    def _start(self, answer: requests.Response) -> int:
        """Where what comes begins; what is here is dropped if that is at 0."""
        size, version = self.part.size, _version(answer)
        stated = answer.headers.get("Content-Range", "")
        if answer.status_code != requests.codes.partial:
            self.part.begin(version)
            return 0
        if not stated.startswith(f"bytes {size}-") or version != self.part.version:
            self.part.forget()
            raise CutError("the server gave another part than was asked for")
        return size

    def _take(self, answer: requests.Response, start: int, total: int | None) -> None:
        report = teller(f"fetch {self.part.name}", "MB")
        megabytes = None if total is None else -(-(total - start) // MEGABYTE)
        taken = 0
        with self.part.path.open("ab" if start else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                taken += file.write(chunk)
                report(-(-taken // MEGABYTE), megabytes)

    def _refuse_page(self, answer: requests.Response) -> None:
        """Refuse a web page, such as a login or a question of a drive."""
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise UnfitError("a web page came instead of the file")

    def _check_beginning(self) -> None:
        """Check the first digits of a digest; pooch checks whole ones."""
        kind, _, digits = self.digest.partition(":")
        found = pooch.file_hash(str(self.part.path), kind)
        if not found.startswith(digits):
            self.part.forget()
            raise UnfitError(
                f"another file than was published: its {kind} is {found}, not {digits}"
            )


def _version(answer: requests.Response) -> str:
    """A server's name for a version; a weak tag says nothing of the bytes."""
    etag = answer.headers.get("ETag", "")
    weak = etag[:2] in ("", "W/")
    return answer.headers.get("Last-Modified", "") if weak else etag


def _innermost(error: BaseException) -> str:
    """What an error of a connection comes from."""
    causes = list(_causes(error))
    return f"{type(causes[-1]).__name__}: {causes[-1]}"[:200]


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        inner = getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((a for a in seen.args if isinstance(a, BaseException)), None)
        seen = inner or seen.__cause__
