"""Real images, as phones and other people make them."""

import hashlib
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from service.domain.access import Role
from tests.harness import Service

GPS = {
    ExifTags.GPS.GPSLatitudeRef: "N",
    ExifTags.GPS.GPSLatitude: (39.0, 45.0, 12.5),
    ExifTags.GPS.GPSLongitudeRef: "E",
    ExifTags.GPS.GPSLongitude: (46.0, 45.0, 3.25),
}


def pixels(width: int = 120, height: int = 80, mode: str = "RGB") -> Image.Image:
    """Red on its left half, blue on its right."""
    image = Image.new(mode, (width, height), "blue")
    image.paste(Image.new(mode, (width // 2, height), "red"), (0, 0))
    return image


def jpeg(
    word: str = "zq", *, orientation: int = 1, size: tuple[int, int] = (120, 80), **more: Any
) -> bytes:
    """With a position, words, an XMP packet, a comment and a colour profile that say `word`."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = word
    exif[ExifTags.Base.ImageDescription] = word
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({**GPS, ExifTags.GPS.GPSAreaInformation: word})
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2022:09:30 11:22:33"
    given = {
        "exif": exif,
        "comment": word,
        "xmp": word.encode(),
        "icc_profile": word.encode(),
    }
    return _written(pixels(*size), "JPEG", **{**given, **more})


def png(word: str = "zq", mode: str = "RGB") -> bytes:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", word)
    told.add_itxt("XML:com.adobe.xmp", word, zip=True)
    return _written(pixels(mode=mode), "PNG", pnginfo=told)


def webp(word: str = "zq") -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = word
    return _written(pixels(), "WEBP", exif=exif, xmp=word.encode(), icc_profile=word.encode())


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG that says it has so many pixels, in a few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        told = name + content
        return struct.pack(">I", len(content)) + told + struct.pack(">I", zlib.crc32(told))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    row = zlib.compress(bytes(width // 8 + 1) * 100)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _written(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def post(
    service: Service,
    report_id: str,
    content: bytes,
    role: Role = Role.IMPORTER,
    media: str = "image/jpeg",
    **more: Any,
) -> Any:
    """Send a photo; the answer, whatever it is."""
    return service.client.post(
        f"/v1/reports/{report_id}/photos",
        params={"sha256": sha256(content), **more.pop("params", {})},
        content=content,
        headers=service.headers(role, **{"Content-Type": media}, **more),
    )


def sent(service: Service, report_id: str, content: bytes, role: Role = Role.IMPORTER) -> Any:
    """The receipt of a photo that must be taken."""
    answer = post(service, report_id, content, role)
    assert answer.status_code == 201, answer.text
    return answer.json()
