"""Modules with one function that keeps to its calling convention or breaks it, in three formats.

The code of the function is the same for the formats where the conventions are; `@NAME` calls an import, and `@first` is
the register of the first argument.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from check_samples import ELF, LINUX, MACHO, MACOS, PE, WINDOWS, Samples

FORMATS = {"elf": (ELF, LINUX), "macho": (MACHO, MACOS), "pe": (PE, WINDOWS)}
CALLS = {"elf": "call    {} wrt ..plt", "macho": "call    {}", "pe": "call    [__imp_{}]"}
IMPORTS = (
    "PyErr_Occurred",
    "PyLong_FromLong",
    "PyErr_Format",
    "PyTuple_New",
    "PyEval_SaveThread",
    "PyEval_RestoreThread",
)
RULES = (
    "callee-saved",
    "stack-balance",
    "direction-flag",
    "call-align",
    "shadow-space",
    "volatile-after-call",
    "red-zone",
    "fallthrough",
    "unwind-false",
    "win64-epilog",
    "vzeroupper",
    "fp-state",
    "stack-probe",
    "jump-into-instruction",
    "endbr",
    "shadow-stack",
    "arg-undefined",
    "vararg-al",
    "null-unchecked",
    "gil",
    "refcount-raw",
    "shared-static",
)
"""Those about calling conventions, but unwind-missing: the functions here are short, and have no unwind data."""
KERNEL = 12
"""The line of the sources on which the kernel's first instruction stands."""


def source_of(binary: str, code: str) -> str:
    """The smallest module of the format, with an exported function `kernel`; `@NAME` calls an import."""
    head, _, tail = FORMATS[binary][0].partition("        section .data\n")
    symbols = ", ".join(f"__imp_{name}" if binary == "pe" else name for name in IMPORTS)
    head = head.replace("        extern ", f"        extern {symbols}, ", 1)
    kind = ":function" if binary == "elf" else ""
    head = head.replace("        global PyInit", f"        global kernel{kind}\n        global PyInit", 1)
    code = code.replace("@first", "rcx" if binary == "pe" else "rdi")
    for name in IMPORTS:
        code = code.replace(f"@{name}", CALLS[binary].format(name))
    return f"{head.rstrip()}\nkernel:\n{code}\n        section .data\n{tail}"


def make(samples: Samples, binary: str, code: str) -> str:
    return link(samples, binary, source_of(binary, code))


def link(samples: Samples, binary: str, source: str, *words: str) -> str:
    """The module, with the object that has its lines as pymult.o; the linker leaves them out. `words` are for NASM."""
    if binary == "elf":
        return samples.elf(source, assemble=("-g", "-F", "dwarf", *words))
    if binary == "macho":
        return samples.macho(source, assemble=("-g", "-F", "dwarf", *words), link=("-S",))
    both = ["/export:PyInit_pymult", "/export:kernel"]
    symbols = " ".join(("PyModuleDef_Init", *IMPORTS))
    return samples.pe(source, link=both, symbols=symbols, assemble=("-g", "-F", "cv8", *words))


def told(samples: Samples, name: str, *words: str) -> list[str]:
    """The findings of these rules: each with its way and its fix, without the file's name.

    A stripped ELF file does not know what its local function is called.
    """
    lines = samples.check("--abi", *words, name).output.splitlines()
    found: list[str] = []
    is_ours = False
    for line in lines:
        if not line.startswith(" "):
            is_ours = any(line.endswith(f"[{rule}]") for rule in RULES)
        if is_ours:
            found.append(re.sub(r"the function at 0x[0-9a-f]+", "helper", line.removeprefix(f"{name}: ")))
    return found


@dataclass(frozen=True)
class Case:
    """Code that is wrong, and what is said of it."""

    code: str
    said: Sequence[str]
