"""What an import may find wrong, and how it accounts for every row."""

from enum import StrEnum

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


class Unusable(Invalid):
    """A source as a whole that cannot be taken: `fault` says why, `detail` in words."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail, "file")
        self.fault = fault
