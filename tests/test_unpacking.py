"""Packed files: what is taken out of them, and what is left alone."""

import gzip
import io
import stat
import struct
import tempfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO

import pytest

from service.domain.imports import Fault, Unusable
from service.formats.imports.unpacking import Gunzip, unpacked
from tests.hostile_server import MEBIBYTE, bomb

TABLE = b"date,killed\n2022-08-03,1\n" * 40
ENOUGH = 50 * MEBIBYTE
SOME_MEMORY = 8 * MEBIBYTE


def content(packed: bytes, max_bytes: int = ENOUGH, max_ratio: int = 100) -> bytes:
    with unpacked(io.BytesIO(packed), max_bytes, max_ratio) as file:
        return file.read()


def fault(packed: bytes, max_bytes: int = ENOUGH, max_ratio: int = 100) -> Fault:
    with pytest.raises(Unusable) as caught:
        content(packed, max_bytes, max_ratio)
    return caught.value.fault


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files, by their names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, body in files:
            archive.writestr(name, body)
    return packed.getvalue()


def zipped_as(info: zipfile.ZipInfo, body: bytes = TABLE) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(info, body)
    return packed.getvalue()


def altered(packed: bytes, local: int, central: int, form: str, value: int) -> bytes:
    """A zip with another value in a field of both its headers; either is left out below 0."""
    changed = bytearray(packed)
    for start, at in ((packed.find(b"PK\x03\x04"), local), (packed.rfind(b"PK\x01\x02"), central)):
        if at >= 0:
            struct.pack_into(form, changed, start + at, value)
    return bytes(changed)


@pytest.mark.parametrize("body", [TABLE, b"", b"P", b"PK", b"PK\x07\x08", b"\x1f", b"<rss/>"])
def test_what_is_not_packed_stays_as_it_is(body: bytes) -> None:
    file = io.BytesIO(body)
    file.seek(len(body))
    assert unpacked(file, 1) is file
    assert file.read() == body


@pytest.mark.parametrize("level", [0, 1, 9])
def test_gzip_is_unpacked(level: int) -> None:
    assert content(gzip.compress(TABLE, level)) == TABLE


def test_what_was_unpacked_can_be_read_twice() -> None:
    with unpacked(io.BytesIO(gzip.compress(bytes(2 * MEBIBYTE) + TABLE)), ENOUGH, 2000) as file:
        assert file.read()[-len(TABLE) :] == TABLE
        assert file.seek(0) == 0
        assert file.read(1) == b"\x00"


def test_gzip_of_several_members_is_one_file() -> None:
    members = gzip.compress(TABLE) + gzip.compress(b"") + gzip.compress(b"more\n")
    assert content(members) == TABLE + b"more\n"
    assert content(members + bytes(100_000)) == TABLE + b"more\n"


@pytest.mark.parametrize("each", [1, 7, 65536])
def test_gzip_may_come_in_pieces(each: int) -> None:
    packed = gzip.compress(TABLE) + gzip.compress(bytes(200_000)) + bytes(10)
    gunzip = Gunzip(ENOUGH, 1000)
    pieces = [packed[at : at + each] for at in range(0, len(packed), each)]
    assert b"".join(part for piece in pieces for part in gunzip.feed(piece)) == TABLE + bytes(
        200_000
    )
    gunzip.end()


@pytest.mark.parametrize("missing", [1, 4, 8, 9, 20, 40])
def test_truncated_gzip_is_not_half_a_file(missing: int) -> None:
    assert fault(gzip.compress(TABLE)[:-missing]) == Fault.TRUNCATED
    assert fault(gzip.compress(TABLE) + gzip.compress(TABLE)[:-missing]) == Fault.TRUNCATED


@pytest.mark.parametrize("at", [2, 20, -1, -5])
def test_damaged_gzip_is_refused(at: int) -> None:
    packed = bytearray(gzip.compress(TABLE))
    packed[at] ^= 0xFF
    assert fault(bytes(packed)) == Fault.BAD_ARCHIVE
    assert fault(gzip.compress(TABLE) + b"what is this") == Fault.BAD_ARCHIVE


def test_a_gzip_bomb_is_left_at_the_ratio() -> None:
    assert fault(bomb()) == Fault.TOO_LARGE


def test_a_gzip_bomb_is_left_at_the_size_and_fits_in_little_memory() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bomb())
        assert most_memory(file, max_ratio=10_000) < SOME_MEMORY


