"""What running says of functions: tests/conventions/oracle, each function called with its inputs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..shell import DevelopmentError, run
from .batch import Batch, assemble
from .corpus import FOLDER, Convention


@dataclass(frozen=True)
class Ran:
    """What a function did, over all of its inputs."""

    broken: tuple[str, ...]
    """What of the convention it broke; the words are oracle.c's."""
    hash: str
    """Of what it returned and wrote."""
    reached: frozenset[int]
    """The offsets of the instructions that ran."""


OWN = frozenset(
    """
    PyErr_Occurred PyLong_FromLong PyLong_AsLong PyNumber_Add PyMem_Malloc PyMem_Free PyFloat_FromDouble
    PyFloat_AsDouble PyUnicode_FromFormat PyErr_NoMemory PyErr_SetString PyModuleDef_Init
    """.split()
)
"""The stand-ins that oracle.c gives a meaning."""
VARIABLE = re.compile(r"PyExc_\w+|Py\w+_Type|_Py_\w+Struct")


def build(convention: Convention, folder: Path, names: Sequence[str] = ()) -> Path:
    """The program for a convention; `names` are further imports to stand in for."""
    program, define = folder / f"oracle-{convention.name}", ["-DWIN64"] if convention.name == "win64" else []
    source, item = FOLDER / "oracle", folder / f"enter-{convention.name}.o"
    generic = [name for name in names if name not in OWN and not VARIABLE.fullmatch(name)]
    variables = [name for name in names if VARIABLE.fullmatch(name)]
    lists = [f"-D{name}={','.join(some)}" for name, some in (("GENERIC", generic), ("VARIABLES", variables)) if some]
    run(["nasm", "-f", "elf64", *define, *lists, "-o", item, source / "enter.asm"], quiet=True)
    buffer = generic.index("PyObject_GetBuffer") if "PyObject_GetBuffer" in generic else -1
    none = generic.index("PyEval_SaveThread") if "PyEval_SaveThread" in generic else -1
    words = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", *define, f"-DPY_BUFFER={buffer}", f"-DNO_ARGUMENTS={none}"]
    run([*words, "-rdynamic", "-o", program, source / "oracle.c", item, "-ldl"], quiet=True)
    return program


def ask(program: Path, batch: Batch, folder: Path) -> list[Ran]:
    """Runs every copy of a batch; always as ELF, whichever convention its code has."""
    item = assemble(batch, folder, "elf64", "runs")
    module = folder / "runs.so"
    run(["ld.bfd", "-shared", "--eh-frame-hdr", "-z", "noexecstack", "-o", module, item], quiet=True)
    done = subprocess.run([program, module], input=batch.jobs(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevelopmentError(f"{program.name} ended with {done.returncode}: {done.stderr}")
    answers = []
    for line in done.stdout.splitlines():
        _, what, made, reached = line.split(" ")
        broken = () if what == "intact" else tuple(what.split(","))
        answers.append(Ran(broken, made, frozenset(int(one, 16) for one in reached.split(",") if one)))
    if len(answers) != len(batch.copies):
        raise DevelopmentError(f"{program.name} answered {len(answers)} of {len(batch.copies)} jobs")
    return answers
