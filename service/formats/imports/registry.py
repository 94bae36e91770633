"""The formats that imports can be read in, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from service.errors import Invalid
from service.formats.imports.acled import Acled, AcledApi
from service.formats.imports.entries import Format
from service.formats.imports.mapped import Csv, GeoJson, Ndjson, OwnReports
from service.formats.imports.syndication import Syndication
from service.formats.imports.ucdp import UcdpApi, UcdpGed
from service.formats.imports.wide import WideTable

_ALL: Final[tuple[Format, ...]] = (
    UcdpGed(),
    UcdpApi(),
    Acled(),
    AcledApi(),
    Csv(),
    Ndjson(),
    GeoJson(),
    OwnReports(),
    WideTable(),
    Syndication(),
)
FORMATS: Final[Mapping[str, Format]] = MappingProxyType({each.name: each for each in _ALL})


def format_named(name: str) -> Format:
    """Raises `Invalid` for a name that is not in `FORMATS`."""
    try:
        return FORMATS[name]
    except KeyError:
        raise Invalid("is not a known format", "format") from None
