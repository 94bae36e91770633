"""Files as sources pack them: gzip, and a zip of one file, never unpacked further than agreed.

Gzip is RFC 1952, a zip the parts of APPNOTE.TXT 6.3 that one small archive needs: one disk, no
zip64, stored or deflated, nothing encrypted. Sizes that an archive declares are compared with what
comes, and never believed.
"""

import os
import re
import stat
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO, Final, cast

from service.domain.imports import Fault, Unusable

_CHUNK: Final = 64 * 1024
_IN_MEMORY: Final = 1024 * 1024
_RATIO_FROM: Final = 1024 * 1024
"""Up to so many bytes any ratio is harmless, and common: an empty table, a file of zeros."""

_GZIP: Final = b"\x1f\x8b"
_LOCAL: Final = b"PK\x03\x04"
_CENTRAL: Final = b"PK\x01\x02"
_END: Final = b"PK\x05\x06"
# After their four letters; APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16.
_LOCAL_FIELDS: Final = Struct("<5H3I2H")
_CENTRAL_FIELDS: Final = Struct("<6H3I5H2I")
_END_FIELDS: Final = Struct("<4H2IH")
_END_SIZE: Final = 4 + _END_FIELDS.size
_LONGEST_COMMENT: Final = 0xFFFF
_MOST_ENTRIES: Final = 16
_LARGEST_DIRECTORY: Final = 64 * 1024
_STORED: Final = 0
_DEFLATED: Final = 8
# Encrypted, a patch, strongly encrypted, names masked: APPNOTE.TXT 4.4.4.
_STRANGE_FLAGS: Final = 0x0001 | 0x0020 | 0x0040 | 0x2000
_NOT_A_PLAIN_NAME: Final = re.compile(rb"[/\\:\x00]|\A\.{0,2}\Z")
# What the Finder adds beside every file.
_FINDERS_OWN: Final = b"__MACOSX/"


def unpacked(file: BinaryIO, max_bytes: int, max_ratio: int = 100) -> BinaryIO:
    """What is in a gzip or a zip of one file, told by how it begins; any other file as it is.

    At its start either way. What was unpacked is a temporary file of its own, for the caller to
    close, of at most `max_bytes`, and at most `max_ratio` times its packed size once it is beyond
    1 MiB. Raises `Unusable`: `truncated` where the file ends too early, `too_large` beyond a bound,
    `bad_archive` where it is damaged, or a zip of anything else than one plain file.
    """
    file.seek(0)
    opening = file.read(4)
    file.seek(0)
    if opening.startswith(_GZIP):
        return _spooled(_gunzipped(file, max_bytes, max_ratio))
    if opening in (_LOCAL, _END):
        return _spooled(_unzipped(file, max_bytes, max_ratio))
    return file


class Meter:
    """Adds up what was read and what was made of it. Raises `Unusable` beyond a bound."""

    def __init__(self, max_bytes: int, max_ratio: int) -> None:
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self.read = 0
        self.made = 0

    def add(self, read: int = 0, made: int = 0) -> None:
        self.read += read
        self.made += made
        if self.made > self._max_bytes:
            raise Unusable(Fault.TOO_LARGE, "there is more in it than is taken")
        if self.made > max(_RATIO_FROM, self._max_ratio * self.read):
            raise Unusable(Fault.TOO_LARGE, "it is packed more densely than is taken")


class Gunzip:
    """Unpacks gzip as it comes, of one member or several, 64 KiB at a time."""

    def __init__(self, max_bytes: int, max_ratio: int) -> None:
        self._meter = Meter(max_bytes, max_ratio)
        self._any = False
        self._member: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What comes out for these bytes, to be read to its end. Raises `Unusable`."""
        self._meter.add(read=len(data))
        while data := self._next(data):
            self._member = self._member or zlib.decompressobj(16 + zlib.MAX_WBITS)
            self._any = True
            made = _decompressed(self._member, data)
            self._meter.add(made=len(made))
            if made:
                yield made
            if self._member.eof:
                data = self._member.unused_data
                self._member = None
            else:
                # Where that is empty, something may still be to come: the trailer brings it out.
                data = self._member.unconsumed_tail

    def end(self) -> None:
        """To be called when nothing more comes. Raises `Unusable`: `truncated`."""
        if self._member is not None or not self._any:
            raise Unusable(Fault.TRUNCATED, "the compressed data ends too early")

    def _next(self, data: bytes) -> bytes:
        # Zeros after a member fill up a block, as gzip(1) takes them.
        return data.lstrip(b"\x00") if self._any and self._member is None else data


@dataclass(frozen=True, slots=True)
class _Packed:
    """A file in a zip, as the central directory has it."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    mode: int
    offset: int


def _gunzipped(file: BinaryIO, max_bytes: int, max_ratio: int) -> Iterator[bytes]:
    gunzip = Gunzip(max_bytes, max_ratio)
    while data := file.read(_CHUNK):
        yield from gunzip.feed(data)
    gunzip.end()


