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


_OF_CLONE = (
    "Behind the system call it runs twice: in the caller, and as the new thread on the stack that it was handed, where "
    "it calls the thread's function, takes what that returns for the exit status, and never returns itself."
)

EXCEPTIONS: tuple[OwnConvention, ...] = (
    OwnConvention(
        "libc.so",
        "clone",
        ("callee-saved", "call-align", "stack-balance", "unwind-false"),
        _OF_CLONE,
        "clone(2); glibc 2.36, sysdeps/unix/sysv/linux/x86_64/clone.S: the child's part is behind L(thread_start)",
    ),
    OwnConvention(
        "lib",
        r"_ZN11__sanitizer14internal_cloneE.*",
        ("unwind-false",),
        _OF_CLONE,
        "gcc 12, libsanitizer/sanitizer_common/sanitizer_linux.cpp: internal_clone, in inline assembly",
    ),
    OwnConvention(
        "libmvec.so",
        r"the function at 0x(e980|1dfa0)",
        ("unwind-false",),
        "Its rows count two pushes although the frame's address is counted from rbp by then: 16 bytes too many. "
        "Nothing throws there.",
        "The library itself (glibc 2.36): push %rbp; mov %rsp,%rbp; push %r13; push %r14, with rbp+16, rbp+24, rbp+32",
    ),
    OwnConvention(
        "libscipy_openblas64_",
        ".*",
        ("unwind-missing",),
        "It is built without unwind data: no exception passes through its functions, and none is thrown in them.",
        "The DLL itself: 762 entries in .pdata for 19.9 MB of code, which cover little but MinGW's own",
    ),
)
