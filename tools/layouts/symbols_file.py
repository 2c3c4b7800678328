"""Writes python_data.inc, python_variadic.inc and stable_abi*.inc: what is known of CPython's names.

Which variables hold a pointer and which are objects, which functions are variadic: from the headers. What is in the
stable ABI, and since when: from the table of symbols of tools/python_symbols.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .headers import Headers
from .read import version_number

SYMBOLS = Path(__file__).resolve().parents[2] / "src" / "inspect" / "data" / "python_symbols.inc"

ALIASES = {
    "Py_None": "_Py_NoneStruct",
    "Py_True": "_Py_TrueStruct",
    "Py_False": "_Py_FalseStruct",
    "Py_NotImplemented": "_Py_NotImplementedStruct",
    "Py_Ellipsis": "_Py_EllipsisObject",
}
"""Macros of C that stand for an object's address."""

_ROW = re.compile(r'^PYTHON_SYMBOL\(\d+, "(\w+)", .*, (\d+), (\d+)\)$', re.MULTILINE)
_DATA_FLAG, _REFERENCE_DEBUGGING = 1, 20
_EXPORTED = re.compile(r'__attribute__ ?\(\((?:visibility ?\("default"\)|dllimport|__dllimport__)\)\)([^;{]*)[;{]')
_ATTRIBUTE = re.compile(r"__attribute__ ?\(\(.*?\)\)+")
_FUNCTION_POINTER = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(")


@dataclass(frozen=True)
class Stable:
    """A name of the stable ABI."""

    name: str
    minor: int
    is_data: bool


@dataclass
class Declared:
    """What headers declare as exported."""

    pointers: set[str] = field(default_factory=set)  #: variables that hold a pointer
    objects: set[str] = field(default_factory=set)  #: variables that are what they are called
    variadic: set[str] = field(default_factory=set)


def stable_names() -> list[Stable]:
    """The stable ABI's names, but for those that only a build for debugging references has."""
    return [
        Stable(name, int(since), bool(int(flags) & _DATA_FLAG))
        for name, since, flags in _ROW.findall(SYMBOLS.read_text(encoding="utf-8"))
        if since != "0" and int(flags) & ~3 != _REFERENCE_DEBUGGING
    ]


def declared(headers: Iterable[Headers]) -> Declared:
    """What any of them declares."""
    found = Declared()
    for one in headers:
        # Until 3.13 the functions behind formats with "#" have another name when this is defined.
        for first_line in ("", "#define PY_SSIZE_T_CLEAN\n"):
            text = subprocess.run(
                [one.compiler.program, "-E", "-P", *one.compiler.options, f"-I{one.folder}", "-xc", "-"],
                input=first_line + "#include <Python.h>\n#include <structmember.h>\n",
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for declaration in _EXPORTED.findall(text):
                _sort(_ATTRIBUTE.sub(" ", declaration), found)
    return found


def _sort(declaration: str, found: Declared) -> None:
    pointer = _FUNCTION_POINTER.search(declaration)
    if pointer:
        found.pointers.add(pointer[1])
    elif "(" in declaration:
        before, _, after = declaration.partition("(")
        if "..." in after:
            found.variadic.add(re.findall(r"\w+", before)[-1])
    else:
        before = re.split(r"[\[=]", declaration, maxsplit=1)[0]
        is_pointer = "*" in before and "[" not in declaration
        (found.pointers if is_pointer else found.objects).add(re.findall(r"\w+", before)[-1])


def data_lines(found: Declared) -> list[str]:
    """The lines of python_data.inc without their head."""
    stable_data = {stable.name for stable in stable_names() if stable.is_data}
    wanted = {name for name in found.pointers | found.objects if name.startswith("Py")}
    wanted |= stable_data | set(ALIASES.values())
    unknown = wanted - found.pointers - found.objects
    both = found.pointers & found.objects
    if unknown - stable_data or both:
        raise SystemExit(f"declared by no header: {sorted(unknown)}; in two ways: {sorted(both)}")
    # What is in the stable ABI and in no header is an object: variables that hold a pointer are all public.
    lines = [f"%define py@data_{name} {2 if name in found.pointers else 1}" for name in sorted(wanted)]
    lines.append("")
    lines += [f"%define py@alias_{name} {symbol}" for name, symbol in ALIASES.items()]
    return lines


def variadic_lines(found: Declared) -> list[str]:
    """The lines of python_variadic.inc without their head."""
    return [f"%define py@variadic_{name} 1" for name in sorted(found.variadic) if name.startswith(("Py", "_Py"))]


def abi_name_lines() -> list[str]:
    """The lines of stable_abi_names.inc without their head."""
    return [f"%define py@abi_{stable.name} {version_number(stable.minor)}" for stable in stable_names()]


CHECK_LINES = """\
%include "nasm_build/misuse.inc"

%ifdef Py_TARGET_ABI3T
    %define py@promised Py_TARGET_ABI3T
%elifdef Py_LIMITED_API
    %define py@promised Py_LIMITED_API
%else
    %define py@promised 0
%endif

; The table is read in the last pass alone (misuse.inc): in all of them that would take three times as long. What the
; module depends on is noted before.
%if py@promised == 0 || misuse@checks == 0
    %macro py_check_symbol 1.nolist
    %endmacro
    %if py@promised
        %pathsearch py@abi_file "nasm_build/stable_abi_names.inc"
        %depend py@abi_file
    %endif
%else
    %include "nasm_build/stable_abi_names.inc"

    ; Of other names, the C library's among them, the stable ABI says nothing. One macro does it all: a call of another
    ; here, and not in the first pass, would give every later macro's own labels other numbers.
    %macro py_check_symbol 1.nolist
        %defstr py@abi_name %1
        %substr py@abi_two py@abi_name 1,2
        %substr py@abi_three py@abi_name 1,3
        %ifidni py@abi_two, "py"
            %define py@abi_is_python 1
        %elifidn py@abi_three, "_Py"
            %define py@abi_is_python 1
        %else
            %define py@abi_is_python 0
        %endif
        %if !py@abi_is_python
        %elifndef py@abi_%1
            misuse@say %1, " is not in the stable ABI: use a function that is, or leave py-limited-api out"
        %elif py@abi_%1 > py@promised
            py@abi_too_new %1
        %endif
    %endmacro

    %macro py@abi_too_new 1.nolist
        %assign py@abi_since py@abi_%1 >> 16 & 255
        %assign py@abi_oldest py@promised >> 16 & 255
        misuse@say %1, " came into the stable ABI with CPython 3.", py@abi_since, \
            ", and this module promises 3.", py@abi_oldest, ": promise 3.", py@abi_since, ' (py-limited-api = "3.', \
            py@abi_since, '") or call something older'
    %endmacro
%endif""".splitlines()
"""The lines of stable_abi.inc without their head."""
