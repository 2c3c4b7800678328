"""Functions that are in error by the platform's convention and right by their own, which their library documents.

A row is for a function that its callers call in a way of its own; a false alarm has no place here, and a row that no
longer meets any finding fails the proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class OwnConvention:
    """One function, or several of one kind."""

    library: str
    """The beginning of the file's name."""
    function: str
    """A pattern of its whole name."""
    rules: tuple[str, ...]
    """What of the platform's convention it does not keep."""
    convention: str
    source: str
    """Where that is written."""

    def fits(self, library: str, function: str, rule: str) -> bool:
        """Whether a finding is one of this function's own convention."""
        return library.startswith(self.library) and rule in self.rules and bool(re.fullmatch(self.function, function))


EXCEPTIONS: tuple[OwnConvention, ...] = ()