def test_a_zip_bomb_is_left_at_the_size_and_fits_in_little_memory() -> None:
    with tempfile.TemporaryFile() as file:
        packed = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        with packed as archive, archive.open("a.csv", "w") as member:
            for _ in range(64):
                member.write(bytes(MEBIBYTE))
        assert most_memory(file, max_ratio=10_000) < SOME_MEMORY


def most_memory(file: BinaryIO, max_ratio: int) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(Unusable) as caught:
            unpacked(file, ENOUGH, max_ratio)
        assert caught.value.fault == Fault.TOO_LARGE
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    # Named, since what is packed holds the moment it was, and workers must agree on names.
    "packed",
    [gzip.compress(TABLE), zipped(("a.csv", TABLE))],
    ids=["gzip", "zip"],
)
def test_the_bound_itself_is_allowed(packed: bytes) -> None:
    assert content(packed, len(TABLE)) == TABLE
    assert fault(packed, len(TABLE) - 1) == Fault.TOO_LARGE


@pytest.mark.parametrize("pack", [gzip.compress, lambda body: zipped(("a.csv", body))])
def test_a_ratio_counts_beyond_a_mebibyte(pack: Callable[[bytes], bytes]) -> None:
    assert content(pack(bytes(MEBIBYTE))) == bytes(MEBIBYTE)
    assert fault(pack(bytes(MEBIBYTE + 1))) == Fault.TOO_LARGE
    assert content(pack(bytes(MEBIBYTE + 1)), max_ratio=2000) == bytes(MEBIBYTE + 1)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("body", [TABLE, b"", bytes(range(256)) * 1000])
def test_a_zip_of_one_file_is_unpacked(method: int, body: bytes) -> None:
    assert content(zipped(("şuşa.csv", body), method=method)) == body


def test_a_zip_that_was_written_to_a_pipe_is_unpacked() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    packed = Pipe()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", TABLE)
        archive.comment = b"written as it went"
    assert content(packed.getvalue()) == TABLE


def test_what_the_finder_adds_is_not_counted() -> None:
    packed = zipped(("a.csv", TABLE), ("__MACOSX/._a.csv", b"\x00\x05\x16\x07"))
    assert content(packed) == TABLE


@pytest.mark.parametrize(
    "name",
    [
        "../a.csv",
        "..",
        ".",
        "/etc/passwd",
        "a/b.csv",
        "a/",
        "..\\a.csv",
        "C:a.csv",
        "__MACOSX/a.csv",
    ],
)
def test_a_file_in_a_zip_must_lie_in_no_folder(name: str) -> None:
    info = zipfile.ZipInfo("a.csv")
    info.filename = name
    assert fault(zipped_as(info)) == Fault.BAD_ARCHIVE


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_a_zip_must_hold_a_plain_file(kind: int) -> None:
    info = zipfile.ZipInfo("a.csv")
    info.external_attr = (kind | 0o644) << 16
    assert fault(zipped_as(info, b"/etc/passwd")) == Fault.BAD_ARCHIVE
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    assert content(zipped_as(info)) == TABLE


@pytest.mark.parametrize("files", [0, 2, 16, 17, 1000])
def test_a_zip_must_hold_one_file(files: int) -> None:
    assert fault(zipped(*((f"{n}.csv", b"") for n in range(files)))) == Fault.BAD_ARCHIVE


def test_a_zip_with_a_folder_beside_its_file_is_refused() -> None:
    assert fault(zipped(("a/", b""), ("a.csv", TABLE))) == Fault.BAD_ARCHIVE


