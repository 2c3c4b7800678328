"""What the parts of a test run came to: read from JUnit files, shown as one table, summed up in one line."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REASON_WIDTH = 90


@dataclass(frozen=True)
class Outcome:
    """One part of a run. `error` says why it counts as failed beyond its tests' own results."""

    what: str
    python: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    error: str = ""
    counts: bool = True
    """Whether the part is made of tests; a linter is not, and has no place in the sum."""
    not_run: str = ""
    """Why a part that the table must name was not run, where that is no failure."""

    @property
    def good(self) -> bool:
        """A skipped test did not run, and what did not run has not passed."""
        return not (self.failed or self.skipped or self.error) and (self.passed > 0 or not self.counts)


def from_junit(what: str, python: str, report: Path, *, succeeded: bool, seconds: float) -> Outcome:
    """The outcome that a runner wrote down; a runner that wrote nothing, or ran nothing, has failed."""
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return Outcome(what, python, failed=1, seconds=seconds, error="ended without a report")
    sums = (_sum(suites, name) for name in ("tests", "failures", "errors", "skipped", "disabled"))
    tests, failures, errors, skipped, disabled = sums
    failed, skipped = failures + errors, skipped + disabled
    error = ""
    if tests == 0:
        error = "ran no test"
    elif not succeeded and not failed:
        error = "ended with a failure that no test reports"
    return Outcome(what, python, max(0, tests - failed - skipped), failed, skipped, seconds, error)


def _sum(suites: Sequence[ElementTree.Element], name: str) -> int:
    return sum(int(suite.get(name) or 0) for suite in suites)


def table(outcomes: Sequence[Outcome]) -> str:
    """What ran under what, with the counts; then one line that sums up every test."""
    rows = [("what", "CPython", "passed", "failed", "not run", "seconds", "")]
    for one in outcomes:
        if one.not_run:
            numbers = ("", "", "not run")
        elif one.counts:
            numbers = (str(one.passed), str(one.failed), str(one.skipped))
        else:
            numbers = ("clean", "", "") if one.good else ("", "not clean", "")
        seconds = f"{one.seconds:.1f}" if one.seconds else ""
        rows.append((one.what, one.python, *numbers, seconds, _cut(one.error or one.not_run)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["", lines[0], "  ".join("-" * width for width in widths).rstrip(), *lines[1:], ""])


def _cut(text: str) -> str:
    """A reason that fits into a table: the run has shown all of it."""
    line = text.partition("\n")[0]
    return line if len(line) <= REASON_WIDTH else line[: REASON_WIDTH - 1] + "…"


def summary(outcomes: Sequence[Outcome]) -> str:
    """The closing line. What ended without a result counts as failed: the line never looks better than the run."""
    counted = [one for one in outcomes if one.counts]
    failed = sum(max(one.failed, 1 if one.error else 0) for one in counted)
    skipped = sum(one.skipped for one in counted)
    line = f"tests: {sum(one.passed for one in counted)} passed, {failed} failed"
    return f"{line}, {skipped} skipped" if skipped else line
