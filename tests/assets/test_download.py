"""Downloads through a server that cuts, lies and redirects."""

import hashlib
import random
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.assets.server import Served, serving
from twinlens.assets import download as module
from twinlens.assets.download import download
from twinlens.errors import ArtifactError

CONTENT = random.Random(5).randbytes(3_000_000)
SHA = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda _: None)


def fetched(tmp_path, files, *paths, digest=SHA):
    with serving(files) as address:
        download(tuple(address + path for path in paths), tmp_path / "f.bin", digest)
    assert [each.name for each in tmp_path.iterdir()] == ["f.bin"]
    return (tmp_path / "f.bin").read_bytes()


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_file_comes_whole_whatever_its_digest(tmp_path, kind):
    digest = f"{kind}:{hashlib.new(kind, CONTENT).hexdigest()}"
    files = {"/f": Served(CONTENT)}
    assert fetched(tmp_path, files, "/f", digest=digest) == CONTENT
    assert "Range" not in files["/f"].asked[0]


def test_the_first_digits_of_a_digest_suffice(tmp_path):
    assert fetched(tmp_path, {"/f": Served(CONTENT)}, "/f", digest=SHA[:15]) == CONTENT


def test_a_cut_download_goes_on_where_it_was_cut(tmp_path):
    served = Served(CONTENT, cut_after=[1_200_000, 700_000])
    assert fetched(tmp_path, {"/f": served}, "/f") == CONTENT
    starts = [begin(each) for each in served.asked]
    assert starts[0] == 0
    assert 1_200_000 - module.CHUNK <= starts[1] <= 1_200_000
    assert 700_000 - module.CHUNK <= starts[2] - starts[1] <= 700_000
    assert len(starts) == 3


def begin(headers):
    """Where a request's part begins; 0 for all."""
    return int(headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))


def test_the_next_command_goes_on_too(tmp_path):
    served = Served(CONTENT, cut_after=[1_000_000, 0, 0, 0, 0])
    with serving({"/f": served}) as address:
        with pytest.raises(ArtifactError, match=r"f\.bin: http.*: cut at .* bytes$"):
            download((f"{address}/f",), tmp_path / "f.bin", SHA)
        assert not (tmp_path / "f.bin").exists()
        size = (tmp_path / ".f.bin.part").stat().st_size
        assert 1_000_000 - module.CHUNK <= size <= 1_000_000
    assert fetched(tmp_path, {"/f": served}, "/f") == CONTENT
    assert begin(served.asked[-1]) == size


@pytest.mark.parametrize(
    "second",
    [Served(CONTENT, etag='"two"'), Served(CONTENT, ranges=False)],
    ids=["another version", "no parts"],
)
def test_a_file_that_changed_meanwhile_starts_anew(tmp_path, second):
    first = Served(bytes(2_000_000), cut_after=[1_000_000] + [0] * 4)
    with serving({"/f": first}) as address, pytest.raises(ArtifactError):
        download((f"{address}/f",), tmp_path / "f.bin", SHA)
    assert fetched(tmp_path, {"/f": second}, "/f") == CONTENT


def test_a_file_that_is_shorter_by_now_starts_anew(tmp_path):
    (tmp_path / ".f.bin.part").write_bytes(bytes(4_000_000))
    (tmp_path / ".f.bin.part.version").write_text('"one"')
    assert fetched(tmp_path, {"/f": Served(CONTENT)}, "/f") == CONTENT


def test_a_server_without_versions_starts_anew(tmp_path):
    served = Served(CONTENT, etag=None, cut_after=[1_000_000])
    assert fetched(tmp_path, {"/f": served}, "/f", digest="") == CONTENT
    assert [each.get("Range") for each in served.asked] == [None, None]


def test_redirects_are_followed(tmp_path):
    files = {"/old": Served(b"", to="/new"), "/new": Served(CONTENT, cut_after=[500])}
    assert fetched(tmp_path, files, "/old") == CONTENT


def test_a_server_that_is_busy_is_asked_again(tmp_path):
    served = Served(CONTENT, states=[503, 429])
    assert fetched(tmp_path, {"/f": served}, "/f") == CONTENT


