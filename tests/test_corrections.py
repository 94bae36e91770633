"""Reports that contradict, repeat or correct one another: all are kept, each is counted once."""

import shutil
from pathlib import Path
from typing import Any

from service.domain.access import Role
from service.store.journal import Author
from service.work import seed
from tests.harness import SEED, Service

DAY = "2022-08-03"


def report(**fields: Any) -> dict[str, Any]:
    return {"when": DAY, "where": {"place": "Lachin"}, "claimant": "icrc", **fields}


def total(service: Service, **filters: Any) -> dict[str, Any]:
    whole: dict[str, Any] = service.aggregates(period="total", by="", fill="none", **filters)
    return dict(whole["total"])


def bounds(figure: dict[str, Any]) -> tuple[int | None, ...]:
    return figure["low"], figure["best"], figure["high"]


def test_a_figure_nobody_gave_is_null_and_counted_as_unknown(service: Service) -> None:
    service.post(report())
    service.post(report(when="2022-07-01", casualties=[{"killed": 0}]))
    figure = total(service)["figures"]["killed"]
    assert (bounds(figure), figure["unknown"]) == ((0, 0, 0), 1)
    figure = total(service)["figures"]["wounded"]
    assert (bounds(figure), figure["unknown"]) == ((None, None, None), 2)


def test_two_accounts_of_one_event_are_counted_twice_until_somebody_links_them(
    service: Service,
) -> None:
    first = service.post(report(casualties=[{"killed": 3}]))
    second = service.post(report(claimant="residents", casualties=[{"killed": 3}]))
    assert first["flags"] == []
    assert second["flags"] == ["possible_duplicate"]
    assert second["possible_duplicates"] == [first["incident"]]
    assert second["incident"] != first["incident"]
    assert (total(service)["incidents"], total(service)["reports"]) == (2, 2)
    linked = report(claimant="osce-minsk-group", incident=first["incident"])
    # A suggestion of a key that may not link has no effect.
    assert service.post(linked)["incident"] != first["incident"]
    assert service.post(linked, Role.REVIEWER)["incident"] == first["incident"]
    assert (total(service)["incidents"], total(service)["reports"]) == (3, 4)


def test_sources_that_contradict_stand_side_by_side_in_one_range(service: Service) -> None:
    first = service.post(report(casualties=[{"killed": 3}]))
    service.post(
        report(claimant="residents", incident=first["incident"], casualties=[{"killed": 12}]),
        role=Role.REVIEWER,
    )
    incident = service.get(f"/v1/incidents/{first['incident']}")
    assert bounds(incident["figures"]["killed"]) == (3, 3, 12)
    assert incident["contested"]
    assert {(c["claimant"], c["best"]) for c in incident["matrix"]} == {
        ("icrc", 3),
        ("residents", 12),
    }
    assert bounds(total(service)["figures"]["killed"]) == (3, 3, 12)


def test_where_each_side_blames_the_other_nobody_is_blamed_by_us(service: Service) -> None:
    first = service.post(report(claimant="azerbaijan-mod", attributed_to="armenia"))
    second = service.post(
        report(
            claimant="armenian-officials",
            attributed_to="azerbaijan",
            incident=first["incident"],
        ),
        role=Role.REVIEWER,
    )
    incident = service.get(f"/v1/incidents/{second['incident']}")
    assert incident["contested"]
    assert {c["attributed_to"] for c in incident["claims"]} == {"armenia", "azerbaijan"}
    assert "attributed_to" not in incident


def test_a_wounded_person_who_dies_moves_from_one_figure_to_the_other(service: Service) -> None:
    told = service.post(report(casualties=[{"killed": 1, "wounded": 3}]))
    service.clock.advance(days=9)
    corrected = [{"killed": 2, "wounded": 2}]
    told = service.change(told, reason="The claimant corrected it.", casualties=corrected)
    assert told["reported"] == "2022-10-01"
    figures = total(service)["figures"]
    assert (figures["killed"]["best"], figures["wounded"]["best"]) == (2, 2)
    old, new = service.get(f"/v1/reports/{told['id']}/revisions")["items"]
    assert (old["casualties"][0]["killed"]["best"], old["recorded"]) == (1, "2022-10-01")
    assert (new["casualties"][0]["killed"]["best"], new["recorded"]) == (2, "2022-10-10")
    assert (old["change"], new["change"]) == (None, "The claimant corrected it.")
    assert service.wrong_accounts() == []


def test_what_is_corrected_into_or_out_of_the_monitored_time_is_counted_accordingly(
    service: Service,
) -> None:
    told = service.post(report(when="1990", casualties=[{"killed": 1}]))
    assert (told["counted"], told["reason"]) == (False, "out_of_period")
    told = service.change(told, when=DAY)
    assert (told["counted"], told["reason"], told["flags"]) == (True, None, [])
    assert total(service)["figures"]["killed"]["best"] == 1
    told = service.change(told, when="1990")
    assert (told["counted"], told["reason"]) == (False, "out_of_period")
    assert total(service)["incidents"] in (None, 0)
    assert service.wrong_accounts() == []


def test_a_correction_keeps_what_was_found_beside_the_report(service: Service) -> None:
    first = service.post(report())
    told = service.change(service.post(report(claimant="residents")), summary="Shots.")
    assert told["flags"] == ["possible_duplicate"]
    assert told["possible_duplicates"] == [first["incident"]]


def test_a_number_that_is_none_is_no_way_to_remove_a_figure(service: Service) -> None:
    told = service.post(report(casualties=[{"killed": 2}]))
    answer = service.client.patch(
        f"/v1/reports/{told['id']}",
        content=b'{"reason": "x", "casualties": [{"killed": 1e999}]}',
        headers=service.headers(**{"If-Match": '"1"'}),
    )
    assert answer.status_code == 422
    assert service.get(f"/v1/reports/{told['id']}")["casualties"][0]["killed"]["best"] == 2


def test_new_reference_data_reads_corrected_reports_as_they_are_now(
    service: Service, tmp_path: Path
) -> None:
    told = service.post(report(claimant="the harbour master"))
    service.clock.advance(days=9)
    told = service.change(told, when="2022-10-08")
    folder = tmp_path / "seed_data"
    shutil.copytree(SEED, folder)
    with (folder / "claimants.toml").open("a") as file:
        file.write(
            '\n[[claimant]]\nid = "harbour-master"\nname = "the harbour master"\nkind = "monitor"\n'
        )
    service.clock.advance(days=1)
    author = Author("operator", service.clock())
    service.database.write(lambda session: seed.load(session, folder, author))
    read = service.get(f"/v1/reports/{told['id']}")
    assert (read["claimant"], read["flags"]) == ("harbour-master", [])
    assert (read["when"], read["reported"]) == ("2022-10-08", "2022-10-01")


def test_what_a_report_says_and_how_it_is_shown_change_together(service: Service) -> None:
    told = service.post(report(summary="before"))
    changed = service.change(told, summary="after", disclosure={"place": "grid"})
    assert (changed["summary"], changed["disclosure"]["place"]) == ("after", "grid")
    again = service.change(changed, summary="later")
    assert (again["summary"], again["disclosure"]["place"]) == ("later", "grid")