class Counted(io.BytesIO):
    """A file that knows how much was read of it."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.total += len(data)
        return data


@pytest.mark.parametrize("told", [10**6, 1])
def test_a_million_files_are_refused_unread(told: int) -> None:
    """Whether the end record tells of them, or says that there is one; with and without zip64."""
    one = zipped(("a", b""))
    entry = one[one.find(b"PK\x01\x02") : one.find(b"PK\x05\x06")]
    local = one[: one.find(b"PK\x01\x02")]
    length = len(entry) * 10**6
    before = local + entry * 10**6
    end_64 = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, told, told, length, len(local)
    ) + struct.pack("<4sIQI", b"PK\x06\x07", 0, len(before), 1)
    count = min(told, 0xFFFF)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, length, len(local), 0)
    for packed in (before + end_64 + end, before + end):
        file = Counted(packed)
        with pytest.raises(Unusable) as caught:
            unpacked(file, ENOUGH)
        assert caught.value.fault == Fault.BAD_ARCHIVE
        assert file.total < MEBIBYTE


@pytest.mark.parametrize("flag", [0x0001, 0x0020, 0x0040, 0x2000])
def test_an_encrypted_zip_is_refused(flag: int) -> None:
    assert fault(altered(zipped(("a.csv", TABLE)), 6, 8, "<H", flag)) == Fault.BAD_ARCHIVE


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_another_way_is_refused(method: int) -> None:
    assert fault(zipped(("a.csv", TABLE), method=method)) == Fault.BAD_ARCHIVE


def test_a_bomb_is_left_whatever_its_headers_say() -> None:
    packed = zipped(("a.csv", bytes(64 * MEBIBYTE)))
    for size in (0, 10, 0xFFFFFFFF):
        lying = altered(packed, 22, 24, "<I", size)
        assert fault(lying) == Fault.TOO_LARGE
        assert fault(lying, max_ratio=10_000) == Fault.TOO_LARGE


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_size_that_is_not_so_is_refused(method: int) -> None:
    """Also where the checksum is made to fit what the size would cut it to."""
    packed = zipped(("a.csv", TABLE), method=method)
    for size in (0, 10, len(TABLE) - 1, len(TABLE) + 1):
        lying = altered(packed, 22, 24, "<I", size)
        assert fault(lying) == Fault.BAD_ARCHIVE
        assert fault(altered(lying, 14, 16, "<I", zlib.crc32(TABLE[:size]))) == Fault.BAD_ARCHIVE


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_checksum_that_does_not_fit_is_refused(method: int) -> None:
    packed = zipped(("a.csv", TABLE), method=method)
    assert fault(altered(packed, 14, 16, "<I", 0)) == Fault.BAD_ARCHIVE


def test_a_content_that_was_altered_is_refused() -> None:
    packed = zipped(("a.csv", TABLE), method=zipfile.ZIP_STORED)
    assert fault(packed.replace(b"killed", b"Killed", 1)) == Fault.BAD_ARCHIVE


def test_a_packed_size_that_is_not_so_is_refused() -> None:
    packed = zipped(("a.csv", TABLE))
    for size in (0, 5, 10_000, 0xFFFFFFFF):
        assert fault(altered(packed, 18, 20, "<I", size)) == Fault.BAD_ARCHIVE


def test_nothing_may_hide_behind_what_is_packed() -> None:
    packed = zipped(("a.csv", TABLE))
    directory, end = packed.find(b"PK\x01\x02"), packed.find(b"PK\x05\x06")
    size = struct.unpack_from("<I", packed, directory + 20)[0]
    hiding = bytearray(packed[:directory] + b"hidden" + packed[directory:])
    struct.pack_into("<I", hiding, directory + 6 + 20, size + 6)
    struct.pack_into("<I", hiding, end + 6 + 16, directory + 6)
    assert fault(bytes(hiding)) == Fault.BAD_ARCHIVE
    struct.pack_into("<I", hiding, directory + 6 + 20, size)
    assert content(bytes(hiding)) == TABLE


def test_nothing_may_lie_between_its_directory_and_its_end() -> None:
    packed = zipped(("a.csv", TABLE))
    end = packed.find(b"PK\x05\x06")
    assert fault(packed[:end] + b"hidden" + packed[end:]) == Fault.BAD_ARCHIVE
    assert fault(packed + b"hidden") == Fault.BAD_ARCHIVE


def test_a_part_of_an_archive_is_refused() -> None:
    packed = bytearray(zipped(("a.csv", TABLE)))
    struct.pack_into("<H", packed, packed.find(b"PK\x05\x06") + 4, 1)
    assert fault(bytes(packed)) == Fault.BAD_ARCHIVE


def test_headers_must_agree_on_the_name() -> None:
    packed = zipped(("a.csv", TABLE))
    assert fault(packed.replace(b"a.csv", b"b.csv", 1)) == Fault.BAD_ARCHIVE


def test_a_zip_without_its_end_is_truncated() -> None:
    packed = zipped(("a.csv", TABLE))
    for cut in (1, 10, 22, 60, len(packed) - 4):
        assert fault(packed[:-cut]) == Fault.TRUNCATED


@pytest.mark.parametrize("seed", range(8))
def test_no_damage_ends_in_anything_else_than_a_refusal(seed: int) -> None:
    """Every byte of a small zip and a small gzip in turn, set to something else."""
    for packed in (zipped(("a.csv", TABLE)), gzip.compress(TABLE, mtime=0)):
        for at in range(4, len(packed)):
            damaged = bytearray(packed)
            damaged[at] ^= 1 << seed
            try:
                assert content(bytes(damaged)) == TABLE
            except Unusable:
                continue
