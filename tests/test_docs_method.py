"""The examples in the method are what the service answers."""

import re
from typing import Any

import pytest

from tests.harness import Service
from tests.processes import ROOT

METHOD = (ROOT / "docs" / "method.md").read_text()
EXAMPLES = re.findall(r"^`GET (/v1/\S+)`\n\n((?:\|.*\n)+)", METHOD, re.MULTILINE)


@pytest.mark.parametrize(("question", "table"), EXAMPLES)
def test_every_example_in_the_method_is_answered_so(
    seeded: Service, question: str, table: str
) -> None:
    answer = seeded.client.get(question)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    heads, _, *lines = [
        [*map(str.strip, line.strip("|\n").split("|"))] for line in table.splitlines()
    ]
    rows = content["cells"] if "cells" in content else content["sectors"]
    assert [[told(row, head.strip("`")) for head in heads] for row in rows] == lines


def test_there_is_an_example_of_every_question() -> None:
    names = ("compare", "window", "running", "complete", "timezone", "time_precision", "claimants")
    asked = "".join(question for question, _ in EXAMPLES)
    assert [name for name in names if f"{name}=" not in asked] == []
    assert "/v1/aggregates/quiet" in asked


def told(row: Any, path: str) -> str:
    for name in path.split("."):
        row = None if row is None else row[name]
    if isinstance(row, bool):
        return str(row).lower()
    return "null" if row is None else str(row)
