"""The files of a package, in a folder or a zip; nothing is believed before it is checked."""

import hashlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Protocol

from service.domain.imports import Unusable
from service.errors import Invalid
from service.formats.imports.unpacking import Meter
from service.formats.packages import CHECKSUMS, DESCRIPTOR, File, checksums, read_checksums

_PIECE: Final = 1024 * 1024
_LONGEST_LINE: Final = 64 * 1024 * 1024
_LARGEST_TEXT: Final = 1024 * 1024
_MOST_BYTES: Final = 1 << 44
_MOST_RATIO: Final = 100
_MOST_FILES: Final = 100
# The first that a zip can name: when it was packed says nothing about what is in it.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_OWNER_ONLY: Final = 0o100600 << 16
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError)


class Files(Protocol):
    """The files of a package by their paths in it."""

    def names(self) -> set[str]: ...

    def open(self, name: str) -> IO[bytes]: ...


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> set[str]:
        return {
            each.relative_to(self._path).as_posix()
            for each in self._path.rglob("*")
            if each.is_symlink() or not each.is_dir()
        }

    def open(self, name: str) -> IO[bytes]:
        file = self._path / name
        if file.is_symlink() or not file.is_file():
            raise Invalid("is not a file", name)
        return file.open("rb")


class _Zip:
    def __init__(self, packed: zipfile.ZipFile, size: int) -> None:
        entries = packed.infolist()
        names = [each.filename for each in entries]
        if len(names) > _MOST_FILES or len({*names}) != len(names):
            raise Invalid("holds too many files, or one twice", "the zip")
        # No more can come out than is declared; where files overlap, more is declared than is in.
        try:
            Meter(_MOST_BYTES, _MOST_RATIO).add(size, sum(each.file_size for each in entries))
        except Unusable as error:
            raise Invalid(str(error), "the zip") from None
        self._packed = packed

    def names(self) -> set[str]:
        return {*self._packed.namelist()}

    def open(self, name: str) -> IO[bytes]:
        try:
            return self._packed.open(name)
        except (KeyError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
            raise Invalid("cannot be read", name) from None


def is_package(path: Path) -> bool:
    """Whether something is a folder or a zip that describes itself as a package does."""
    if path.is_dir():
        return (path / DESCRIPTOR).is_file()
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as packed:
            return DESCRIPTOR in packed.namelist()
    except zipfile.BadZipFile:
        return False


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    """The files of a package. Raises `Invalid` for a zip that is not as those we write."""
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        with zipfile.ZipFile(path) as packed:
            yield _Zip(packed, path.stat().st_size)
    except zipfile.BadZipFile:
        raise Invalid("is damaged", "the zip") from None


def check(files: Files) -> None:
    """Raises `Invalid`, naming the file, unless all are there as they were written and no other."""
    told = read_checksums(text_of(files, CHECKSUMS))
    if DESCRIPTOR not in told:
        raise Invalid(f"says nothing of {DESCRIPTOR}", CHECKSUMS)
    there = files.names() - {CHECKSUMS}
    for name in sorted(told.keys() - there):
        raise Invalid("is missing", name)
    if there - told.keys():
        # A name that nobody vouches for is not repeated.
        raise Invalid("does not say what every file must be", CHECKSUMS)
    for name, sha256 in told.items():
        with files.open(name) as file:
            if _digest(file, name)[0] != sha256:
                raise Invalid("is not as it was written: its checksum differs", name)


def text_of(files: Files, name: str) -> bytes:
    """A small file, whole. Raises `Invalid` for a large one."""
    with files.open(name) as file:
        try:
            content = file.read(_LARGEST_TEXT + 1)
        except _DAMAGED:
            raise Invalid("is damaged", name) from None
    if len(content) > _LARGEST_TEXT:
        raise Invalid("is larger than it can be", name)
    return content


def lines_of(files: Files, name: str) -> Iterator[tuple[str, bytes]]:
    """The lines of a file, each with where it stands. Raises `Invalid` for an endless one."""
    with files.open(name) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            where = f"{name} line {number}"
            if not line.endswith(b"\n"):
                raise Invalid("has no end", where)
            yield where, line


def described(folder: Path, path: str) -> File:
    """A file as it was written below a folder."""
    with (folder / path).open("rb") as file:
        sha256, size = _digest(file, path)
    return File(path, size, sha256)


def seal(folder: Path, files: Sequence[File]) -> None:
    """Write the checksums of a package's files beside them."""
    (folder / CHECKSUMS).write_bytes(checksums(files))


@contextmanager
def made(target: Path) -> Iterator[Path]:
    """A folder to write a package into, which is at `target` as soon as all is written, as a zip
    where it is called so; where anything fails, nothing is. Raises `Invalid` for a target in use.
    """
    if target.exists() or target.is_symlink():
        raise Invalid("is there already", str(target))
    if not target.parent.is_dir():
        raise Invalid("is to be written into a folder that is not there", str(target))
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as home:
        folder = Path(home) / "package"
        folder.mkdir(mode=0o700)
        yield folder
        whole = folder
        if target.suffix == ".zip":
            whole = Path(home) / "package.zip"
            _pack(folder, whole)
        whole.rename(target)


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "x") as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _NO_TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _OWNER_ONLY
            with file.open("rb") as source, packed.open(entry, "w", force_zip64=True) as into:
                shutil.copyfileobj(source, into, _PIECE)


def _digest(file: IO[bytes], name: str) -> tuple[str, int]:
    hashed, size = hashlib.sha256(), 0
    try:
        while piece := file.read(_PIECE):
            hashed.update(piece)
            size += len(piece)
    except _DAMAGED:
        raise Invalid("is damaged", name) from None
    return hashed.hexdigest(), size
