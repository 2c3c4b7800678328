"""How many mutants there are of each kind, how many break, and how many of these are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from .explained import DECIDED
from .judge import Verdict

COLUMNS = {
    "mutants": 9,
    "broken": 9,
    "found": 9,
    "by hand": 10,
    "missed": 9,
    "found, ran well": 18,
}
"""Their names and widths. `by hand`: what DECIDED says to be no break of the convention."""


def table(verdicts: Sequence[Verdict]) -> str:
    """Counts by convention, by who wrote the frames, and by kind."""
    head = f"{'functions':18}  {'kind':28}{''.join(f'{name:>{width}}' for name, width in COLUMNS.items())}"
    rows = [head, "-" * len(head)]
    for (functions, kind), group in groupby(sorted(verdicts, key=_group), _group):
        rows.append(f"{functions:18}  {kind:28}{_cells(group)}")
    rows.append(f"{'all':18}  {'':28}{_cells(verdicts)}")
    return "\n".join(rows)


def _group(verdict: Verdict) -> tuple[str, str]:
    function = verdict.mutant.function
    return f"{function.convention.name}, {function.origin}", verdict.mutant.kind


def counts(verdicts: Iterable[Verdict]) -> Counter[str]:
    """By the names of COLUMNS."""
    count: Counter[str] = Counter()
    for one in verdicts:
        is_decided = one.is_missed and any(row.fits(one) for row in DECIDED)
        count["mutants"] += 1
        count["broken"] += bool(one.broken)
        count["found"] += bool(one.broken and one.found)
        count["by hand"] += is_decided
        count["missed"] += one.is_missed and not is_decided
        count["found, ran well"] += bool(one.found and not one.broken)
    return count


def _cells(verdicts: Iterable[Verdict]) -> str:
    count = counts(verdicts)
    return "".join(f"{count[name]:{width}}" for name, width in COLUMNS.items())