@pytest.mark.parametrize(
    "bad",
    [
        Served(CONTENT[:-1] + b"x"),
        Served(CONTENT[:-5]),
        Served(b"<html>sign in</html>", kind="text/html; charset=utf-8"),
        Served(CONTENT, states=[403]),
        Served(CONTENT, states=[500] * 9),
    ],
    ids=["wrong bytes", "short", "web page", "forbidden", "broken"],
)
def test_the_next_server_is_asked_where_one_fails(tmp_path, bad):
    files = {"/bad": bad, "/good": Served(CONTENT)}
    assert fetched(tmp_path, files, "/none", "/bad", "/good") == CONTENT


def test_what_every_server_did_is_said_and_nothing_is_left(tmp_path):
    page = Served(b"<html>", kind="text/html")
    files = {"/wrong": Served(b"else"), "/page": page}
    with serving(files) as address:
        urls = [f"{address}{path}" for path in ("/none", "/wrong", "/page")]
        with pytest.raises(ArtifactError) as caught:
            download(tuple(urls), tmp_path / "f.bin", SHA)
    text = str(caught.value)
    assert re.search("/none: 404 Not Found; .*/wrong: another file than was", text)
    assert text.endswith("/page: a web page came instead of the file")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_said_in_words(tmp_path):
    with serving({}) as address:
        pass
    with pytest.raises(
        ArtifactError, match=r"f\.bin: http\S+: can't be reached \(.*refused"
    ):
        download((f"{address}/f",), tmp_path / "f.bin")


def test_a_length_that_nobody_states_is_taken(tmp_path):
    served = Served(CONTENT, length=False)
    assert fetched(tmp_path, {"/f": served}, "/f") == CONTENT


def test_what_is_whole_already_is_not_fetched_again(tmp_path):
    """A kill between the last byte and the file's name costs nothing."""
    (tmp_path / ".f.bin.part").write_bytes(CONTENT)
    (tmp_path / ".f.bin.part.version").write_text('"one"')
    served = Served(CONTENT)
    assert fetched(tmp_path, {"/f": served}, "/f") == CONTENT
    assert begin(served.asked[0]) == len(CONTENT)
    assert len(served.asked) == 1


def test_what_arrived_survives_a_kill_while_it_is_checked(tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with serving({"/f": Served(CONTENT)}) as address:
        with monkeypatch.context() as patch:
            patch.setattr(module.pooch.core, "hash_matches", killed)
            with pytest.raises(KeyboardInterrupt):
                download((f"{address}/f",), tmp_path / "f.bin", SHA)
        assert (tmp_path / ".f.bin.part").read_bytes() == CONTENT
        assert not (tmp_path / "f.bin").exists()


def test_parts_of_two_versions_are_never_joined(tmp_path):
    """Of a server that gives a part of whatever it has now."""
    (tmp_path / ".f.bin.part").write_bytes(bytes(1_000_000))
    (tmp_path / ".f.bin.part.version").write_text('"zero"')
    served = Served(CONTENT, heeds=False)
    assert fetched(tmp_path, {"/f": served}, "/f", digest="") == CONTENT


def test_two_commands_bring_a_file_once(tmp_path):
    served = Served(CONTENT, cut_after=[1_000_000])
    with serving({"/f": served}) as address, ThreadPoolExecutor() as pool:
        call = partial(download, (f"{address}/f",), tmp_path / "f.bin", SHA)
        for each in [pool.submit(call) for _ in range(2)]:
            each.result(timeout=3600)
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert [each.name for each in tmp_path.iterdir()] == ["f.bin"]
    assert len(served.asked) == 2  # the one that was cut, and the rest


def test_two_commands_that_know_no_digest_each_bring_a_file(tmp_path):
    served = Served(CONTENT)
    with serving({"/f": served}) as address, ThreadPoolExecutor() as pool:
        call = partial(download, (f"{address}/f",), tmp_path / "f.bin")
        for each in [pool.submit(call) for _ in range(4)]:
            each.result(timeout=3600)
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert [each.name for each in tmp_path.iterdir()] == ["f.bin"]
