"""Whatever happens to reports, every answer equals a recount of what the lists show."""

from typing import Any
from urllib.parse import parse_qsl

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.happenings import CLAIMANTS, PARTIES, SECTORS, WEAPONS, Driver, happenings
from tests.harness import Databases, Service
from tests.oracle import Oracle, Told, everything
from tests.oracle_sums import Count, Key, Question, nothing
from tests.reckoning import OUTCOMES, Json

DIMENSIONS = ["sector", "weapon", "claimant", "party", "status"]
moderate = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

scripts = st.lists(happenings, min_size=5, max_size=25)
VALUES: dict[str, list[Any]] = {
    "clock": ["reported", "received"],
    "sector": [*SECTORS, "unlocated"],
    "weapon": [*WEAPONS[:-1], "indirect-fire", "unmapped", "unstated"],
    "weapon_exact": ["true"],
    "party": ["armenia", "azerbaijan", "Ruritania", "unstated"],
    "status": ["unverified", "corroborated", "verified"],
    "claimant": CLAIMANTS,
    "according_to": CLAIMANTS,
    "untold_by": CLAIMANTS,
    "time_precision": ["day", "month", "year"],
    "attributed_to": PARTIES[:2],
    "contested": ["true", "false"],
    "min_killed": [0, 3, 24],
    "bbox": ["46,39,47,40", "170,-10,47,60"],
    "q": ["kestrel", "lantern kestrel", "orchard"],
    "place": ["Lachin", "Hadrut"],
    "from": ["2020-10-30", "2020-11", "2020"],
    "to": ["2020-11-12", "2020-12", "2022"],
}
filters = (
    st.sets(st.sampled_from(sorted(VALUES)), max_size=3)
    .flatmap(
        lambda names: st.fixed_dictionaries({n: st.sampled_from(VALUES[n]) for n in sorted(names)})
    )
    .filter(lambda asked: "weapon" in asked or "weapon_exact" not in asked)
)


@st.composite
def questions(draw: st.DrawFn) -> Json:
    asked = dict(draw(filters))
    by = draw(st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=3))
    grain = draw(
        st.sampled_from(["day", "week", "month", "quarter", "year", "named", "total", "named "])
    )
    if grain == "named ":
        grain, asked["series"] = "named", "2020-war-parts"
    fill = {} if len(by) < 2 and grain not in ("day", "week") else {"fill": "none"}
    return {
        **asked,
        **fill,
        "period": grain,
        "by": ",".join(by),
        "level": draw(st.sampled_from([0, 1, 1, 2, 3])),
    }


@moderate
@given(
    scripts,
    st.lists(questions(), min_size=12, max_size=12),
    st.lists(filters, min_size=4, max_size=4),
)
def test_after_whatever_happened_every_answer_equals_a_recount(
    databases: Databases, backend: str, script: Any, asked: list[Json], listed: list[Json]
) -> None:
    with databases.fresh(backend, "reference") as url:
        service = Service(url)
        try:
            Driver(service).run(script)
            assert service.wrong_accounts() == []
            oracle = Oracle(service)
            check_incidents(service, oracle)
            for question in asked:
                note(f"asked: {question}")
                check_answer(service, Question(oracle, question))
            for filter_ in listed:
                note(f"listed: {filter_}")
                check_lists(service, Question(oracle, filter_, sums=False))
        finally:
            service.close()


def test_every_answer_about_the_documented_incidents_equals_a_recount(seeded: Service) -> None:
    oracle = Oracle(seeded)
    check_incidents(seeded, oracle)
    for period in ("week", "month", "quarter", "year", "named", "total"):
        for by in ("", "sector", "weapon", "party", "status", "claimant", "sector,weapon,status"):
            asked = {"period": period, "by": by, "level": 1, "fill": "none"}
            check_answer(seeded, Question(oracle, asked))


def check_incidents(service: Service, oracle: Oracle) -> None:
    shown = {item["id"]: item for item in everything(service, "/v1/incidents")}
    assert shown.keys() == {told.incident for told in oracle.told}
    for told in oracle.told:
        item = shown[told.incident]
        assert {name: item[name] for name in expected(told)} == expected(told)
        figures = service.get(f"/v1/incidents/{told.incident}")["by_party"]
        for (party, outcome), (bounds, status) in told.stated.items():
            figure = item["figures"][outcome] if party is None else figures[party][outcome]
            assert figure == figure_of(bounds, status)


