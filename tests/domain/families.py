"""Random families of incidents: episodes within episodes, many voices, open times."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from service.domain.casualties import CasualtyLine, Cell
from service.domain.incidents import Incident
from service.domain.reports import Report
from service.domain.vocabulary import Group, Outcome, Stance, Status
from service.domain.when import When
from tests.domain.make import CLAIMANTS, when
from tests.domain.test_figures import figures

FIRST, LAST = date(2020, 9, 15), date(2021, 1, 15)

days = st.dates(FIRST, LAST)


@st.composite
def times(draw: st.DrawFn) -> str:
    day = draw(days)
    later = day + timedelta(days=draw(st.integers(0, 20)))
    form = draw(
        st.sampled_from(
            [
                "{0}", "{0}", "{0}", "{0}~", "{0:%Y-%m}", "{0:%Y}",
                "{0}/{1}", "[{0}..{1}]", "[..{0}]", "[{0}..]",
            ]
        )
    )  # fmt: skip
    return form.format(day, later)


cells = st.builds(
    Cell,
    st.sampled_from([None, "armenia", "azerbaijan", "not in the list"]),
    st.sampled_from([None, *Group]),
)
lines = st.dictionaries(
    cells, st.dictionaries(st.sampled_from(Outcome), figures(), min_size=1, max_size=2), max_size=3
).map(lambda said: tuple(CasualtyLine(cell, each) for cell, each in said.items()))


@st.composite
def reports(draw: st.DrawFn, identity: str) -> Report:
    said = draw(days)
    return Report(
        identity,
        draw(st.sampled_from(sorted(CLAIMANTS)[:4])),
        when(draw(times())),
        When(draw(st.sampled_from([said, said, said.replace(day=1)])), said),
        datetime(said.year, said.month, said.day, draw(st.integers(0, 23)), tzinfo=UTC),
        sector=draw(
            st.sampled_from(
                [
                    None,
                    "theatre",
                    "old-line",
                    "old-north",
                    "old-south",
                    "corridor",
                    "new-east",
                    "rear",
                ]
            )
        ),
        weapons=draw(
            st.frozensets(
                st.sampled_from(["mortar", "sniper", "uav", "mine", "catapult"]), max_size=2
            )
        ),
        lines=draw(lines),
        attributed_to=draw(st.sampled_from([None, None, "armenia", "azerbaijan"])),
        stance=draw(
            st.sampled_from([Stance.ASSERTS, Stance.ASSERTS, Stance.CORRECTS, Stance.DENIES])
        ),
        status=draw(st.sampled_from([Status.UNVERIFIED, Status.VERIFIED, *Status])),
        counted=draw(st.sampled_from([True, True, True, False])),
    )


@st.composite
def families(draw: st.DrawFn) -> tuple[Incident, ...]:
    members: list[Incident] = []
    for i in range(draw(st.integers(1, 6))):
        told = [draw(reports(f"{i}-{j}")) for j in range(draw(st.integers(0, 3)))]
        members.append(
            Incident(
                f"incident-{i}",
                draw(st.sampled_from([None, *(m.id for m in members)])),
                draw(st.sampled_from([False, False, False, True])),
                draw(st.sampled_from([True, True, True, False])),
                tuple(told),
            )
        )
    return tuple(members)
