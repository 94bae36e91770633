"""What the guide to exports names is there and answers."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from service.domain.method import METHOD_VERSION
from service.formats.exports.registry import MEDIA
from tests.harness import Service

DOCS = Path(__file__).parent.parent / "docs"
GUIDE = (DOCS / "exports.md").read_text()
HOST = "http://127.0.0.1:8000"
LAST_ROW = "ID_OF_THE_LAST_WHOLE_ROW"


def urls() -> list[str]:
    found = re.findall(rf"{HOST}(/[^\s\"'`)]+)", GUIDE)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("url", urls())
def test_every_url_of_the_guide_is_answered_with_rows(seeded: Service, url: str) -> None:
    if LAST_ROW in url:
        url = url.replace(LAST_ROW, seeded.get("/v1/incidents", limit=1)["items"][0]["id"])
    answer = seeded.client.get(url)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["X-Total-Count"]) > 0
    [name] = re.findall(r"format=(\w+)", url)
    media = next(media for media, each in MEDIA.items() if each == name)
    assert answer.headers["Content-Type"].startswith(media)


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_dashboard_names_columns_that_are_there(seeded: Service) -> None:
    [written] = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    [panel] = json.loads(written)["panels"]
    [target] = panel["targets"]
    assert target["type"] == "csv"
    there = rows(seeded.client.get(target["url"].removeprefix(HOST)))
    assert {column["selector"] for column in target["columns"]} <= set(there[0])
    assert [row for row in there if row["start"] and row["figures.killed.low"]]


def test_the_query_of_excel_is_answered_with_the_columns_it_types(seeded: Service) -> None:
    [written] = re.findall(r"```powerquery\n(.*?)```", GUIDE, re.DOTALL)
    [path] = re.findall(r'RelativePath = "([^"]+)"', written)
    [query] = re.findall(r"Query = \[([^\]]+)\]", written)
    asked = dict(re.findall(r'(\w+) = "([^"]*)"', query))
    there = rows(seeded.client.get(f"/{path}?{urlencode(asked)}"))
    [typed] = re.findall(r"TransformColumnTypes\((.*)\)", written)
    columns = re.findall(r'\{"([^"]+)",', typed)
    assert len(columns) == 3
    assert set(columns) <= set(there[0])


def test_every_format_and_the_version_of_the_method_are_documented() -> None:
    for media, name in MEDIA.items():
        assert f"| `{name}` | `{media}` |" in GUIDE
    assert f"Edition {METHOD_VERSION}." in (DOCS / "method.md").read_text()