def expected(told: Told) -> Json:
    start, end = told.when
    return {
        "start": str(start) if start else None,
        "end": str(end) if end else None,
        "sector": told.sector,
        "status": told.status,
        "contested": told.contested,
        "possible_duplicate": told.possible_duplicate,
        "counted": told.counted,
        "episode": told.episode,
        "reports": told.reports,
        "weapons": sorted(told.weapons),
        "figures": {
            outcome: figure_of(*told.stated[None, outcome])
            if (None, outcome) in told.stated
            else None
            for outcome in (*OUTCOMES, "displaced")
        },
    }


def figure_of(bounds: tuple[float, float, float], status: str) -> Json:
    low, best, high = bounds
    top = None if high == float("inf") else int(high)
    return {"low": int(low), "best": int(best), "high": top, "status": status}


def check_answer(service: Service, question: Question) -> None:
    answer = service.get("/v1/aggregates", **question.asked)
    assert (answer["from"], answer["to"]) == tuple(map(str, question.bounds))
    rows = question.rows()
    wanted = {**{key: row.shown() for key, row in rows.items()}}
    buckets = question.buckets()
    if "fill" not in question.asked:
        for label, bucket in buckets.items():
            for keys in question.offered(*bucket):
                whole = coverage_of(question, (label, *keys)) == "full"
                wanted.setdefault((label, *keys), nothing(0 if whole else None))
    found = {key_of(question, cell): cell for cell in answer["cells"]}
    assert found.keys() == wanted.keys()
    assert len(found) == len(answer["cells"])
    for key, cell in found.items():
        assert {name: cell[name] for name in wanted[key]} == wanted[key], key
        days = buckets.get(str(key[0]))
        assert (cell["start"], cell["end"]) == (tuple(map(str, days)) if days else (None, None))
        assert cell["coverage"] == (coverage_of(question, key) if days else None), key
    check_total(answer, question)
    total = question.total()
    linked = {item["id"] for item in behind(service, answer["total"])}
    assert linked == (total.behind if total else set())
    check_links(service, question, rows, found)


def check_total(answer: Json, question: Question) -> None:
    total = question.total()
    covered = coverage_of(question, ())
    assert answer["total"]["coverage"] == covered
    wanted = total.shown() if total else nothing(0 if covered == "full" else None)
    assert {name: answer["total"][name] for name in wanted} == wanted
    assert answer["additive"] == {"weapon", "claimant", "party"}.isdisjoint(question.by)
    if total and answer["additive"]:
        for name in ("incidents", "episodes", "reports", "possible_duplicates"):
            assert sum(cell[name] or 0 for cell in answer["cells"]) == wanted[name]
        for outcome in OUTCOMES:
            for part in ("low", "best", "open", "unknown"):
                parts = [cell["figures"][outcome][part] or 0 for cell in answer["cells"]]
                assert sum(parts) == (wanted["figures"][outcome][part] or 0)


def check_links(
    service: Service, question: Question, rows: dict[Key, Count], found: dict[Key, Json]
) -> None:
    for key, row in rows.items():
        items = behind(service, found[key])
        assert {item["id"] for item in items} == row.behind, found[key]["incidents_url"]
        assert len(items) == row.incidents + row.episodes
        assert sum(item["episode"] for item in items) == row.episodes


def behind(service: Service, row: Json) -> list[Json]:
    """The incidents that a row links to."""
    path, _, query = row["incidents_url"].partition("?")
    return list(everything(service, path, **dict(parse_qsl(query))))


def key_of(question: Question, cell: Json) -> Key:
    keys: list[str | None] = [cell["period"]]
    for name in question.by:
        keys += [cell["sector"], cell["within"]] if name == "sector" else [cell[name]]
    return tuple(keys)


def coverage_of(question: Question, key: Key) -> str | None:
    first, last = question.buckets()[str(key[0])] if key else question.bounds
    asked = question.asked.get("sector")
    if "sector" in question.by and key:
        row = key[1 + question.by.index("sector")]
        assert row is not None
        if row == "unlocated":
            return None
        finer = asked is not None and asked in question.oracle.sectors.branch(row)
        return question.covered(asked if finer else row, first, last)
    return None if asked == "unlocated" else question.covered(asked, first, last)


def check_lists(service: Service, question: Question) -> None:
    items = list(everything(service, "/v1/incidents", **question.asked))
    assert {item["id"] for item in items} == {told.incident for told in question.selected()}
