"""What NASM prints, turned into problems with a place and a fix."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .errors import Problem

RULE = "nasm"

_LINE = re.compile(r"^(?P<file>.+?):(?:(?P<line>\d+):)? (?P<severity>error|warning|fatal|panic): (?P<text>.*)$")
_LAYOUT = re.compile(r"Py\w+(?:\.\w+|_size)")
_BARE = re.compile(r"^nasm(?:\.exe)?: (?P<severity>error|warning|fatal|panic): (?P<text>.*)$")


def problems_in(output: str, source: str, searched: Sequence[str]) -> list[Problem]:
    """The errors and warnings in NASM's output, in its order.

    `source` is the file that was assembled, for messages without a place; `searched` are the include folders, for the
    fix of a missing include.
    """
    found: list[Problem] = []
    for line in output.splitlines():
        match = _BARE.match(line) or _LINE.match(line)
        if match is None:
            continue
        groups = match.groupdict()
        severity = "warning" if groups["severity"] == "warning" else "error"
        text = groups["text"].rstrip()
        file = groups.get("file") or source
        number = int(groups.get("line") or 0)
        problem = Problem(text, RULE, _fix(text, searched), file, number, severity)
        if problem not in found:
            found.append(problem)
    return found


def _missing_include(match: re.Match[str], searched: Sequence[str]) -> str:
    where = ", ".join(dict.fromkeys(folder.rstrip("/") or "." for folder in (".", *searched)))
    return f"put '{match[1]}' into one of: {where}; or add its folder to include-dirs"


def _undefined(match: re.Match[str], _: Sequence[str]) -> str:
    name = match[1]
    if _LAYOUT.fullmatch(name):
        return (
            "the stable ABI hides this field, or this CPython has none of that name: call a function of the C API, "
            "or leave py-limited-api out"
        )
    if name.endswith((".end_function", ".py_module_is_missing_after_this_table")):
        return "end the last function with end_function, and tables with py_module"
    if name.startswith(".") or "." in name:
        return f"define the local label, or spell it as it is defined below its own global label: {name}"
    return f"define {name}, or declare it with 'extern {name}' when another file or Python has it"


_FIXES: list[tuple[re.Pattern[str], Callable[[re.Match[str], Sequence[str]], str]]] = [
    (re.compile(r"unable to open (?:include|incbin) file `([^'`]+)'"), _missing_include),
    (re.compile(r"`incbin': unable to (?:open|get length of) file `([^'`]+)'"), _missing_include),
    (re.compile(r"No space left on device()"), lambda *_: "free some space, or build elsewhere: -C build-dir=FOLDER"),
    (re.compile(r"symbol [`']([^'`]+)' (?:not defined|undefined)"), _undefined),
]


def _fix(text: str, searched: Sequence[str]) -> str:
    for pattern, make in _FIXES:
        match = pattern.search(text)
        if match:
            return make(match, searched)
    return ""
