"""API keys as they are asked for."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from service.domain.access import Role
from service.formats.reports import Code, Instant, Strict, instant_of

RoleText = Annotated[Role, Field(strict=False)]


class KeyIn(Strict):
    """A key to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "north", "role": "monitor", "expires_at": "2099-01-01T00:00Z"},
                {"name": "dashboard", "role": "partner", "read_only": True},
            ]
        }
    )

    name: Code
    """Whose key it is: letters, digits, spaces or any of `. _ @ -`."""
    role: RoleText
    """Anything but `anonymous`."""
    read_only: bool = False
    """It may ask, but neither send nor change anything."""
    expires_at: Instant | None = None
    """Instant from which on it is useless; without it, never."""

    def end(self) -> datetime | None:
        return instant_of(self.expires_at) if self.expires_at else None


class KeyChange(Strict):
    """A JSON merge patch (RFC 7396) over a key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"role": "reviewer"},
                {"read_only": True, "expires_at": "2099-01-01T00:00Z"},
            ]
        }
    )

    role: RoleText | None = None
    read_only: bool | None = None
    expires_at: Instant | None = None
    """`null` takes the end away."""

    @model_validator(mode="after")
    def _something_is_there(self) -> Self:
        for name in ("role", "read_only"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError("role and read_only cannot be taken away")
        return self

    def given(self) -> dict[str, Any]:
        """What is given, as the arguments of the change; the end as an instant or `None`."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        if values.get("expires_at") is not None:
            values["expires_at"] = instant_of(values["expires_at"])
        return values