def _unzipped(file: BinaryIO, max_bytes: int, max_ratio: int) -> Iterator[bytes]:
    packed, end = _only_file(file)
    left = _seek_data(file, packed, end)
    meter = Meter(max_bytes, max_ratio)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if packed.method == _DEFLATED else None
    crc = 0
    while left:
        data = file.read(min(left, _CHUNK))
        if not data:
            raise Unusable(Fault.TRUNCATED, "the archive ends too early")
        left -= len(data)
        meter.add(read=len(data))
        for made in _inflated(inflater, data) if inflater else (data,):
            meter.add(made=len(made))
            crc = zlib.crc32(made, crc)
            yield made
        if inflater and inflater.unused_data:
            raise _bad("the file in the archive is damaged")
    if meter.made != packed.size or crc != packed.crc:
        raise _bad("the file in the archive is damaged")


def _inflated(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while True:
        made = _decompressed(inflater, data)
        if made:
            yield made
        data = inflater.unconsumed_tail
        # All input may be read while there is still something to come of it.
        if inflater.eof or (not data and len(made) < _CHUNK):
            return


def _decompressed(decompressor: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return decompressor.decompress(data, _CHUNK)
    except zlib.error:
        raise _bad("the compressed data is damaged") from None


def _only_file(file: BinaryIO) -> tuple[_Packed, int]:
    """The one plain file of a zip, and where in the archive files end."""
    directory, start = _directory(file)
    files = [each for each in _entries(directory) if not each.name.startswith(_FINDERS_OWN)]
    if len(files) != 1:
        raise _bad("the archive must hold exactly one file")
    only = files[0]
    if _NOT_A_PLAIN_NAME.search(only.name):
        raise _bad("the file in the archive must lie in no folder")
    if stat.S_IFMT(only.mode) not in (0, stat.S_IFREG):
        raise _bad("the archive must hold a file, and no link to one")
    if only.flags & _STRANGE_FLAGS or only.method not in (_STORED, _DEFLATED):
        raise _bad("the archive must not be encrypted, and stored or deflated")
    return only, start


def _directory(file: BinaryIO) -> tuple[bytes, int]:
    """The central directory and where it begins, found from the end; small, or not read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
    tail = file.read()
    found = tail.rfind(_END)
    if found < 0 or len(tail) - found < _END_SIZE:
        raise Unusable(Fault.TRUNCATED, "the archive ends too early")
    disk, first_disk, _, entries, length, start, comment = _END_FIELDS.unpack_from(
        tail, found + len(_END)
    )
    end = size - len(tail) + found
    if disk or first_disk:
        raise _bad("the archive is a part of one")
    if entries > _MOST_ENTRIES or length > _LARGEST_DIRECTORY:
        raise _bad("the archive must hold exactly one file")
    # A zip64 archive has more between its directory and its end.
    if start + length != end or found + _END_SIZE + comment != len(tail):
        raise _bad("the archive is damaged")
    file.seek(start)
    return file.read(length), start


def _entries(directory: bytes) -> Iterator[_Packed]:
    at = 0
    while at < len(directory):
        fields = at + len(_CENTRAL)
        names = fields + _CENTRAL_FIELDS.size
        if directory[at:fields] != _CENTRAL or names > len(directory):
            raise _bad("the archive is damaged")
        values = _CENTRAL_FIELDS.unpack_from(directory, fields)
        _, _, flags, method, _, _, crc, packed_size, size = values[:9]
        name, extra, comment, _, _, attributes, offset = values[9:]
        at = names + name + extra + comment
        if at > len(directory):
            raise _bad("the archive is damaged")
        named = directory[names : names + name]
        yield _Packed(
            named, flags, method, crc, packed_size, size, mode=attributes >> 16, offset=offset
        )


def _seek_data(file: BinaryIO, packed: _Packed, end: int) -> int:
    """Move to what is packed; its size, all of it before `end`."""
    file.seek(packed.offset)
    header = file.read(len(_LOCAL) + _LOCAL_FIELDS.size)
    if len(header) < len(_LOCAL) + _LOCAL_FIELDS.size or not header.startswith(_LOCAL):
        raise _bad("the archive is damaged")
    *_, name, extra = _LOCAL_FIELDS.unpack_from(header, len(_LOCAL))
    named = file.read(name)
    start = file.seek(extra, os.SEEK_CUR)
    if named != packed.name or start + packed.packed_size > end:
        raise _bad("the archive is damaged")
    return packed.packed_size


def _spooled(pieces: Iterator[bytes]) -> BinaryIO:
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
    try:
        for piece in pieces:
            file.write(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return cast(BinaryIO, file)


def _bad(detail: str) -> Unusable:
    return Unusable(Fault.BAD_ARCHIVE, detail)
