"""What a disk may hold after a power cut, from a record of what was asked of it.

A disk keeps what was synced: the data of a file up to its fsync, the names in a folder
up to the folder's. Of the rest it keeps what it likes: any blocks of the data, in any
order, and the first few changes of a folder's names. So a file may be renamed before
its data arrive.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 512
CALLS = "open close pwrite ftruncate fsync replace unlink mkdir rmdir".split()


@dataclass
class Change:
    """One step: of a file's data (`file`), or of a folder's names (`folder`)."""

    what: str
    file: int | None = None
    folder: str | None = None
    name: str = ""
    target: str = ""
    at: int = 0
    data: bytes = b""


@dataclass
class Record:
    """Records what this process asks of the disk below a folder; a context manager."""

    root: Path
    changes: list[Change] = field(default_factory=list)

    def __enter__(self):
        self._files = {}
        self._handles = {}
        self.before = {}
        for path in sorted(self.root.rglob("*")):
            if path.is_file():
                self.before[str(path)] = path.read_bytes()
                self._files[str(path)] = len(self._files)
        self.first = dict(self._files)
        self._count = len(self._files)
        self._real = {name: getattr(os, name) for name in CALLS}
        self._text = Path.write_text
        for name in CALLS:
            setattr(os, name, getattr(self, f"on_{name}"))
        Path.write_text = _write_text
        return self

    def __exit__(self, *_):
        for name, function in self._real.items():
            setattr(os, name, function)
        Path.write_text = self._text

    def _ours(self, path):
        path = Path(os.fsdecode(path)).absolute()
        return str(path) if path.is_relative_to(self.root) else None

    def _add(self, what, **facts):
        self.changes.append(Change(what, **facts))

    def _named(self, what, path, **facts):
        self._add(what, folder=str(Path(path).parent), name=path, **facts)

    def on_open(self, path, flags, *more, **options):
        handle = self._real["open"](path, flags, *more, **options)
        if ours := self._ours(path):
            if Path(ours).is_dir():
                self._handles[handle] = None, ours
                return handle
            if ours not in self._files:
                self._files[ours] = self._count
                self._count += 1
                self._named("create", ours, file=self._files[ours])
            self._handles[handle] = self._files[ours], ours
            if flags & os.O_TRUNC:
                self._add("truncate", file=self._files[ours])
        return handle

    def on_close(self, handle):
        self._handles.pop(handle, None)
        return self._real["close"](handle)

    def on_pwrite(self, handle, data, at):
        count = self._real["pwrite"](handle, data, at)
        if handle in self._handles:
            file = self._handles[handle][0]
            self._add("write", file=file, at=at, data=bytes(data)[:count])
        return count

    def on_ftruncate(self, handle, size):
        self._real["ftruncate"](handle, size)
        if handle in self._handles:
            self._add("truncate", file=self._handles[handle][0], at=size)

    def on_fsync(self, handle):
        self._real["fsync"](handle)
        file, path = self._handles.get(handle, (None, ""))
        if file is not None:
            self._add("sync", file=file)
        elif path:
            self._add("sync", folder=path)

    def on_replace(self, source, target, **options):
        self._real["replace"](source, target, **options)
        if (one := self._ours(source)) and (other := self._ours(target)):
            self._files[other] = self._files.pop(one)
            self._named("rename", one, target=other)

    def on_unlink(self, path, *more, **options):
        self._real["unlink"](path, *more, **options)
        if ours := self._ours(path):
            self._files.pop(ours, None)
            self._named("unlink", ours)

    def on_mkdir(self, path, *more, **options):
        self._real["mkdir"](path, *more, **options)
        if ours := self._ours(path):
            self._named("mkdir", ours)

    def on_rmdir(self, path, *more, **options):
        self._real["rmdir"](path, *more, **options)
        if ours := self._ours(path):
            self._named("rmdir", ours)

    def after_a_cut(self, moment, rng):
        """Files that a disk may hold when the power goes after so many changes."""
        done = self.changes[:moment]
        names = {path: self.first[path] for path in self.before}
        data = {self.first[path]: bytearray(raw) for path, raw in self.before.items()}
        for change in _kept_names(done, rng):
            _rename(names, change)
        for number, change in enumerate(done):
            if change.file is not None and change.what in {"write", "truncate"}:
                synced = any(
                    each.what == "sync" and each.file == change.file
                    for each in done[number:]
                )
                _change(data.setdefault(change.file, bytearray()), change, synced, rng)
        return {path: bytes(data.get(file, b"")) for path, file in names.items()}


def _write_text(path, text, encoding=None, **_):
    """As `Path.write_text`, through calls that are recorded."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    raw = text.encode(encoding or "utf-8")
    for at in range(0, len(raw), 100):
        os.pwrite(handle, raw[at : at + 100], at)
    os.close(handle)
    return len(text)


def _kept_names(done, rng):
    """The changes of names that the disk kept: of each folder the first few."""
    kept = []
    for folder in {each.folder for each in done if each.folder is not None}:
        own = [
            (number, each) for number, each in enumerate(done) if each.folder == folder
        ]
        syncs = [place for place, (_, each) in enumerate(own) if each.what == "sync"]
        synced = max(syncs, default=0)
        kept += own[: rng.randint(synced, len(own))]
    return [each for _, each in sorted(kept, key=lambda pair: pair[0])]


def _rename(names, change):
    match change.what:
        case "create":
            names[change.name] = change.file
        case "rename":
            if change.name in names:
                names[change.target] = names.pop(change.name)
        case "unlink":
            names.pop(change.name, None)
        case "rmdir":
            for path in [each for each in names if each.startswith(f"{change.name}/")]:
                names.pop(path)


def _change(data, change, synced, rng):
    """Apply a change of data, or of its blocks those that the disk kept."""
    if change.what == "truncate":
        if synced or rng.random() < 0.5:
            del data[change.at :]
            data.extend(bytes(change.at - len(data)))
        return
    for start in range(0, len(change.data), BLOCK):
        if synced or rng.random() < 0.5:
            block = change.data[start : start + BLOCK]
            at = change.at + start
            data.extend(bytes(max(0, at + len(block) - len(data))))
            data[at : at + len(block)] = block
