"""What answers to operators look like."""

from typing import Final

from service.api.shapes.common import Shape, described


class Health(Shape):
    status: str
    theatre: str | None = None


METRICS: Final = {
    "description": "Counts in the text format of Prometheus.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}
HEALTH: Final = described(Health, "Well.")
