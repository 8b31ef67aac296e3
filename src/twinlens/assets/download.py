"""Download a file, going on where the last try was cut."""

import logging
import time
from pathlib import Path
from typing import Any

import pooch
import requests

from twinlens.artifacts.publish import locked
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
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""What a cut looks like besides a ConnectionError."""
BUSY = {408, 425, 429, 500, 502, 503, 504}
"""States of a server that may pass."""


def download(urls: tuple[str, ...], out: Path, digest: str = "") -> None:
    """Download a file from the first server that has it.

    What arrived lies hidden beside `out` until it is whole, so that the next call goes
    on from there, if the server still has the same file.

    Args:
        urls: the best first.
        out: the file to write; its folder is created.
        digest: "sha256:...", "sha1:..." or "md5:...", all digits or the first ones; ""
            checks the length only.

    Raises:
        ArtifactError: no server has the file, or all give another.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().setLevel(logging.ERROR)
    problems = []
    with locked(out):
        for url in urls:
            try:
                pooch.retrieve(
                    url,
                    known_hash=None,
                    fname=out.name,
                    path=out.parent,
                    downloader=Resumed(out, digest),
                )
                return
            except (requests.RequestException, UnfitError) as error:
                problems.append(f"{url}: {_words(error)}")
    raise ArtifactError(f"{out.name}: {'; '.join(problems)}")


def _words(error: Exception) -> str:
    """Say what a server did, in a few words."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    return str(error)


class UnfitError(RuntimeError):
    """A server gave something else than the file."""


class CutError(requests.RequestException):
    """A connection that was cut, or never came to be."""


class BusyError(requests.RequestException):
    """A server that may serve the file later."""


class Resumed:
    """A downloader for pooch that goes on where another was cut."""

    def __init__(self, out: Path, digest: str) -> None:
        """Take the file to write, and what its digest must begin with."""
        self.name, self.digest = out.name, digest
        self.part = out.with_name(f".{out.name}.part")
        self.note = out.with_name(f".{out.name}.part.version")

    def __call__(self, url: str, output_file: str, _: Any) -> None:
        """Download into `output_file`, whole.

        Raises:
            requests.RequestException: the server can't be reached, or refuses.
            UnfitError: it gives another file.
        """
        self._all(url)
        try:
            self._check()
            self.part.replace(output_file)
        finally:
            self._forget()

    def _all(self, url: str) -> None:
        """Ask for the rest until there is none."""
        failed = 0
        while True:
            before = self._size()
            try:
                return self._rest(url)
            except (CutError, BusyError) as error:
                failed = 0 if self._size() > before else failed + 1
                if failed == ATTEMPTS:
                    raise
                wait = 2 ** (failed - 1) if failed else 0
                say(f"{self.name}: {error}; going on in {wait} s")
                time.sleep(wait)

    def _rest(self, url: str) -> None:
        """Ask a server for what is missing, and take it."""
        with self._asked(url) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self._forget()  # the file is shorter now than what is here
                raise CutError("the server has another file by now")
            if answer.status_code in BUSY:
                raise BusyError(f"{answer.status_code} {answer.reason}")
            answer.raise_for_status()
            self._refuse_page(answer)
            start = self._start(answer)
            length = answer.headers.get("Content-Length")
            total = start + int(length) if length else None
            try:
                self._take(answer, start, total)
            except (requests.ConnectionError, *CUT) as error:
                of = f" of {total:,}" if total else ""
                raise CutError(f"cut at {self._size():,}{of} bytes") from error

    def _asked(self, url: str) -> requests.Response:
        headers = self._headers()
        try:
            return requests.get(url, headers=headers, stream=True, timeout=SECONDS)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise CutError("can't be reached") from error

    def _headers(self) -> dict[str, str]:
        """Ask for the rest of the same version, if both are known."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "twinlens"}
        version = self.note.read_text() if self.note.exists() else ""
        if self._size() and version:
            headers |= {"Range": f"bytes={self._size()}-", "If-Range": version}
        return headers

    def _start(self, answer: requests.Response) -> int:
        """Where what comes begins; whatever lies here is dropped if that is at 0."""
        stated = answer.headers.get("Content-Range", "")
        size = self._size()
        if answer.status_code == requests.codes.partial and stated.startswith(
            f"bytes {size}-"
        ):
            return size
        if answer.status_code == requests.codes.partial:
            raise UnfitError(
                f"asked for bytes from {size} on, the server gave {stated!r}"
            )
        self._forget()
        headers = answer.headers
        etag = headers.get("ETag", "")
        # A weak tag does not say that the bytes are the same.
        version = headers.get("Last-Modified", "") if etag[:2] in ("", "W/") else etag
        self.note.write_text(version)
        return 0

    def _take(self, answer: requests.Response, start: int, total: int | None) -> None:
        report = teller(f"fetch {self.name}", "MB")
        megabytes = None if total is None else -(-total // MEGABYTE)
        with self.part.open("ab" if start else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                report(-(-file.tell() // MEGABYTE), megabytes)

    def _refuse_page(self, answer: requests.Response) -> None:
        """Refuse a web page, such as a login or a question of a drive."""
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise UnfitError("a web page came instead of the file")

    def _check(self) -> None:
        if not self.digest:
            return
        kind, _, digits = self.digest.partition(":")
        found = pooch.file_hash(str(self.part), kind)
        if not found.startswith(digits):
            raise UnfitError(
                f"another file than was published: its {kind} is {found}, not {digits}"
            )

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
