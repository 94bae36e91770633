"""What an operator can set. Read once, by the command line and by the application."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal

import limits
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

ROOT: Final = Path(__file__).resolve().parent.parent


def _with_driver(url: str) -> str:
    """Name the driver where hosting providers leave it out: bare names differ between releases."""
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        # The reason would repeat parts of the URL, and it may hold a password.
        raise ValueError("is not the URL of a database") from None
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg{separator}{rest}"
    return url


def _limit(text: str) -> str:
    # An empty variable counts as none at all, so that `off` is needed there.
    if text in ("", "off"):
        return ""
    try:
        [limit] = limits.parse_many(text)
    except ValueError:
        raise ValueError("is not a limit such as 300/minute") from None
    if limit.amount < 1:
        raise ValueError("must let one request through")
    return text


def _networks(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return tuple(str(ip_network(text.strip(), strict=False)) for text in given.split(","))
    except ValueError:
        raise ValueError("must be addresses or networks, with commas between them") from None


DatabaseUrl = Annotated[str, AfterValidator(_with_driver)]
Limit = Annotated[str, AfterValidator(_limit)]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_networks)]


class Settings(BaseSettings):
    """The settings of one process.

    Raises `pydantic.ValidationError`, without the offending value, when one does not fit.
    """

    model_config = SettingsConfigDict(
        env_prefix="CEASEFIRE_",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_default=True,
    )

    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    """Address to listen on."""

    port: int = Field(default=8000, validation_alias="PORT", ge=0, le=65535)
    """Port to listen on; 0 takes any free one."""

    database_url: DatabaseUrl = Field(
        default=f"sqlite:///{(ROOT / 'var' / 'ceasefire.db').as_posix()}",
        validation_alias="DATABASE_URL",
        repr=False,
    )
    """SQLAlchemy URL of the database, SQLite or PostgreSQL."""

    read_database_url: DatabaseUrl | None = Field(default=None, repr=False)
    """URL of a replica that lists and aggregates may read from; none means the database itself."""

    seed_dir: Path = ROOT / "seed_data"
    """Folder with the reference data and the first incidents."""

    key_file: Path = ROOT / "var" / "api-key"
    """File, readable by its owner only, that the first API key is written to."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe message that is logged."""

    statement_timeout: PositiveFloat = 30.0
    """Seconds after which a database statement is given up."""

    max_body_bytes: PositiveInt = 1024 * 1024
    """Largest request body, in bytes, of a route that does not stream."""

    max_line_bytes: PositiveInt = 256 * 1024
    """Longest line, in bytes, of a streamed upload."""

    max_upload_bytes: PositiveInt = 1024 * 1024 * 1024
    """Largest streamed upload, in bytes."""

    max_photo_bytes: PositiveInt = 8 * 1024 * 1024
    """Largest photo, in bytes."""

    max_photo_pixels: PositiveInt = 40_000_000
    """Most pixels of a photo; to decode one takes about four bytes of memory for each."""

    cache_bytes: NonNegativeInt = 32 * 1024 * 1024
    """Bytes of finished answers kept in memory, for as long as nothing changes; 0 for none."""

    reviewers_to_verify: Annotated[int, Field(ge=1, le=2)] = 1
    """How many reviewers must agree before a report is verified."""

    keep_submission_times: bool = False
    """Whether the moment a monitor sends a report is kept; otherwise only the day is."""

    body_timeout_seconds: PositiveFloat = 30.0
    """Seconds a client may take to send a request body that is not streamed."""

    limit_anonymous: Limit = "300/minute"
    """Requests without a key from one address; `off` for any number."""

    limit_key: Limit = "1200/minute"
    """Requests with one key; `off` for any number."""

    limit_failures: Limit = "30/minute"
    """Requests with keys that are not valid from one address; `off` for any number."""

    trusted_proxies: Networks = ()
    """Addresses and networks of proxies whose X-Forwarded-For says where a request comes from."""

    ledger_name: str = Field(default="ceasefire-incident-tracker", pattern=r"^[!-*,-~]{1,100}$")
    """Name of the ledger in signed tree heads, without spaces and plus signs; never changed."""

    ledger_key_file: Path = ROOT / "var" / "ledger-key"
    """Private key that signs tree heads, PEM; without the file nothing is signed."""

    ledger_interval_seconds: NonNegativeFloat = 5.0
    """Seconds between rounds of the work in the background; 0 for none."""

    head_interval_seconds: PositiveFloat = 3600.0
    """Least seconds between two signed tree heads."""

    metrics: bool = False
    """Whether /metrics gives counts to admins."""

    feeds_file: Path = ROOT / "feeds.toml"
    """File that declares feeds; without it only those declared over the API are asked."""

    feeds_interval_seconds: NonNegativeFloat = 30.0
    """Seconds between looks for feeds whose time has come; 0 where another process asks them."""

    feed_networks: Networks = ()
    """Networks that are not public and that feeds may be fetched from all the same."""

    publish_heads: str = Field(default="", repr=False)
    """Where heads are published: file:/folder, git:/clone, https://…, with spaces between."""
