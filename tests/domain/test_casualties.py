"""Coarser cells contain finer ones, and nothing adds a total to its parts."""

from hypothesis import given
from hypothesis import strategies as st

from service.domain.casualties import Cell, combine, of_party
from service.domain.figures import Figure
from service.domain.vocabulary import Group
from tests.domain.make import moderate
from tests.domain.test_figures import figures

MILITARY, CIVILIAN = Group.MILITARY, Group.CIVILIAN

cells = st.builds(
    Cell,
    st.sampled_from([None, "armenia", "azerbaijan"]),
    st.sampled_from([None, MILITARY, CIVILIAN]),
)
stated = st.dictionaries(cells, figures(), max_size=6)


def test_everybody_contains_a_party_and_a_group_and_both_contain_the_finest() -> None:
    everybody, party, group = Cell(), Cell("armenia"), Cell(None, MILITARY)
    finest = Cell("armenia", MILITARY)
    assert everybody.contains(party)
    assert everybody.contains(group)
    assert party.contains(finest)
    assert group.contains(finest)
    assert not party.contains(group)
    assert not party.contains(Cell("azerbaijan", MILITARY))
    assert not finest.contains(finest)


def test_decision_4_each_side_adds_up_and_the_total_beside_them_adds_nothing() -> None:
    sides = {
        Cell("armenia", MILITARY): Figure.at_least(49),
        Cell("azerbaijan", MILITARY): Figure.exactly(50),
    }
    combined = combine(sides)
    assert combined is not None
    assert combined.figure == Figure(99, 99, None)
    with_total = combine({**sides, Cell(): Figure.exactly(99)})
    assert with_total is not None
    assert (with_total.figure.low, with_total.figure.best) == (99, 99)
    assert not with_total.inconsistent


def test_decision_4_groups_without_a_party_add_up() -> None:
    combined = combine(
        {Cell(None, MILITARY): Figure.at_least(5_000), Cell(None, CIVILIAN): Figure.at_least(300)}
    )
    assert combined is not None
    assert combined.figure == Figure.at_least(5_300)


def test_decision_4_a_party_stated_beside_its_groups_counts_the_larger() -> None:
    combined = combine(
        {
            Cell("armenia"): Figure.exactly(10),
            Cell("armenia", MILITARY): Figure.exactly(4),
            Cell("armenia", CIVILIAN): Figure.exactly(2),
            Cell("azerbaijan", MILITARY): Figure.exactly(5),
        }
    )
    assert combined is not None
    assert combined.figure == Figure.exactly(15)


def test_decision_4_a_coarser_high_below_the_finer_lows_is_inconsistent() -> None:
    combined = combine(
        {
            Cell(): Figure.exactly(5),
            Cell("armenia"): Figure.exactly(4),
            Cell("azerbaijan"): Figure.exactly(4),
        }
    )
    assert combined is not None
    assert combined.inconsistent
    assert (combined.figure.low, combined.figure.high) == (5, 8)


def test_no_cell_is_no_figure() -> None:
    assert combine({}) is None


def test_of_party_leaves_out_what_names_no_party() -> None:
    told = {
        Cell(): Figure.exactly(9),
        Cell(None, MILITARY): Figure.exactly(7),
        Cell("armenia", MILITARY): Figure.exactly(3),
        Cell("azerbaijan"): Figure.exactly(4),
    }
    assert of_party(told, "armenia") == {Cell(None, MILITARY): Figure.exactly(3)}


@moderate
@given(stated.flatmap(lambda s: st.tuples(st.just(s), st.permutations(list(s.items())))))
def test_combining_does_not_depend_on_the_order(
    pair: tuple[dict[Cell, Figure], list[tuple[Cell, Figure]]],
) -> None:
    told, shuffled = pair
    assert combine(told) == combine(dict(shuffled))


@moderate
@given(stated)
def test_a_combined_figure_is_ordered_and_not_below_what_is_stated(
    told: dict[Cell, Figure],
) -> None:
    combined = combine(told)
    if combined is None:
        assert not told
        return
    figure = combined.figure
    assert figure.high is None or figure.low <= figure.best <= figure.high
    assert figure.is_open == any(each.is_open for each in told.values())
    assert figure.best >= max(each.best for each in told.values())
    if not combined.inconsistent:
        assert figure.low >= max(each.low for each in told.values())


@moderate
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["armenia", "azerbaijan"]), st.sampled_from(list(Group))),
        figures(),
        min_size=1,
    )
)
def test_stating_a_total_that_the_parts_make_changes_nothing(
    told: dict[tuple[str, Group], Figure],
) -> None:
    parts = {Cell(*key): each for key, each in told.items()}
    combined = combine(parts)
    assert combined is not None
    again = combine({**parts, Cell(): combined.figure})
    assert again is not None
    assert (again.figure, again.inconsistent) == (combined.figure, combined.inconsistent)
