"""Photos of what a report tells: what is taken, and what others are shown of it."""

from typing import Final

MEDIA_TYPES: Final = ("image/jpeg", "image/png", "image/webp")
MOST_OF_A_REPORT: Final = 12
"""So many photos one report may have."""
LONGEST_SIDE: Final = 2048
"""Pixels of the longest side of a copy."""
