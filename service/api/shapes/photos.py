"""What answers about photos look like."""

from typing import Any, Final

from service.api.shapes.common import Described, Page, Shape, described
from service.domain.access import Visibility


class Picture(Shape):
    sha256: str
    size: int
    """In bytes."""
    media_type: str
    width: int
    """In pixels."""
    height: int


class Photo(Shape):
    id: str
    report: str
    revision: int
    released: bool
    """Whether a reviewer lets others see the copy."""
    visibility: Visibility
    """Who is shown the copy now."""
    image: Picture | None
    """The copy; `null` once the photo was erased."""
    original: Picture | None
    """Told to reviewers only."""
    received: str | None
    """The day."""


class PhotoReceipt(Shape):
    id: str
    report: str
    sha256: str
    """Of what was sent."""
    copy_sha256: str
    media_type: str
    """As its bytes tell."""
    size: int
    width: int
    height: int
    received_at: str
    leaf: str
    """The hash of its leaf in the ledger."""


class Photos(Page):
    items: list[Photo]


def images(description: str, *media_types: str) -> dict[str, Any]:
    schema: Described = {"type": "string", "format": "binary"}
    return {
        "description": description,
        "content": {media: {"schema": schema} for media in media_types},
    }


PHOTO_RECEIPT: Final = described(PhotoReceipt, "On disk: the photo as it came, and its copy.")
SAME_RECEIPT: Final = described(PhotoReceipt, "It was sent before: the first receipt.")
PHOTO: Final = described(Photo, "The photo as it is shown now.")
LIST_OF_PHOTOS: Final = described(Photos, "The photos of a report.")
