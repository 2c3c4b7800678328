"""The one error family: what is wrong, where, and what to type.

A user never sees a traceback for a mistake of theirs: whoever calls a hook of ours ends in `user_errors()`, which
prints `file:line: error: what is wrong [rule-id]` and `fix: …` and leaves with status 1. Pip shows such a hook's
output as it is, where a raised exception would be shown as twenty lines of its own machinery.
"""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `line` counts from 1; 0 when only the file is known."""

    message: str
    rule: str
    fix: str = ""
    file: str = ""
    line: int = 0
    severity: str = "error"

    def render(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        text = f"{place}{self.severity}: {self.message} [{self.rule}]"
        if self.fix:
            text += "\n  fix: " + self.fix.replace("\n", "\n       ")
        return text


class BuildError(Exception):
    """A build that cannot go on, for a reason that its user can mend.

    `details` are further lines for the reader: the command that failed, what it printed.
    """

    def __init__(self, problems: Problem | Sequence[Problem], details: str = "") -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        self.details = details
        super().__init__(self.render())

    def render(self) -> str:
        lines = [problem.render() for problem in self.problems]
        if self.details:
            lines.append(self.details)
        return "\n".join(lines)


def failed(message: str, rule: str, fix: str = "", *, file: str = "", line: int = 0, details: str = "") -> BuildError:
    """A BuildError with one problem, for `raise failed(…)`."""
    return BuildError(Problem(message, rule, fix, file, line), details)


def say(text: str) -> None:
    """A line for the person who builds. Standard error: a front end may read standard output."""
    print(text, file=sys.stderr, flush=True)


_DISK_FIXES = {
    errno.ENOSPC: "free some space there, or build elsewhere: -C build-dir=FOLDER, and TMPDIR for temporary files",
    errno.EDQUOT: "free some of the quota there, or build elsewhere: -C build-dir=FOLDER",
    errno.EROFS: "write to a folder that is not mounted read-only: pip wheel -w FOLDER, -C build-dir=FOLDER",
    errno.EACCES: "make the folder writable, or build elsewhere: pip wheel -w FOLDER, -C build-dir=FOLDER",
    errno.EPERM: "make the folder writable, or build elsewhere: pip wheel -w FOLDER, -C build-dir=FOLDER",
}


def disk_error(error: OSError) -> BuildError | None:
    """What an operating system's refusal to write means for the user; None for any other error."""
    fix = _DISK_FIXES.get(error.errno or 0)
    if fix is None:
        return None
    where = str(error.filename2 or error.filename or "")
    return failed(f"cannot write: {(error.strerror or 'error').lower()}", "disk", fix, file=where)


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Ends what a user can mend in printed lines and exit status 1 (130 after Ctrl-C); lets faults of ours through."""
    try:
        yield
    except BuildError as error:
        say(error.render())
    except KeyboardInterrupt:
        say("error: interrupted; no wheel was written [interrupted]")
        raise SystemExit(130) from None
    except OSError as error:
        explained = disk_error(error)
        if explained is None:
            raise
        say(explained.render())
    else:
        return
    raise SystemExit(1) from None
