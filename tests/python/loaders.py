"""Real loaders that tests ask whether they take a module: glibc of this machine, a newer glibc, and musl.

Debian's CPython 3.15 brings a glibc that refuses executable stacks (2.41 and later do); musl's is built here.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from check_samples import LINUX, Samples
from devtools.pythons import debian, source_builds

NEWER = "3.15"
MUSL = "pymult.cpython-313-x86_64-linux-musl.so"
CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"
SUMMARIES = {
    "error": "checked 1 module: 1 error, 0 warnings, 0 notes\n",
    "warning": "checked 1 module: 0 errors, 1 warning, 0 notes\n",
    "note": "checked 1 module: 0 errors, 0 warnings, 1 note\n",
}
LOADED = "loaded"

# Nothing of Python in it: that the loader takes it is all that is asked.
ALONE = """\
        default rel
        global PyInit_pymult:function

        section .text
PyInit_pymult:
        ret

        section .data
table:  dq table, PyInit_pymult

        section .note.GNU-stack noalloc noexec nowrite progbits
"""


@cache
def newer_glibc() -> Path:
    """A CPython with a glibc of 2.41 or later."""
    python = debian.provide(NEWER)
    done = subprocess.run(
        [python, "-c", "import os; print(os.confstr('CS_GNU_LIBC_VERSION'))"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert version(done.stdout) >= (2, 41)
    return python


@cache
def musl() -> Path:
    """A CPython that is linked with musl."""
    return source_builds.provide_musl()


def musl_version() -> tuple[int, ...]:
    """The version of the loader that it runs with."""
    said = subprocess.run(["/lib/ld-musl-x86_64.so.1"], capture_output=True, text=True, check=False, timeout=60).stderr
    return tuple(map(int, said.split("Version ")[1].split()[0].split(".")))


def version(text: str) -> tuple[int, ...]:
    """The numbers of `glibc 2.36`."""
    return tuple(map(int, text.split()[1].split(".")))


def glibc() -> tuple[int, ...]:
    """The version of this machine's own."""
    return version(os.confstr("CS_GNU_LIBC_VERSION") or "")


def asked(python: Path | str, module: Path, command: str = "import ctypes; ctypes.CDLL(name)") -> str:
    """What the loader of a CPython says when it opens the file: LOADED, or its message without the file's name."""
    program = (
        f"import sys\nname = sys.argv[1]\ntry:\n    {command}\nexcept (OSError, ImportError) as error:\n"
        "    print(str(error).encode('ascii', 'replace').decode())\nelse:\n"
        f"    print('{LOADED}')\n"
    )
    done = subprocess.run(
        [python, "-c", program, module],
        cwd=module.parent, capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().removeprefix("Error relocating ").replace(f"{module}: ", "")


def says(samples: Samples, module: str, severity: str, message: str, fix: str, *words: str) -> None:
    """That it is the whole of what the inspector says."""
    checked = samples.check(*words, module)
    assert (checked.output, checked.errors) == (
        f"{module}: {severity}: {message}\n  fix: {fix}\n{SUMMARIES[severity]}",
        "",
    )
    assert checked.returncode == (1 if severity == "error" else 0)


def says_clean(samples: Samples, module: str, *words: str) -> None:
    checked = samples.check(*words, module)
    assert (checked.output, checked.errors, checked.returncode) == (CLEAN, "", 0)


def alone(samples: Samples, *link: str, source: str = ALONE, name: str = LINUX) -> str:
    return samples.elf(source, name, link=["-z", "noexecstack", *link])
