"""Which edition of the rules figures are made by (docs/method.md)."""

from typing import Final

METHOD_VERSION: Final = "1.0"
"""Raised whenever the same reports would give another figure; told with every export."""
