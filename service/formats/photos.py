"""Photos: reading what was sent as an image, and making a copy that holds pixels and nothing else.

Where somebody stood, with whose camera and when stands in a photo's metadata, and more of it may
hide between the parts of a file. So nothing is taken out of the original: the copy is made anew.
"""

import hashlib
import logging
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import ExifTags, Image, UnidentifiedImageError

from service.domain.access import Visibility
from service.domain.photos import LONGEST_SIDE
from service.domain.theatre import Theatre
from service.errors import Invalid
from service.formats.disclosure import shown_whole
from service.formats.records import disclosure_of, local_day

Json = dict[str, Any]

# Sizes are checked here, before anything is decoded; the library would only warn.
Image.MAX_IMAGE_PIXELS = None
# It would write down whatever it finds in metadata, positions too.
logging.getLogger("PIL").propagate = False

# Two images in one file, as some phones write them, are a JPEG with another behind it.
_MEDIA: Final = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
}
_DESCRIBED: Final = ("sha256", "size", "media_type", "width", "height")
_COPY: Final = "image/jpeg"
_QUALITY: Final = 85
# Each pass over a progressive JPEG goes over the whole image, and takes but a few bytes.
_MOST_PASSES: Final = 100
_START_OF_PASS: Final = b"\xff\xda"
# What the library raises for files that are broken one way or another.
_BROKEN: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError),
    *(AttributeError, AssertionError, struct.error, zlib.error, NotImplementedError),
)
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of an image, what kind of image they are, and its size in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int

    def described(self) -> Json:
        """What is recorded of it; `sha256` in hexadecimal, `size` in bytes."""
        return {
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "size": len(self.content),
            "media_type": self.media_type,
            "width": self.width,
            "height": self.height,
        }


def read(content: bytes, most_pixels: int) -> tuple[Picture, Picture]:
    """What was sent as it came, and its copy: upright, in JPEG, of pixels alone.

    What it is follows from the bytes, whatever they were called. Raises `Invalid` where they are no
    whole image of a kind that is taken, or one of more pixels.
    """
    try:
        with Image.open(BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as image:
            media_type, (width, height) = _MEDIA[image.format or ""], image.size
            if width * height > most_pixels:
                raise Invalid("has more pixels than are taken", "body")
            if media_type == "image/jpeg" and content.count(_START_OF_PASS) > _MOST_PASSES:
                raise Invalid("cannot be read as an image", "body")
            original = Picture(content, media_type, width, height)
            return original, _copied(image)
    except UnidentifiedImageError:
        raise Invalid("is not a JPEG, PNG or WebP image", "body") from None
    except _BROKEN:
        raise Invalid("cannot be read as an image", "body") from None


def _copied(image: Image.Image) -> Picture:
    turn = _UPRIGHT.get(_orientation(image))
    # Decoded no larger than is needed, where the format can do that.
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if turn is not None:
        pixels = pixels.transpose(turn)
    # A new image knows nothing of what the other one held besides.
    clean = Image.new("RGB", pixels.size, "white")
    clean.paste(pixels, mask=pixels if pixels.mode == "RGBA" else None)
    out = BytesIO()
    clean.save(out, "JPEG", quality=_QUALITY)
    return Picture(out.getvalue(), _COPY, *clean.size)


def _orientation(image: Image.Image) -> int:
    try:
        told = image.getexif().get(ExifTags.Base.Orientation)
    except _BROKEN:
        return 1
    return told if isinstance(told, int) else 1


def content_of(report: str, original: Picture, copy: Picture, received_at: str) -> Json:
    """What is recorded of a photo when it comes."""
    return {
        "report": report,
        "released": False,
        "original": original.described(),
        "copy": copy.described(),
        "received_at": received_at,
    }


def level_of(photo: Json, report: Json) -> int:
    """The least level of a reader who is shown the copy, by what is recorded of the photo and of
    its report.

    Nobody but reviewers before one of them has released it, nor while of the report itself less
    than the whole is published: a photo shows the place where it was taken.
    """
    if photo["released"] and shown_whole(report):
        return disclosure_of(report).level
    return Visibility.RESTRICTED.level


def photo_view(
    photo_id: str, revision: int, photo: Json, report: Json, theatre: Theatre, *, everything: bool
) -> Json:
    """A photo as somebody is told of it who is shown the copy, its `image`; of the original only
    who sees `everything`. Both are `None` once the photo was erased."""
    visibility = next(v for v in Visibility if v.level == level_of(photo, report))
    received = photo["received_at"]
    return {
        "id": photo_id,
        "report": photo["report"],
        "revision": revision,
        "released": photo["released"],
        "visibility": visibility,
        "image": _picture_view(photo["copy"]),
        "original": _picture_view(photo["original"]) if everything else None,
        "received": received and local_day(received, theatre.zone).isoformat(),
    }


def _picture_view(described: Json | None) -> Json | None:
    return described and {name: described[name] for name in _DESCRIBED}


def receipt(photo_id: str, photo: Json, sha256: str) -> Json:
    """The answer to who sent a photo; `sha256` is the hash of its leaf in the ledger."""
    original = photo["original"]
    return {
        "id": photo_id,
        "report": photo["report"],
        "sha256": original["sha256"],
        "copy_sha256": photo["copy"]["sha256"],
        **{name: original[name] for name in ("media_type", "size", "width", "height")},
        "received_at": photo["received_at"],
        "leaf": sha256,
    }
