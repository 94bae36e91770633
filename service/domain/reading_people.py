"""Finding counts of people in sentences: the rules are those of docs/formats/leads.md."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.domain.figures import LARGEST_COUNT, Figure
from service.domain.findings import CountFound
from service.domain.sentences import Lexicon, Sentence
from service.domain.vocabulary import Group, Outcome

_MOST_BEFORE_PEOPLE: Final = 3
_MOST_BEFORE_OUTCOME: Final = 6
_MOST_AFTER_DENIAL: Final = 12


@dataclass(slots=True)
class _Quantity:
    """Words for a quantity and, where they stand, for people: tokens `first` to before `last`,
    people to before `people`. `exists` is false where it says that there is nobody."""

    first: int
    last: int
    figure: Figure | None = None
    exists: bool = True
    single: bool = False
    stated: bool = True
    people: int | None = None
    group: Group | None = None
    used: bool = False

    @property
    def end(self) -> int:
        return self.last if self.people is None else self.people


@dataclass(frozen=True, slots=True)
class _Event:
    """Words for an outcome."""

    first: int
    last: int
    side: str
    outcome: Outcome


def people_in(sentence: Sentence) -> Iterator[CountFound]:
    lexicon = sentence.lexicon
    if lexicon is None:
        return
    found = [*_nobody(sentence, lexicon)]
    events = _events(sentence, lexicon)
    if events:
        quantities = _quantities(sentence, lexicon, events)
        found += _linked(sentence, lexicon, quantities, events)
    yield from sorted(found, key=lambda count: (count.start, count.end))


def _nobody(sentence: Sentence, lexicon: Lexicon) -> Iterator[CountFound]:
    at = 0
    while at < len(sentence.tokens):
        found = lexicon.without.match(sentence.tokens, at)
        if found is None:
            at += 1
            continue
        start, end, text = sentence.span(at, at + found[0])
        yield CountFound(start, end, text, None, None, text, None, denied=True)
        at += found[0]


def _events(sentence: Sentence, lexicon: Lexicon) -> list[_Event]:
    events: list[_Event] = []
    at = 0
    while at < len(sentence.tokens):
        without = lexicon.without.match(sentence.tokens, at)
        found = lexicon.outcomes.match(sentence.tokens, at)
        if without is not None:
            at += without[0]
        elif found is not None and at not in sentence.taken:
            length, (side, outcome) = found
            events.append(_Event(at, at + length, side, outcome))
            at += length
        else:
            at += 1
    return events


def _quantities(sentence: Sentence, lexicon: Lexicon, events: Sequence[_Event]) -> list[_Quantity]:
    """Every quantity of the sentence with the people it counts, and people without one."""
    covered = {i: event for event in events for i in range(event.first, event.last)}
    found: list[_Quantity] = []
    at = 0
    while at < len(sentence.tokens):
        without = lexicon.without.match(sentence.tokens, at)
        if without is not None:
            at += without[0]
            continue
        quantity = None
        if at not in covered and at not in sentence.taken:
            quantity = _quantity(sentence, lexicon, at)
        if quantity is None:
            at += 1
            continue
        _find_people(sentence, lexicon, quantity, covered)
        # An article, or what may be a year, counts only the people right after it.
        doubtful = quantity.single or _is_year(sentence, quantity)
        if not (doubtful and quantity.people is None):
            found.append(quantity)
        at = quantity.end if quantity.people is not None else max(quantity.last, at + 1)
    return found


def _is_year(sentence: Sentence, quantity: _Quantity) -> bool:
    text = sentence.tokens[quantity.last - 1].text if quantity.last else ""
    return len(text) == 4 and text.isascii() and text.isdigit() and text[:2] in ("19", "20")


def _quantity(sentence: Sentence, lexicon: Lexicon, at: int) -> _Quantity | None:
    tokens = sentence.tokens
    qualified = lexicon.qualifiers.match(tokens, at)
    if qualified is not None:
        length, bound = qualified
        number = _number(sentence, lexicon, at + length)
        if number is not None:
            return _Quantity(at, number[1], _bounded(bound, number[0]))
    for phrases, exists in ((lexicon.none, False), (lexicon.quantities, True)):
        found = phrases.match(tokens, at)
        if found is not None:
            return _Quantity(at, at + found[0], exists=exists)
    # An age or the like: "a man aged 45 was injured".
    measured = at > 0 and lexicon.measures.match(tokens, at - 1) is not None
    number = None if measured else _number(sentence, lexicon, at)
    if number is not None:
        (low, high), last = number
        after = lexicon.following.match(tokens, last) if last < len(tokens) else None
        if after is not None:
            return _Quantity(at, last + after[0], _bounded(after[1], (low, high)))
        return _Quantity(at, last, _bounded("", (low, high)))
    if lexicon.single.match(tokens, at) is not None:
        return _Quantity(at, at + 1, Figure.exactly(1), single=True)
    found_people = lexicon.groups.match(tokens, at)
    if found_people is not None:
        length, group = found_people
        return _Quantity(at, at, stated=False, people=at + length, group=group)
    return None


def _bounded(bound: str, number: tuple[int, int]) -> Figure | None:
    """The bounds of a number with what qualifies it, as docs/method.md has them; "up to" says
    nothing of how few there may have been."""
    low, high = number
    if high > LARGEST_COUNT or low > high:
        return None
    match bound:
        case "at_least":
            return Figure.at_least(low)
        case "at_most":
            return Figure(0, 0, high)
    return Figure(low, low, high)


def _number(sentence: Sentence, lexicon: Lexicon, at: int) -> tuple[tuple[int, int], int] | None:
    """A number in digits or words, or a range of two, and the token after it."""
    if at >= len(sentence.tokens) or at in sentence.taken:
        return None
    low = _one_number(sentence, lexicon, at)
    if low is None:
        return None
    value, last = low
    if last < len(sentence.tokens):
        gap = sentence.source[sentence.tokens[last - 1].end : sentence.tokens[last].start]
        if gap.strip() in ("-", "–", "—"):
            high = _one_number(sentence, lexicon, last)
            if high is not None and high[0] > value:
                return (value, high[0]), high[1]
    return (value, value), last


def _one_number(sentence: Sentence, lexicon: Lexicon, at: int) -> tuple[int, int] | None:
    tokens = sentence.tokens
    token = tokens[at]
    if not token.script:
        last = _plain_digits(sentence, lexicon, at)
        if last is None:
            return None
        value = int("".join(c for c in token.text if c in "0123456789"))
    else:
        found = lexicon.numbers.match(tokens, at)
        if found is None:
            return None
        last, value = at + found[0], found[1]
        if value >= 20 and value % 10 == 0 and value < 100 and last < len(tokens):
            unit = lexicon.numbers.match(tokens, last)
            if unit is not None and unit[0] == 1 and unit[1] < 10:
                last, value = last + 1, value + unit[1]
    times = lexicon.multipliers.match(tokens, last) if last < len(tokens) else None
    if times is not None and not tokens[last].ends_clause:
        return value * times[1], last + times[0]
    return value, last


def _plain_digits(sentence: Sentence, lexicon: Lexicon, at: int) -> int | None:
    """The token after a number that stands for itself: no part of a name, a measure, a fraction or
    a time of day. Its own ending belongs to it."""
    token, source = sentence.tokens[at], sentence.source
    before = source[token.start - 1] if token.start else " "
    after = source[token.end : token.end + 2]
    if len(token.text) > 15 or before.isalnum() or before in "./:№#$€£+":
        return None
    if before in "-–—" and token.start > 1 and source[token.start - 2].isalpha():
        return None
    if after[:1].isalnum() or after[:1] in ("%", "°", "/"):
        return None
    if after[:1] and after[0] in ".,:" and after[1:].isdigit():
        return None
    if after[:1] == "-" and after[1:].isalpha():
        following = sentence.tokens[at + 1] if at + 1 < len(sentence.tokens) else None
        is_ending = following is not None and following.folded in lexicon.number_endings
        return at + 2 if is_ending else None
    return at + 1


def _find_people(
    sentence: Sentence, lexicon: Lexicon, quantity: _Quantity, covered: Mapping[int, _Event]
) -> None:
    """People at most three words after the quantity, in the same clause."""
    if quantity.people is not None:
        return
    tokens = sentence.tokens
    at, passed = quantity.last, 0
    while at < len(tokens) and passed <= _MOST_BEFORE_PEOPLE:
        if tokens[at].ends_clause or at in sentence.taken or not tokens[at].script:
            return
        found = lexicon.groups.match(tokens, at)
        if found is not None and at not in covered:
            quantity.people, quantity.group = at + found[0], found[1]
            return
        if at in covered:
            # "two wounded soldiers": the outcome stands in between.
            if at != quantity.last or covered[at].side == "after":
                return
            at = covered[at].last
            continue
        if lexicon.joining.match(tokens, at) or lexicon.numbers.match(tokens, at):
            return
        # "two of its soldiers", but neither "a group of soldiers" nor "two houses of civilians".
        if (quantity.single or passed) and lexicon.between.match(tokens, at):
            return
        passed += lexicon.between.match(tokens, at) is None
        at += 1


def _linked(
    sentence: Sentence,
    lexicon: Lexicon,
    quantities: Sequence[_Quantity],
    events: Sequence[_Event],
) -> Iterator[CountFound]:
    """Each outcome with the quantity it belongs to."""
    links = [(event, _quantity_of(sentence, lexicon, event, quantities)) for event in events]
    for index, (event, quantity) in enumerate(links):
        if quantity is None:
            continue
        twins = [
            other
            for near in (index - 1, index + 1)
            if 0 <= near < len(links)
            for other, others in (links[near],)
            if others is None and _are_joined(sentence, lexicon, event, other)
        ]
        for each in (event, *twins):
            yield _count(sentence, lexicon, each, quantity, whole=not twins)
        if not twins:
            for sharing in _sharing(sentence, lexicon, event, quantity, quantities):
                yield _count(sentence, lexicon, event, sharing, whole=True)


def _quantity_of(
    sentence: Sentence, lexicon: Lexicon, event: _Event, quantities: Sequence[_Quantity]
) -> _Quantity | None:
    before = next((q for q in reversed(quantities) if q.first < event.first and not q.used), None)
    if before is not None and not (
        event.side != "after" and _stands_before(sentence, lexicon, before, event)
    ):
        before = None
    after = next((q for q in quantities if q.first >= event.last), None)
    if after is not None and not (
        event.side != "before" and _stands_after(sentence, lexicon, event, after)
    ):
        after = None
    passive = event.first > 0 and lexicon.passive.match(sentence.tokens, event.first - 1)
    close = before is not None and before.last == event.first and before.stated
    chosen = before if passive or close or after is None else after
    if chosen is not None:
        chosen.used = True
    return chosen


def _stands_before(
    sentence: Sentence, lexicon: Lexicon, quantity: _Quantity, event: _Event
) -> bool:
    """ "two soldiers [of the unit] were wounded", "two were wounded", "two wounded [soldiers]"."""
    if quantity.last > event.first:
        return False
    embedded = quantity.end > event.first
    gap = range(quantity.last if embedded else quantity.end, event.first)
    if _broken(sentence, lexicon, (*gap, event.first)):
        return False
    if quantity.people is not None and quantity.stated:
        return len(gap) <= _MOST_BEFORE_OUTCOME
    return all(lexicon.between.match(sentence.tokens, at) is not None for at in gap)


def _stands_after(sentence: Sentence, lexicon: Lexicon, event: _Event, quantity: _Quantity) -> bool:
    """ "killing two soldiers", "killed two" before the end of the clause."""
    gap = range(event.last, quantity.first)
    tokens = sentence.tokens
    if _broken(sentence, lexicon, (*gap, quantity.first)):
        return False
    if not all(lexicon.between.match(tokens, at) is not None for at in gap):
        return False
    at = quantity.end
    return (
        quantity.people is not None
        or at >= len(tokens)
        or tokens[at].ends_clause
        or lexicon.joining.match(tokens, at) is not None
        or lexicon.between.match(tokens, at) is not None
    )


def _broken(sentence: Sentence, lexicon: Lexicon, ats: Sequence[int]) -> bool:
    """Whether a clause ends or another begins on the way."""
    return any(
        at < len(sentence.tokens)
        and (sentence.tokens[at].ends_clause or lexicon.joining.match(sentence.tokens, at))
        for at in ats
    )


def _are_joined(sentence: Sentence, lexicon: Lexicon, a: _Event, b: _Event) -> bool:
    """ "killed or wounded": what is counted is both together, so neither has a number."""
    first, second = sorted((a, b), key=lambda event: event.first)
    gap = second.first - first.last
    return gap == 0 or (gap == 1 and lexicon.joining.match(sentence.tokens, first.last) is not None)


def _sharing(
    sentence: Sentence,
    lexicon: Lexicon,
    event: _Event,
    quantity: _Quantity,
    quantities: Sequence[_Quantity],
) -> Iterator[_Quantity]:
    """ "two soldiers and three civilians were killed": the outcome holds for both."""
    at = quantities.index(quantity)
    forward = quantity.first >= event.last
    chain = quantities[at + 1 :] if forward else quantities[:at][::-1]
    for other in chain:
        left, right = (quantity, other) if forward else (other, quantity)
        if other.used or not other.stated or other.people is None:
            return
        if not _follow(sentence, lexicon, left, right):
            return
        if forward and _own_outcome(sentence, lexicon, right):
            return
        other.used = True
        yield other
        quantity = other


def _follow(sentence: Sentence, lexicon: Lexicon, left: _Quantity, right: _Quantity) -> bool:
    gap = range(left.end, right.first)
    joined = [lexicon.joining.match(sentence.tokens, at) is not None for at in gap]
    comma = sentence.tokens[right.first].ends_clause and not gap
    return comma or joined == [True]


def _own_outcome(sentence: Sentence, lexicon: Lexicon, quantity: _Quantity) -> bool:
    """Whether an outcome stands soon after the people, which is then theirs."""
    last = min(quantity.end + _MOST_BEFORE_OUTCOME, len(sentence.tokens))
    for at in range(quantity.end, last):
        if sentence.tokens[at].ends_clause or lexicon.joining.match(sentence.tokens, at):
            return False
        if lexicon.outcomes.match(sentence.tokens, at) is not None:
            return True
    return False


def _count(
    sentence: Sentence, lexicon: Lexicon, event: _Event, quantity: _Quantity, *, whole: bool
) -> CountFound:
    first, last = min(quantity.first, event.first), max(quantity.end, event.last)
    start, end, text = sentence.span(first, last)
    words = None
    if quantity.stated and whole:
        words = sentence.span(quantity.first, quantity.last)[2]
    return CountFound(
        start,
        end,
        text,
        event.outcome,
        quantity.group,
        words,
        quantity.figure if whole else None,
        denied=not quantity.exists or _denied(sentence, lexicon, first, last, quantity),
    )


def _denied(
    sentence: Sentence, lexicon: Lexicon, first: int, last: int, quantity: _Quantity
) -> bool:
    """Whether somebody denies it: "not" inside of it, or "denied" before it in its clause."""
    tokens = sentence.tokens
    own = range(quantity.first, quantity.last)
    if any(lexicon.negators.match(tokens, at) for at in range(first, last) if at not in own):
        return True
    if first and lexicon.negators.match(tokens, first - 1):
        return True
    for at in range(first - 1, max(first - 1 - _MOST_AFTER_DENIAL, -1), -1):
        if tokens[at + 1].ends_clause or lexicon.joining.match(tokens, at):
            break
        if lexicon.denials.match(tokens, at):
            return True
    for at in range(last, len(tokens)):
        if tokens[at].ends_clause:
            return False
        if lexicon.denials.match(tokens, at):
            return True
        if not lexicon.between.match(tokens, at):
            return False
    return False
