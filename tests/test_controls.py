"""The tests of access bite: a guarantee switched off makes the test that holds it fail."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from service.domain import disclosure
from service.domain.access import Actor, Role
from service.errors import Unauthorized
from service.formats import records
from service.work import keys, reports, revising
from tests import test_access_cases, test_access_matrix, test_disclosure, test_reviews
from tests.harness import Service

Switch = Callable[[pytest.MonkeyPatch], None]
Check = Callable[..., None]


def bad_keys_are_told_apart(patch: pytest.MonkeyPatch) -> None:
    kept = keys.holder

    def telling(session: Any, key: str, now: Any) -> Actor:
        try:
            return kept(session, key, now)
        except Unauthorized:
            raise Unauthorized(f"No key of {len(key)} characters is known.") from None

    patch.setattr(keys, "holder", telling)


def everybody_is_shown_every_report(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reports, "is_shown", lambda *_: True)


def every_role_may_do_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Actor, "may", lambda *_: True)


def reviewers_review_themselves(patch: pytest.MonkeyPatch) -> None:
    kept = revising.to_change

    def without_authors(*arguments: Any) -> Any:
        row = kept(*arguments)
        row.record = {**row.record, "authors": []}
        return row

    patch.setattr(revising, "to_change", without_authors)


def receipts_are_for_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reports, "Actor", lambda name, _: Actor(name, Role.ADMIN))


def hidden_incidents_are_told_one_by_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(disclosure, "_lots", lambda things, _: [[thing] for thing in things])


def positions_are_published_as_they_are(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(records, "published", lambda point, place, *_: (point, place))


def a_route_is_not_in_the_table(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(test_access_matrix.TABLE, next(iter(test_access_matrix.TABLE)))


CONTROLS: list[tuple[Switch, Check]] = [
    (
        bad_keys_are_told_apart,
        test_access_cases.test_every_kind_of_bad_key_is_answered_alike_wherever_it_is_shown,
    ),
    (
        everybody_is_shown_every_report,
        test_access_cases.test_what_somebody_is_not_shown_is_answered_like_what_is_not_there,
    ),
    (reviewers_review_themselves, test_reviews.test_nobody_reviews_their_own_report),
    (every_role_may_do_everything, test_access_cases.test_who_decides_loses_it_with_the_role),
    (
        every_role_may_do_everything,
        test_access_matrix.test_everybody_gets_through_where_the_table_says_so_and_nowhere_else,
    ),
    (a_route_is_not_in_the_table, test_access_matrix.test_every_route_is_in_the_table),
    (
        receipts_are_for_everybody,
        test_access_cases.test_whoever_sends_what_another_sent_learns_nothing_of_it,
    ),
    (
        hidden_incidents_are_told_one_by_one,
        test_disclosure.test_one_hidden_report_after_another_changes_no_sum_by_fewer_than_a_lot,
    ),
    (
        positions_are_published_as_they_are,
        test_access_cases.test_a_snapped_position_is_the_same_in_a_thousand_readings,
    ),
    (
        positions_are_published_as_they_are,
        test_access_cases.test_no_order_and_no_box_tells_of_what_is_private,
    ),
]


@pytest.mark.parametrize(
    ("switch", "check"),
    CONTROLS,
    ids=[f"{switch.__name__}-{check.__name__}" for switch, check in CONTROLS],
)
def test_without_the_guarantee_its_test_fails(
    service: Service, request: pytest.FixtureRequest, switch: Switch, check: Check
) -> None:
    needed = {name: request.getfixturevalue(name) for name in inspect.signature(check).parameters}
    with pytest.MonkeyPatch.context() as patch:
        switch(patch)
        with pytest.raises(AssertionError):
            check(**needed)
