"""What two reports disagree in, as data and in English."""

from typing import Any

from service.domain.contradictions import Contradiction, Difference, Form
from service.domain.figures import Figure
from service.domain.vocabulary import Stance
from service.domain.when import When
from service.formats.views import figure_view

Json = dict[str, Any]


def contradiction_view(found: Contradiction) -> Json:
    return {
        "report": found.report,
        "claimant": found.claimant,
        "reasons": [sentence(each) for each in found.differences],
        "told": [_told(each) for each in found.differences],
    }


def sentence(difference: Difference) -> str:
    own, other = _in_words(difference.own), _in_words(difference.other)
    match difference.form:
        case Form.STANCE:
            return "one of them is a denial"
        case Form.ATTRIBUTED_TO:
            return f"blames {other}, not {own}"
        case Form.WHEN:
            return f"says {other}, not {own}"
        case Form.FIGURE:
            whose = " ".join(filter(None, (difference.cell.party, difference.cell.group)))
            of_whom = f" ({whose})" if whose else ""
            return f"{difference.outcome}{of_whom}: {other}, not {own}"


def _told(difference: Difference) -> Json:
    return {
        "form": difference.form,
        "own": _value(difference.own),
        "other": _value(difference.other),
        "outcome": difference.outcome,
        "party": difference.cell.party,
        "group": difference.cell.group,
    }


def _value(said: Stance | str | When | Figure) -> Json | str:
    return figure_view(said) if isinstance(said, Figure) else str(said)


def _in_words(said: Stance | str | When | Figure) -> str:
    if not isinstance(said, Figure):
        return str(said)
    if said.high is None:
        return f"at least {said.low}"
    return str(said.low) if said.low == said.high else f"{said.low} to {said.high}"
