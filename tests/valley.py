"""A made-up table of a valley, as some newsroom keeps it, and the mapping that reads it."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

MAPPING: dict[str, Any] = {
    "key": "id",
    "when": {"column": "date"},
    "where": {"place": "place"},
    "casualties": [{"killed": "killed"}],
    "summary": "note",
}
MAPPING_TOML = """
key = "id"
summary = "note"
[when]
column = "date"
[where]
place = "place"
[[casualties]]
killed = "killed"
"""


def csv_of(rows: Sequence[Mapping[str, str]], columns: Sequence[str] | None = None) -> bytes:
    """A CSV of rows, with the columns of the first unless others are given."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or [*rows[0]], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
