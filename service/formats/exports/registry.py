"""The formats that lists and sums can be written in, by name and by media type."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

from service.errors import Invalid
from service.formats.exports.writing import Format

# By module and class. Some bring a large library with them, so each is read when first asked for.
_CLASSES: Final[Mapping[str, str]] = {
    "csv": "Csv",
    "ndjson": "Ndjson",
    "geojson": "GeoJson",
    "parquet": "Parquet",
    "xlsx": "Xlsx",
}
MEDIA: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text/csv": "csv",
        "application/x-ndjson": "ndjson",
        "application/geo+json": "geojson",
        "application/vnd.apache.parquet": "parquet",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    }
)
"""The names of the formats by their media types."""


def format_named(name: str) -> Format:
    """Raises `Invalid` for a name that is not known."""
    if name not in _CLASSES:
        raise Invalid("is not a known format", "format")
    module = import_module(f"service.formats.exports.{name}")
    made: Format = getattr(module, _CLASSES[name])()
    return made
