"""Asks headers for numbers: sizes, offsets and constants, compiled into an object file and read from it.

Nothing is run, so the headers may be those of a CPython that this machine cannot run.
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .names import BEFORE_3_12, CONSTANTS, STRUCTS

Numbers = dict[str, int]
"""`PyObject.ob_type`, `PyObject_size` or `METH_O` to its value; what the headers do not have is not in it."""

_ERROR = re.compile(r"^<stdin>:(\d+):\d+: error: ", re.MULTILINE)


@dataclass(frozen=True)
class Compiler:
    """A C compiler, and the objcopy that reads its objects."""

    program: str = "gcc"
    objcopy: str = "objcopy"
    options: tuple[str, ...] = ()


Asker = Callable[[Path, Sequence[str], Compiler], Numbers]
"""Either of `layouts` and `constants`."""

LINUX = Compiler()
# MS_WIN64 and its like are what pyconfig.h derives from Microsoft's own compiler alone.
WINDOWS = Compiler("x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-objcopy",
                   ("-DMS_WIN64", "-DMS_WIN32", "-DMS_WINDOWS"))  # fmt: skip


def layouts(headers: Path, defines: Sequence[str] = (), compiler: Compiler = LINUX) -> Numbers:
    """Every offset and size that `headers` (the folder of Python.h) give."""
    questions = {}
    for name, fields in STRUCTS.items():
        questions[f"{name}_size"] = f"sizeof({name})"
        questions.update({f"{name}.{field}": f"__builtin_offsetof({name}, {field})" for field in fields})
    return ask(questions, headers, defines, compiler)


def constants(headers: Path, defines: Sequence[str] = (), compiler: Compiler = LINUX) -> Numbers:
    """Every constant that they give, those under an older name included."""
    names = [name for group in CONSTANTS.values() for name in group]
    found = ask({name: name for name in names}, headers, defines, compiler)
    older = {name: old for name, old in BEFORE_3_12.items() if name not in found}
    return found | ask(older, headers, defines, compiler)


def ask(questions: dict[str, str], headers: Path, defines: Sequence[str], compiler: Compiler) -> Numbers:
    """C expressions to their values; an expression that does not compile has none."""
    asked = dict(questions)
    with tempfile.TemporaryDirectory() as text:
        work = Path(text)
        while True:
            names = list(asked)
            lines = [
                "#include <Python.h>",
                "#include <structmember.h>",
                '__attribute__((section("probe"), used)) const unsigned long long answers[] = { 0,',
                *(f"(unsigned long long)({asked[name]})," for name in names),
                "};",
            ]
            done = _compile(lines, headers, defines, compiler, work / "probe.o")
            if done.returncode == 0:
                break
            refused = {names[int(number) - 4] for number in _ERROR.findall(done.stderr) if int(number) >= 4}
            if not refused:
                raise SystemExit(f"{headers}: {compiler.program} does not compile with these headers:\n{done.stderr}")
            for name in refused:
                del asked[name]
        content = _section(work / "probe.o", compiler)
    values = struct.unpack_from(f"<{len(names) + 1}Q", content)[1:]
    return dict(zip(names, values, strict=True))


def module_head(headers: Path, defines: Sequence[str] = (), compiler: Compiler = LINUX) -> tuple[int, ...]:
    """The words of an object's head as `PyModuleDef_HEAD_INIT` initialises it, but for its type."""
    lines = [
        "#include <Python.h>",
        '__attribute__((section("probe"), used)) PyModuleDef definition = { PyModuleDef_HEAD_INIT };',
    ]
    with tempfile.TemporaryDirectory() as text:
        object_file = Path(text) / "probe.o"
        done = _compile(lines, headers, defines, compiler, object_file)
        if done.returncode != 0:
            raise SystemExit(f"{headers}: {compiler.program} does not compile with these headers:\n{done.stderr}")
        content = _section(object_file, compiler)
    count = layouts(headers, defines, compiler)["PyObject.ob_type"] // 8
    return struct.unpack_from(f"<{count}Q", content)


def _compile(
    lines: Sequence[str], headers: Path, defines: Sequence[str], compiler: Compiler, result: Path
) -> subprocess.CompletedProcess[str]:
    words = [compiler.program, "-w", "-fmax-errors=0", *compiler.options, *(f"-D{word}" for word in defines)]
    return subprocess.run(
        [*words, f"-I{headers}", "-xc", "-c", "-", "-o", str(result)],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )


def _section(object_file: Path, compiler: Compiler) -> bytes:
    """What the section "probe" holds."""
    result = object_file.with_suffix(".bin")
    subprocess.run(
        [compiler.objcopy, "-O", "binary", "--only-section=probe", str(object_file), str(result)], check=True
    )
    return result.read_bytes()
