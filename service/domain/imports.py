"""What an import may find wrong, how it accounts for every row, and when it waits for a person."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from service.domain.access import Visibility
from service.errors import Invalid


class Fault(StrEnum):
    """Why nothing of a file was taken."""

    ADDRESS_REFUSED = "address_refused"
    REDIRECT_REFUSED = "redirect_refused"
    UNREACHABLE = "unreachable"
    DEADLINE = "deadline"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    BAD_ARCHIVE = "bad_archive"
    BAD_CONTENT = "bad_content"
    BAD_ENCODING = "bad_encoding"
    BAD_HEADER = "bad_header"
    LINE_TOO_LONG = "line_too_long"
    XML_FORBIDDEN = "xml_forbidden"
    SUSPICIOUS_ROWCOUNT = "suspicious_rowcount"
    SCHEMA_CHANGED = "schema_changed"
    SHRUNK = "shrunk"
    MASS_CHANGE = "mass_change"
    MANY_REJECTED = "many_rejected"
    REJECTED = "rejected"
    INTERRUPTED = "interrupted"


# What a person may look at and let through all the same.
RELEASABLE: Final = frozenset(
    {Fault.SCHEMA_CHANGED, Fault.SHRUNK, Fault.MASS_CHANGE, Fault.MANY_REJECTED}
)
# What waits for a person, though only a better file helps.
HELD: Final = RELEASABLE | {Fault.SUSPICIOUS_ROWCOUNT}


class Unusable(Invalid):
    """A source as a whole that cannot be taken: `fault` says why, `detail` in words."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail, "file")
        self.fault = fault


class State(StrEnum):
    """How far an import has come."""

    FETCHING = "fetching"
    READY = "ready"
    APPLYING = "applying"
    DONE = "done"
    HELD = "held"
    FAILED = "failed"
    DISCARDED = "discarded"
    UNMOVED = "unmoved"


UNFINISHED: Final = frozenset({State.FETCHING, State.READY, State.APPLYING})


class Verdict(StrEnum):
    """What becomes of one entry. A change is one of the claim or only of the note about it."""

    CREATED = "created"
    CLAIM = "claim"
    NOTE = "note"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    HELD = "held"


@dataclass(slots=True)
class Account:
    """How a reading of a file ended: `read` is the sum of what became of its entries.

    `claims` and `notes` together are what was updated. `absent` counts what the source listed
    before and does not list any more; it stays.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    absent: int = 0

    @property
    def read(self) -> int:
        return self.verdicts.total()

    @property
    def updated(self) -> int:
        return self.verdicts[Verdict.CLAIM] + self.verdicts[Verdict.NOTE]

    @property
    def known(self) -> int:
        """How many of the entries were recorded before."""
        of = self.verdicts
        return self.updated + of[Verdict.UNCHANGED] + of[Verdict.HELD]

    def holding(self) -> "Account":
        """The account while nothing is taken: what would have been waits."""
        of = self.verdicts
        waiting = self.read - of[Verdict.REJECTED] - of[Verdict.UNCHANGED]
        return Account(
            Counter(
                {
                    Verdict.UNCHANGED: of[Verdict.UNCHANGED],
                    Verdict.REJECTED: of[Verdict.REJECTED],
                    Verdict.HELD: waiting,
                }
            ),
            self.remarks,
            self.absent,
        )

    def to_json(self) -> dict[str, Any]:
        of = self.verdicts
        return {
            "read": self.read,
            "created": of[Verdict.CREATED],
            "updated": self.updated,
            "unchanged": of[Verdict.UNCHANGED],
            "rejected": of[Verdict.REJECTED],
            "held": of[Verdict.HELD],
            "changed": {"claims": of[Verdict.CLAIM], "notes": of[Verdict.NOTE]},
            "absent": self.absent,
            "remarks": dict(sorted(self.remarks.items())),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Account":
        changed = told.get("changed", {})
        return cls(
            Counter(
                {
                    Verdict.CREATED: told.get("created", 0),
                    Verdict.CLAIM: changed.get("claims", 0),
                    Verdict.NOTE: changed.get("notes", 0),
                    Verdict.UNCHANGED: told.get("unchanged", 0),
                    Verdict.REJECTED: told.get("rejected", 0),
                    Verdict.HELD: told.get("held", 0),
                }
            ),
            Counter(told.get("remarks", {})),
            told.get("absent", 0),
        )


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Above which share an import waits for a person: of the entries known before that say
    something else now (`changed`), of those that are gone (`gone`), of those read that cannot be
    taken (`rejected`). Of fewer than `least`, no share is asked for."""

    changed: float = 0.2
    gone: float = 0.2
    rejected: float = 0.2
    least: int = 10

    def doubt(self, account: Account, *, atomic: bool = False) -> Fault | None:
        """Why the file should not be taken without a person, worst first; `None` where nothing
        speaks against it. `atomic` takes a file whole or not at all."""
        of = account.verdicts
        if self._exceeds(account.absent, account.known + account.absent, self.gone):
            return Fault.SHRUNK
        if self._exceeds(of[Verdict.CLAIM], account.known, self.changed):
            return Fault.MASS_CHANGE
        if self._exceeds(of[Verdict.REJECTED], account.read, self.rejected):
            return Fault.MANY_REJECTED
        if atomic and of[Verdict.REJECTED]:
            return Fault.REJECTED
        return None

    def _exceeds(self, some: int, whole: int, share: float) -> bool:
        return whole >= self.least and some > share * whole


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a report comes from: the source and its own name for it, the import that last changed
    it, the digest of what the source said then, whom it may be passed on to, and the source's own
    codes that no field holds."""

    source: str
    key: str
    import_id: str
    sha256: str
    circle: Visibility
    licence: str | None = None
    kept: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "key": self.key,
            "import": self.import_id,
            "sha256": self.sha256,
            "circle": self.circle.value,
            "licence": self.licence,
            "kept": dict(self.kept),
        }


# What of a report is only about where a claim was found, not what is claimed.
_NOTES: Final = frozenset({"id", "summary", "sources", "reported", "disclosure", "incident"})


def claim_of(posted: Mapping[str, Any]) -> dict[str, Any]:
    """What a report claims: times, positions and how finely they are known, areas, figures,
    weapons, and who says so of whom. The spelling of the place, the words of figures and the
    sources are notes."""
    claim = {name: value for name, value in posted.items() if name not in _NOTES and value}
    where = posted.get("where", {})
    # With a position, names of the place and its area only say where that is.
    notes = {"as_written", *(("place", "sector") if where.get("lat") is not None else ())}
    claim["where"] = {name: value for name, value in where.items() if name not in notes}
    claim["casualties"] = [_without_words(line) for line in posted.get("casualties", ())]
    return claim


def _without_words(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {part: bound for part, bound in value.items() if part != "words"}
        if isinstance(value, Mapping) and len(value) > 1
        else value
        for name, value in line.items()
    }


def missing(before: Collection[str], now: Collection[str]) -> list[str]:
    """Columns that the source used to have and has no longer, in order."""
    return sorted({*before} - {*now})
