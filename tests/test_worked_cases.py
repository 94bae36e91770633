"""The cases whose right answer is known, asked over HTTP of the seeded service."""

from typing import Any

from tests.harness import Service


def cells(answer: dict[str, Any], **keys: Any) -> list[dict[str, Any]]:
    return [c for c in answer["cells"] if all(c[k] == v for k, v in keys.items())]


def killed(cell: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
    figure = cell["figures"]["killed"]
    return figure["low"], figure["best"], figure["high"]


def incidents(service: Service, **filters: Any) -> list[dict[str, Any]]:
    return service.get("/v1/incidents", **filters)["items"]


def test_13_september_2022_stays_two_claims_and_nothing_calls_99_verified(seeded: Service) -> None:
    [incident] = incidents(seeded, period="september-2022-escalation")
    full = seeded.get(f"/v1/incidents/{incident['id']}")
    claims = {row["claimant"]: row for row in full["matrix"]}
    assert set(claims) == {"armenian-officials", "azerbaijani-officials"}
    armenian, azerbaijani = claims["armenian-officials"], claims["azerbaijani-officials"]
    assert (armenian["party"], armenian["low"], armenian["high"]) == ("armenia", 49, None)
    assert (azerbaijani["party"], azerbaijani["low"]) == ("azerbaijan", 50)
    assert full["contested"]
    assert not full["episode"]
    [cell] = cells(
        seeded.aggregates(period="day", first="2022-09-13", last="2022-09-13", level=1),
        sector="armenia-azerbaijan-border",
    )
    assert cell["incidents"] == 1
    assert cell["reports"] == 2
    assert killed(cell) == (99, 99, None)
    assert cell["figures"]["killed"]["open"] == 1
    by_status = seeded.aggregates(
        period="total", by="status", first="2022-09-13", last="2022-09-13", fill="none"
    )
    assert [c["status"] for c in by_status["cells"]] == ["unverified"]


def test_april_2016_counts_its_toll_once(seeded: Service) -> None:
    answer = seeded.aggregates(period="named", by="")
    [cell] = cells(answer, period="april-2016-escalation")
    assert killed(cell) == (200, 200, None)
    [alleged] = incidents(seeded, q="Talish elderly", counted="false")
    assert alleged["reason"]
    assert alleged["figures"]["killed"]["low"] == 3
    parent = seeded.get(f"/v1/incidents/{alleged['part_of']}")
    assert parent["title"] == "April 2016 escalation"


def test_the_2020_war_is_placed_by_name_and_year_and_spans_months(seeded: Service) -> None:
    [named] = cells(seeded.aggregates(period="named", by=""), period="2020-war")
    assert killed(named) == (5300, 5300, None)
    [year] = cells(seeded.aggregates(period="year", by=""), period="2020")
    assert killed(year) == (5307, 5307, None)
    monthly = seeded.aggregates(period="month", by="", first="2020-09", last="2020-11")
    months = [c for c in monthly["cells"] if c["period"] != "spanning"]
    assert all(killed(c)[0] is None for c in months)
    [spanning] = cells(monthly, period="spanning")
    assert killed(spanning)[0] == 5307
    assert killed(monthly["total"])[0] == 5307


def test_the_mines_cluster_carries_its_toll_alone(seeded: Service) -> None:
    [cluster] = [i for i in incidents(seeded, weapon="mine") if i["episode"]]
    full = seeded.get(f"/v1/incidents/{cluster['id']}")
    assert (full["figures"]["killed"]["low"], full["figures"]["killed"]["high"]) == (7, None)
    assert full["figures"]["wounded"]["low"] == 4
    assert len(full["parts"]) == 3
    answer = seeded.aggregates(
        period="month", by="", weapon="mines", first="2020-10", last="2020-12"
    )
    assert killed(answer["total"]) == (7, 7, None)
    assert answer["total"]["figures"]["wounded"]["low"] == 4
    assert [killed(c)[0] for c in cells(answer, period="spanning")] == [7]
    for grain, key in (("quarter", "2020-Q4"), ("year", "2020")):
        answer = seeded.aggregates(
            period=grain, by="", weapon="mines", first="2020-10", last="2020-12"
        )
        assert [killed(c)[0] for c in cells(answer, period=key)] == [7]


def test_the_only_verified_seed_is_the_wounding_of_1_august_2022(seeded: Service) -> None:
    [report] = seeded.get("/v1/reports", status="verified")["items"]
    assert (report["when"], report["basis"]) == ("2022-08-01", "peacekeepers")
    assert report["casualties"][0]["wounded"]["low"] == 1
    answer = seeded.aggregates(period="total", by="", status="verified")
    assert answer["total"]["incidents"] == 1
    assert answer["total"]["figures"]["wounded"]["low"] == 1
    assert answer["total"]["figures"]["killed"]["low"] is None


def test_where_the_sources_are_silent_the_answer_is_null(seeded: Service) -> None:
    answer = seeded.aggregates(period="month", by="sector", first="2017-07", last="2020-06")
    assert answer["cells"]
    assert all(c["incidents"] is None for c in answer["cells"])
    assert all(killed(c) == (None, None, None) for c in answer["cells"])
    assert answer["total"]["incidents"] is None


def test_capitals_that_speak_are_claimants_not_places(seeded: Service) -> None:
    [report] = seeded.get(
        "/v1/reports", claimant="nk-de-facto-authorities", min_killed=2, **{"from": "2022-08-03"}
    )["items"]
    assert report["where"]["sector"] == "lachin-corridor"
    assert seeded.get("/v1/reports", place="Stepanakert", **{"from": "2022"})["items"] == []


def test_hadrut_is_one_contested_incident_that_nobody_of_us_attributes(seeded: Service) -> None:
    [incident] = incidents(seeded, place="Hadrut region", contested="true")
    full = seeded.get(f"/v1/incidents/{incident['id']}")
    blamed = {c["attributed_to"] for c in full["claims"]} - {None}
    assert blamed == {"armenia", "azerbaijan"}
    assert "attributed_to" not in full


def test_two_tallies_of_a_week_are_never_added(seeded: Service) -> None:
    span = {"from": "2019-03-17T00:00+04:00", "to": "2019-03-24T00:00+04:00"}
    tallies = [
        {
            "claimant": "nk-de-facto-authorities",
            "unit": "violations",
            "count": {"words": "about 180"},
        },
        {"claimant": "nk-de-facto-authorities", "unit": "projectiles", "count": 1900},
        {"claimant": "azerbaijan-mod", "unit": "violations", "count": 182},
    ]
    for tally in tallies:
        answer = seeded.client.post("/v1/tallies", json={**tally, **span}, headers=seeded.headers())
        assert answer.status_code == 201, answer.text
    page = seeded.client.get("/v1/aggregates/tallies", params={"from": "2019-03", "to": "2019-03"})
    violations = next(i for i in page.json()["items"] if i["unit"] == "violations")
    assert [(c["claimant"], c["count"]["best"]) for c in violations["claims"]] == [
        ("nk-de-facto-authorities", 180),
        ("azerbaijan-mod", 182),
    ]
    everything = page.text + seeded.client.get("/v1/aggregates?period=year&by=").text
    assert "362" not in everything
    assert "2082" not in everything


def test_what_is_known_to_the_country_only_is_in_no_sector_and_on_no_map(service: Service) -> None:
    receipt = service.post(
        {
            "when": "2021-05-20",
            "where": {"lat": 40.3, "lon": 47.7, "precision": "theatre"},
            "claimant": "a data set",
            "casualties": [{"killed": 3}],
        }
    )
    assert receipt["where"]["sector"] == "armenia-azerbaijan"
    whole = service.aggregates(period="year", level=0, first="2021", last="2021")
    assert [killed(c)[0] for c in cells(whole, sector="armenia-azerbaijan")] == [3]
    below = service.aggregates(period="year", level=1, first="2021", last="2021", fill="none")
    [cell] = below["cells"]
    assert (cell["sector"], cell["within"]) == ("unlocated", "armenia-azerbaijan")
    assert service.get("/v1/incidents", bbox="47,40,48,41")["items"] == []
