"""The closed lists. Open lists (weapons, claimants, parties, sectors) are reference data."""

from enum import StrEnum
from typing import Final

UNLOCATED: Final = "unlocated"
SPANNING: Final = "spanning"
OUTSIDE: Final = "outside"
INCOMPLETE: Final = "incomplete"
UNSTATED: Final = "unstated"
UNMAPPED: Final = "unmapped"


class Stance(StrEnum):
    """What a report does with the event it speaks of."""

    ASSERTS = "asserts"
    DENIES = "denies"
    CORRECTS = "corrects"


class Status(StrEnum):
    """How far a report has been established, as decided by a reviewer."""

    UNVERIFIED = "unverified"
    CORROBORATED = "corroborated"
    VERIFIED = "verified"
    UNVERIFIABLE = "unverifiable"
    REFUTED = "refuted"
    WITHDRAWN = "withdrawn"


class Basis(StrEnum):
    """The evidence a status rests on, weakest first."""

    REPORTED_UNNAMED = "reported-unnamed"
    CLAIMED_BY_PARTY = "claimed-by-party"
    CLAIMED_AND_DENIED = "claimed-and-denied"
    MUTUAL_ACCUSATION = "mutual-accusation"
    PARTY_EVIDENCE = "party-evidence"
    NAMED_BY_TITLE = "named-by-title"
    COURT_COMMUNICATED = "court-communicated"
    OWN_PROCEEDINGS = "own-proceedings"
    HUMANITARIAN_REGISTRATION = "humanitarian-registration"
    PEACEKEEPERS = "peacekeepers"
    INDEPENDENT_INVESTIGATION = "independent-investigation"


class Outcome(StrEnum):
    """What happened to people. `displaced` is kept per incident and never summed."""

    KILLED = "killed"
    WOUNDED = "wounded"
    MISSING = "missing"
    CAPTURED = "captured"
    DISPLACED = "displaced"


SUMMED_OUTCOMES: Final = (Outcome.KILLED, Outcome.WOUNDED, Outcome.MISSING, Outcome.CAPTURED)


class Group(StrEnum):
    """Whether casualties were under arms."""

    MILITARY = "military"
    CIVILIAN = "civilian"


class Precision(StrEnum):
    """How finely a pair of coordinates is known, finest first."""

    EXACT = "exact"
    SETTLEMENT = "settlement"
    DISTRICT = "district"
    SECTOR = "sector"
    THEATRE = "theatre"


class ClaimantKind(StrEnum):
    """What sort of voice a claimant is."""

    GOVERNMENT = "government"
    DE_FACTO_AUTHORITY = "de-facto-authority"
    PEACEKEEPING_MISSION = "peacekeeping-mission"
    OBSERVER_MISSION = "observer-mission"
    HUMANITARIAN_BODY = "humanitarian-body"
    INTERNATIONAL_ORGANISATION = "international-organisation"
    NGO = "ngo"
    RESEARCH = "research"
    MEDIA = "media"
    RESIDENT = "resident"
    APPLICANT = "applicant"
    MONITOR = "monitor"
    UNNAMED = "unnamed"


class Unit(StrEnum):
    """What a tally counts. Tallies of different units are never added."""

    VIOLATIONS = "violations"
    SHOTS = "shots"
    PROJECTILES = "projectiles"
    EXPLOSIONS = "explosions"
    BURSTS = "bursts"
    MUZZLE_FLASHES = "muzzle-flashes"
    ILLUMINATION_FLARES = "illumination-flares"


class Access(StrEnum):
    """How freely an observer could watch."""

    FULL = "full"
    PARTIAL = "partial"
    DENIED = "denied"


class Flag(StrEnum):
    """Why a well-formed report is doubtful. A flagged report cannot become verified."""

    UNMAPPED = "unmapped"
    CLOCK_SKEW = "clock_skew"
    OUT_OF_PERIOD = "out_of_period"
    AMBIGUOUS_TIME = "ambiguous_time"
    IMPLAUSIBLE_CASUALTIES = "implausible_casualties"
    UNREADABLE_QUANTITY = "unreadable_quantity"
    MAYBE_SWAPPED = "maybe_swapped"
    NULL_ISLAND = "null_island"
    OUTSIDE_AREA = "outside_area"
    SECTOR_NOT_VALID = "sector_not_valid"
    PLACE_SECTOR_MISMATCH = "place_sector_mismatch"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    PERSONAL_DATA = "personal_data"
    UNUSUAL_CHARACTERS = "unusual_characters"
