"""Requests made up from the API's own description, sound and unsound, to every route."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from service.domain.access import Role
from tests.harness import Service

load_all_checks()
# That a text is a date, or that a tally ends after it starts, is more than a schema can say.
BEYOND_A_SCHEMA = [CHECKS.get_one("positive_data_acceptance")]
EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TEXTS = ("text/csv", "application/x-ndjson")
# How long an answer takes says nothing here.
PATIENCE = 300
SOUND = {
    "when": "2022-08-03",
    "from": "2022-08-01T00:00+04:00",
    "to": "2022-08-02T00:00+04:00",
    "where": {"place": "Lachin"},
    "sectors": ["lachin-corridor"],
}


def failures(service: Service, operation: Any, mode: GenerationMode) -> list[str]:
    """What is wrong with the answers of one operation: each kind of failure once."""
    wrong: dict[str, str] = {}
    key = {"Authorization": service.headers(Role.ADMIN)["Authorization"]}

    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
            # So that not all of them end at a date that is none.
            case.body |= {name: value for name, value in SOUND.items() if name in case.body}
        if case.media_type in TEXTS and isinstance(case.body, dict | list):
            # Written as text, any value is one.
            return
        answer = case.call(headers=key, timeout=PATIENCE)
        try:
            case.validate_response(answer, excluded_checks=BEYOND_A_SCHEMA, headers=key)
        except FailureGroup as group:
            for failure in group.exceptions:
                wrong.setdefault(type(failure).__name__, f"{case.as_curl_command()}: {failure}")

    ask()
    return [f"{operation.method} {operation.path} {kind}: {why}" for kind, why in wrong.items()]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_the_description_allows(
    seeded: Service, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", seeded.client.app)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 25
    wrong = []
    for operation in operations:
        takes_something = operation.body or any(
            parameter.location.value in ("query", "path")
            for parameter in operation.iter_parameters()
        )
        if mode is GenerationMode.POSITIVE or takes_something:
            wrong += failures(seeded, operation, mode)
    assert wrong == []
    assert seeded.wrong_accounts() == []
