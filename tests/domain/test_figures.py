"""Unknown is not zero, ranges stay ranges, and words carry only the bounds they have."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.figures import Figure, Sum, figure_from_words, total
from service.errors import Invalid
from tests.domain.make import moderate


@st.composite
def figures(draw: st.DrawFn) -> Figure:
    low = draw(st.integers(0, 12))
    best = low + draw(st.integers(0, 6))
    return Figure(low, best, draw(st.one_of(st.none(), st.integers(best, best + 6))))


exact = st.integers(0, 20).map(Figure.exactly)


@pytest.mark.parametrize("bounds", [(-1, 0, 0), (3, 2, 5), (3, 5, 4), (3, 3, 2)])
def test_bounds_out_of_order_are_refused(bounds: tuple[int, int, int]) -> None:
    with pytest.raises(Invalid):
        Figure(*bounds)


def test_at_least_stays_open_at_the_top() -> None:
    assert Figure.at_least(49) + Figure.exactly(50) == Figure(99, 99, None)


def test_a_sum_of_nothing_is_unknown_and_not_zero() -> None:
    nothing = Sum()
    assert (nothing.low, nothing.best, nothing.high) == (None, None, None)
    nothing.unknown += 1
    assert nothing.low is None
    zero = Sum(unknown=1)
    zero.add(Figure.exactly(0))
    assert (zero.low, zero.best, zero.high, zero.unknown) == (0, 0, 0, 1)


@moderate
@given(st.lists(figures(), max_size=4))
def test_sums_do_not_depend_on_the_order(added: list[Figure]) -> None:
    sums = []
    for order in permutations(added):
        running = Sum()
        for each in order:
            running.add(each)
        sums.append(running)
    assert all(each == sums[0] for each in sums)
    assert len({total(order) for order in permutations(added)}) == 1
    whole = total(added)
    if whole is None:
        assert sums[0].low is None
    else:
        assert (sums[0].low, sums[0].best, sums[0].high) == (whole.low, whole.best, whole.high)
    assert sums[0].open == sum(each.is_open for each in added)


@moderate
@given(figures(), figures())
def test_decision_11_a_remainder_is_ordered_and_never_negative(a: Figure, b: Figure) -> None:
    left = a.minus(b)
    assert 0 <= left.low <= left.best
    assert left.high is None or left.best <= left.high
    assert left.is_open == a.is_open
    assert left.low <= a.low
    assert a.minus(Figure.exactly(0)) == a


@moderate
@given(figures(), figures())
def test_decision_11_remainder_and_part_make_the_whole_where_the_part_fits(
    part: Figure, rest: Figure
) -> None:
    whole = part + rest
    if part.is_open:
        assert whole.minus(part).is_open
    else:
        assert whole.minus(part) + part == whole


@moderate
@given(exact, exact)
def test_decision_11_exact_figures_contain_one_another_to_the_larger(a: Figure, b: Figure) -> None:
    assert a.minus(b) + b == max(a, b, key=lambda f: f.low)


@moderate
@given(figures(), figures())
def test_figures_meet_where_some_count_satisfies_both(a: Figure, b: Figure) -> None:
    def allows(each: Figure, count: int) -> bool:
        return each.low <= count and (each.high is None or count <= each.high)

    assert a.meets(b) == any(allows(a, count) and allows(b, count) for count in range(40))


@pytest.mark.parametrize(
    ("words", "figure"),
    [
        ("several", Figure.at_least(3)),
        ("dozens", Figure.at_least(24)),
        ("Dozens of", Figure.at_least(24)),
        ("hundreds", Figure.at_least(200)),
        ("several  hundred", Figure.at_least(300)),
        ("tens of thousands", Figure.at_least(20_000)),
        ("over 5,000", Figure.at_least(5_000)),
        ("at least 49", Figure.at_least(49)),
        ("более 100", Figure.at_least(100)),
        ("about 180", Figure.exactly(180)),
        ("порядка 3 тыс.", Figure.exactly(3_000)),
        ("порядка 3 тыс. чел.", Figure.exactly(3_000)),
        ("1 900", Figure.exactly(1_900)),
        ("1,234,567", Figure.exactly(1_234_567)),
    ],
)
def test_decision_26_words_for_quantities_have_one_table_of_bounds(
    words: str, figure: Figure
) -> None:
    assert figure_from_words(words) == figure


@pytest.mark.parametrize(
    "words",
    [
        "",
        "several soldiers",
        "many",
        "some",
        "over",
        "over many",
        "12,5",
        "1_0",
        "３",
        "-3",
        "1.5",
        "at least",
        "999999999999",
        "12 34",
    ],
)
def test_decision_26_other_words_carry_no_bound(words: str) -> None:
    assert figure_from_words(words) is None
