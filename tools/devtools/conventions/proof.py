"""The proof itself: every file of every corpus verified, a row of counts a corpus, and each error by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..shell import DevelopmentError, say
from .corpora import Corpus, all_corpora
from .exceptions import EXCEPTIONS, OwnConvention
from .verified import Fault, Image, verify

MOST_NOT_CHECKED = {"ELF": 0.005, "Mach-O": 0.005, "PE": 0.01}
"""The share of functions that may be left unchecked: PE is Microsoft's compilers', the others are gcc's and LLVM's."""

HEADING = (
    f"{'corpus':28}{'files':>6}{'functions':>11}{'instructions':>13}{'not checked':>13}{'':8}{'errors':>8}"
    f"{'warnings':>10}{'excepted':>10}{'seconds':>9}"
)


@dataclass(frozen=True)
class Row:
    """A corpus, or what of it has one format."""

    corpus: str
    format: str
    images: Sequence[Image]

    @property
    def functions(self) -> int:
        """How many there are."""
        return sum(one.functions for one in self.images)

    @property
    def not_checked(self) -> int:
        """Functions that could not be followed."""
        return sum(len(one.not_followed) for one in self.images)

    def faults(self, severity: str) -> list[tuple[Image, Fault]]:
        """What was found of a severity, and where."""
        return [(one, fault) for one in self.images for fault in one.faults if fault.severity == severity]

    def alarms(self) -> list[tuple[Image, Fault]]:
        """Errors that no row of the exceptions explains."""
        return [(image, fault) for image, fault in self.faults("error") if exception_for(image, fault) is None]

    def text(self) -> str:
        """The row of the table."""
        alarms, errors = len(self.alarms()), len(self.faults("error"))
        return (
            f"{self.corpus + ', ' + self.format:28}{len(self.images):6}{self.functions:11}"
            f"{sum(one.instructions for one in self.images):13}{self.not_checked:13}"
            f"{self.not_checked / max(1, self.functions):8.2%}{alarms:8}{len(self.faults('warning')):10}"
            f"{errors - alarms:10}{sum(one.milliseconds for one in self.images) / 1000:9.1f}"
        )


def exception_for(image: Image, fault: Fault) -> OwnConvention | None:
    """The row that says why an error is none."""
    return next((row for row in EXCEPTIONS if row.fits(image.library, fault.function, fault.rule)), None)


def prove(program: Path) -> None:
    """Verifies every corpus. Raises DevelopmentError on an error that is no exception, and on too much not checked."""
    rows: list[Row] = []
    unread: list[str] = []
    for corpus in all_corpora():
        for note in corpus.notes:
            say(f"{corpus.name}: {note}")
        images = verify(program, corpus.files)
        rows += rows_of(corpus, images)
        unread += unread_files(images)
    print(HEADING)
    for row in rows:
        print(row.text())
    for row in rows:
        _tell_reasons(row)
    wrong = [line for row in rows for line in _tell_alarms(row)] + complaints(rows) + unread
    if wrong:
        raise DevelopmentError("; ".join(wrong))


def rows_of(corpus: Corpus, images: Sequence[Image]) -> list[Row]:
    """A row a format; what was passed over is told, with the reasons."""
    reasons = Counter(one.passed_over for one in images if one.passed_over)
    for reason, count in reasons.most_common():
        say(f"{corpus.name}: {count} passed over: {reason}")
    formats = dict.fromkeys(one.format for one in images if one.format)
    return [Row(corpus.name, name, [one for one in images if one.format == name]) for name in formats]


def unread_files(images: Iterable[Image]) -> list[str]:
    """What was passed over though it is code for x86-64: every file of a corpus is one that some system loads."""
    return [
        f"{one.name} was not verified: {one.passed_over}"
        for one in images
        if one.passed_over and not one.passed_over.startswith("it is code for ")
    ]


def complaints(rows: Iterable[Row]) -> list[str]:
    """What else makes the proof fail: too little that is checked, and exceptions that nothing needs."""
    every = list(rows)
    wrong = [
        f"{row.corpus}, {row.format}: {row.not_checked} of {row.functions} functions could not be followed"
        for row in every
        if row.not_checked > MOST_NOT_CHECKED[row.format] * row.functions
    ]
    used = {exception_for(image, fault) for row in every for image, fault in row.faults("error")}
    return wrong + [
        f"the exception for {one.function} of {one.library} meets no error" for one in EXCEPTIONS if one not in used
    ]


def _tell_reasons(row: Row) -> None:
    reasons = Counter(one.reason for image in row.images for one in image.not_followed)
    for reason, count in reasons.most_common():
        print(f"{row.corpus}, {row.format}: {count} functions not checked because {reason}")


def _tell_alarms(row: Row) -> list[str]:
    alarms = row.alarms()
    for image, fault in alarms:
        print(f"{image.name}: {fault.place}: {fault.message} [{fault.rule}]")
    return [f"{row.corpus}, {row.format}: {len(alarms)} errors on code of compilers"] if alarms else []
