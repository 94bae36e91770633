"""The documented incidents as a reader finds them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.work.seed import id_of
from tests.harness import Service

Json = dict[str, Any]


@dataclass
class Archive:
    """The documented incidents, read and never changed."""

    service: Service

    def __post_init__(self) -> None:
        self.reports: list[Json] = self.service.get("/v1/reports", limit=500)["items"]
        self.incidents: list[Json] = self.service.get("/v1/incidents", limit=500)["items"]

    def report(self, ref: str) -> Json:
        [found] = [r for r in self.reports if r["id"] == id_of(ref)]
        return found

    def incident(self, ref: str) -> Json:
        found: Json = self.service.get(f"/v1/incidents/{id_of(ref)}")
        return found

    def below(self, ref: str) -> list[Json]:
        return [i for i in self.incidents if i["part_of"] == id_of(ref)]

    def total(self, first: str, last: str, **more: str) -> Json:
        answer = self.service.aggregates(period="total", by="", first=first, last=last, **more)
        total: Json = answer["total"]
        return total

    def low(self, first: str, last: str, outcome: str = "killed") -> int | None:
        low: int | None = self.total(first, last)["figures"][outcome]["low"]
        return low

    def texts(self) -> Iterator[str]:
        for incident in self.incidents:
            yield incident["title"]
        for report in self.reports:
            yield report["summary"] or ""


def figures(report: Json, outcome: str) -> list[Json]:
    return [line[outcome] for line in report["casualties"] if line.get(outcome)]
