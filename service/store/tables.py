"""What is kept. `revisions` is the record; every other table can be made again from it.

Days are local days of the theatre, instants are UTC, codes are those of the reference data.
"""

from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.domain.cells import MEASURES
from service.store.database import Identifier, UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(DeclarativeBase):
    """Column types by annotation: an id is a UUID as text, a code up to 200 characters."""

    metadata = metadata
    type_annotation_map = {  # noqa: RUF012
        str: sa.String(200),
        datetime: UtcDateTime,
        date: sa.Date,
        # JSON rather than JSONB: nobody filters on it, and it keeps the order of its names.
        dict[str, Any]: sa.JSON(),
    }


Id = Identifier()
# SQLite counts up only columns of this very type; elsewhere it must not run out.
Counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Revision(Base):
    """One accepted change: the whole content after it, by whom, when and why. Append-only.

    `entry` is what the ledger's leaf is made from and never changes; `private` holds the values
    that the entry only names by a salted hash, and from it alone something can be erased.
    `level` says who was shown the content then; `sha256` is the leaf's hash.
    """

    __tablename__ = "revisions"
    __table_args__ = (
        sa.UniqueConstraint("kind", "subject", "revision"),
        sa.Index(None, "kind", "sequence"),
        sa.Index(None, "recorded_at"),
    )

    sequence: Mapped[int] = mapped_column(Counter, primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    revision: Mapped[int]
    recorded_at: Mapped[datetime]
    actor: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    level: Mapped[int]
    entry: Mapped[str] = mapped_column(sa.Text)
    private: Mapped[str] = mapped_column(sa.Text)


class Pending(Base):
    """A revision that is not in the ledger yet; the sequencer takes it out again."""

    __tablename__ = "pending"

    sequence: Mapped[int] = mapped_column(
        Counter, sa.ForeignKey("revisions.sequence"), primary_key=True, autoincrement=False
    )


class Leaf(Base):
    """A revision's place in the ledger, counted from 0 without gaps."""

    __tablename__ = "leaves"

    position: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(Counter, sa.ForeignKey("revisions.sequence"), unique=True)
    hash: Mapped[str] = mapped_column(sa.String(64), index=True)


class Node(Base):
    """The hash over 2^`level` leaves, complete ones only: so that proofs need few reads."""

    __tablename__ = "nodes"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(sa.String(64))


class Head(Base):
    """A signed tree head, as it was given out."""

    __tablename__ = "heads"

    size: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(sa.String(64))
    signed_at: Mapped[datetime]
    checkpoint: Mapped[str] = mapped_column(sa.Text)


class Reference(Base):
    """One entry of the reference data as it is now; `position` keeps the files' order."""

    __tablename__ = "reference"

    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    content: Mapped[dict[str, Any]]


class Incident(Base):
    """A group of reports. `root_id` is the outermost incident it is part of, itself if none.

    `level` is that of who was shown the incident when its title and note were written: they may
    tell of what nobody else could read.
    """

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(Id, sa.ForeignKey("incidents.id"), index=True)
    root_id: Mapped[str] = mapped_column(Id, index=True)
    title: Mapped[str | None] = mapped_column(sa.Text)
    episode: Mapped[bool]
    counted: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(sa.Text)
    note: Mapped[str | None] = mapped_column(sa.Text)
    merged_into: Mapped[str | None] = mapped_column(Id, sa.ForeignKey("incidents.id"))
    level: Mapped[int]


class Report(Base):
    """A report as it is now. `record` is the content of its latest revision.

    `level` says who is shown it; place and position are those that may be published. `gravity`
    and `waiting` order the reviewers' queue.
    """

    __tablename__ = "reports"
    __table_args__ = (
        sa.Index(None, "claimant", "start_day"),
        # With what says which are shown of a span of days, to count them by it alone.
        sa.Index(None, "start_day", "id", "end_day", "level"),
        sa.Index(None, "reported_end", "id"),
        sa.Index(None, "received_day", "id"),
        sa.Index(None, "waiting", "gravity", "received_day", "id"),
        sa.Index(None, "embargo"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    incident_id: Mapped[str] = mapped_column(Id, sa.ForeignKey("incidents.id"), index=True)
    revision: Mapped[int]
    status: Mapped[str]
    counted: Mapped[bool]
    stance: Mapped[str]
    claimant: Mapped[str]
    attributed_to: Mapped[str | None]
    sector: Mapped[str | None]
    place: Mapped[str | None] = mapped_column(index=True)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    start_day: Mapped[date]
    end_day: Mapped[date]
    reported_start: Mapped[date]
    reported_end: Mapped[date]
    received_at: Mapped[datetime]
    received_day: Mapped[date]
    killed_low: Mapped[int | None] = mapped_column(sa.BigInteger)
    search_text: Mapped[str] = mapped_column(sa.Text)
    record: Mapped[dict[str, Any]]
    level: Mapped[int]
    embargo: Mapped[datetime | None]
    owner: Mapped[str] = mapped_column(index=True)
    waiting: Mapped[bool]
    gravity: Mapped[int]


class ReportTerm(Base):
    """Codes that a report names more than once: weapons and the parties of its casualties."""

    __tablename__ = "report_terms"
    __table_args__ = (sa.Index(None, "kind", "value"),)

    report_id: Mapped[str] = mapped_column(Id, sa.ForeignKey("reports.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)


class Account(Base):
    """An incident as told by all (`claimant` empty) or by one claimant alone; derived.

    It is what readers from `level` to `until_level` are shown: a report that fewer may see makes
    another account for those who do. `known_start` and `known_end` close open sides at the other
    end, for selecting by time; `long` is what may touch more than two months.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        sa.Index(None, "claimant", "known_start", "incident_id"),
        sa.Index(None, "claimant", "reported_end", "incident_id"),
        sa.Index(None, "claimant", "received_day", "incident_id"),
        # Of the few that are long alone: in an index of all, writers would be in each other's way.
        sa.Index(
            "ix_accounts_long",
            *("claimant", "known_start"),
            sqlite_where=sa.text("long = 1"),
            postgresql_where=sa.text("long"),
        ),
    )

    incident_id: Mapped[str] = mapped_column(Id, sa.ForeignKey("incidents.id"), primary_key=True)
    claimant: Mapped[str] = mapped_column(primary_key=True)
    start_day: Mapped[date | None]
    end_day: Mapped[date | None]
    known_start: Mapped[date]
    known_end: Mapped[date]
    lasted: Mapped[bool]
    earliest: Mapped[datetime | None]
    latest: Mapped[datetime | None]
    sector: Mapped[str | None]
    status: Mapped[str]
    contested: Mapped[bool]
    counted: Mapped[bool]
    episode: Mapped[bool]
    reports: Mapped[int]
    reported_start: Mapped[date]
    reported_end: Mapped[date]
    first_received: Mapped[datetime]
    received_day: Mapped[date]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    precision: Mapped[str | None]
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until_level: Mapped[int]
    possible_duplicate: Mapped[bool]
    long: Mapped[bool]


class AccountWeapon(Base):
    """A weapon named in an account; derived."""

    __tablename__ = "account_weapons"

    incident_id: Mapped[str] = mapped_column(Id, primary_key=True)
    claimant: Mapped[str] = mapped_column(primary_key=True)
    weapon: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Figure(Base):
    """An account's figure for a party (empty for everybody) and an outcome; derived.

    `low best high` are the incident's own, `counted_*` what it adds to sums beyond its parts.
    `below` says that a part of it has a figure there.
    """

    __tablename__ = "figures"

    incident_id: Mapped[str] = mapped_column(Id, primary_key=True)
    claimant: Mapped[str] = mapped_column(primary_key=True)
    party: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    low: Mapped[int | None] = mapped_column(sa.BigInteger)
    best: Mapped[int | None] = mapped_column(sa.BigInteger)
    high: Mapped[int | None] = mapped_column(sa.BigInteger)
    status: Mapped[str | None]
    counted_low: Mapped[int | None] = mapped_column(sa.BigInteger)
    counted_best: Mapped[int | None] = mapped_column(sa.BigInteger)
    counted_high: Mapped[int | None] = mapped_column(sa.BigInteger)
    remainder: Mapped[bool]
    below: Mapped[bool]
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Tally(Base):
    """A claimant's count over a span. Never summed."""

    __tablename__ = "tallies"
    __table_args__ = (sa.Index(None, "start_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    claimant: Mapped[str] = mapped_column(index=True)
    sector: Mapped[str | None]
    attributed_to: Mapped[str | None]
    unit: Mapped[str]
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    record: Mapped[dict[str, Any]]


class Coverage(Base):
    """Who watched which sectors, when, by what means, with what access."""

    __tablename__ = "coverage"
    __table_args__ = (sa.Index(None, "start_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    observer: Mapped[str]
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    access: Mapped[str]
    record: Mapped[dict[str, Any]]


class CoverageSector(Base):
    """A sector that a watch covers, with all below it."""

    __tablename__ = "coverage_sectors"

    coverage_id: Mapped[str] = mapped_column(Id, sa.ForeignKey("coverage.id"), primary_key=True)
    sector: Mapped[str] = mapped_column(primary_key=True)


class Key(Base):
    """An API key, hashed, with what it allows."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    role: Mapped[str]
    read_only: Mapped[bool]
    expires_at: Mapped[datetime | None]


class Feed(Base):
    """A source that is asked again and again, as declared, and where asking it stands."""

    __tablename__ = "feeds"

    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    next_run_at: Mapped[datetime | None] = mapped_column(index=True)
    failures: Mapped[int]
    asked_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]
    etag: Mapped[str | None] = mapped_column(sa.Text)
    last_modified: Mapped[str | None] = mapped_column(sa.Text)


class Import(Base):
    """One reading of a file of a source, and its account.

    `running` names the source while it is being read, so that no source is read twice at once;
    `held_until` is when another process may take over. `position` counts the entries that are
    through. `content` says how the file is read, `account` how it ended.
    """

    __tablename__ = "imports"
    __table_args__ = (sa.Index(None, "source", "started_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source: Mapped[str]
    feed: Mapped[str | None] = mapped_column(index=True)
    running: Mapped[str | None] = mapped_column(unique=True)
    holder: Mapped[str | None]
    held_until: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(index=True)
    fault: Mapped[str | None]
    detail: Mapped[str | None] = mapped_column(sa.Text)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    sha256: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    total: Mapped[int | None]
    position: Mapped[int]
    attempts: Mapped[int]
    content: Mapped[dict[str, Any]]
    account: Mapped[dict[str, Any]]


class ArchivePiece(Base):
    """A piece of a file as it came, compressed (zlib); the file is named by its SHA-256."""

    __tablename__ = "archive_pieces"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes]


class Reject(Base):
    """An entry of a file that was not taken, why, and as it stood; `position` counts entries."""

    __tablename__ = "rejects"

    import_id: Mapped[str] = mapped_column(Id, sa.ForeignKey("imports.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int]
    held: Mapped[bool]
    problems: Mapped[dict[str, Any]]
    original: Mapped[dict[str, Any]]


class Lead(Base):
    """Something that a source wrote and that a person may turn into reports."""

    __tablename__ = "leads"
    __table_args__ = (sa.Index(None, "state", "received_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    revision: Mapped[int]
    received_at: Mapped[datetime]
    record: Mapped[dict[str, Any]]


class Photo(Base):
    """A photo as it is now; `record` is the content of its latest revision.

    `sha256` is that of what was sent, so that it is kept once for a report; none once it is erased.
    """

    __tablename__ = "photos"
    __table_args__ = (sa.UniqueConstraint("report_id", "sha256"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    report_id: Mapped[str] = mapped_column(Id)
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    revision: Mapped[int]
    record: Mapped[dict[str, Any]]


class PhotoPiece(Base):
    """A piece of a photo as it came (`part` is `original`) or of its copy (`copy`)."""

    __tablename__ = "photo_pieces"

    photo_id: Mapped[str] = mapped_column(Id, primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes]


class Summing(Base):
    """By which definition the cells were summed; the only row is rewritten with them."""

    __tablename__ = "summing"

    definition: Mapped[str] = mapped_column(sa.String(64), primary_key=True)


def _cell_columns(*, keyed: bool) -> list[sa.Column[Any]]:
    """What tells cells apart, as in `domain.cells.Cell`, and what each of them sums."""
    keys: dict[str, sa.types.TypeEngine[Any]] = {
        "cube": sa.String(250),
        "start": sa.Date(),
        "end": sa.Date(),
        "is_open": sa.Boolean(),
        "sector": sa.String(200),
        "status": sa.String(200),
        "code": sa.String(200),
        "level": sa.Integer(),
        "until_level": sa.Integer(),
    }
    return [
        *(
            sa.Column(name, kind, primary_key=keyed, nullable=False, autoincrement=False)
            for name, kind in keys.items()
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES),
    ]


CELLS: Final = sa.Table(
    "cells",
    metadata,
    *_cell_columns(keyed=True),
    sa.Index(None, "cube", "end"),
    # In the order of their key, so that what one answer reads lies together.
    sqlite_with_rowid=False,
)
"""Accounts summed, as `domain.cells` defines it; derived. No cell is empty."""

CELL_CHANGES: Final = sa.Table(
    "cell_changes",
    metadata,
    sa.Column("id", Counter, primary_key=True),
    *_cell_columns(keyed=False),
)
"""What cells of days have to be added since they were folded, and all larger ones with them.

Writers only ever append here, so none waits for another that changes the same cell.
"""
