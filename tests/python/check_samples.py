"""Finished modules of the three formats for the tests of `nasm-ext check`, made here and spoilt on purpose.

`Samples(folder)` writes a source, assembles it with NASM and links it with LLVM's or GNU's linker. The names are those
that CPython gives modules, so that a test says by the name what the module is for.
"""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nasm_ext_calls import without_rules

TIMEOUT_SECONDS = 120

LINUX = "pymult.cpython-313-x86_64-linux-gnu.so"
MACOS = "pymult.cpython-313-darwin.so"
WINDOWS = "pymult.cp313-win_amd64.pyd"

HARDENING = ("-z", "relro", "-z", "now", "-z", "shstk")

# The smallest module: line 4 is the import, line 9 the call.
ELF = """\
        default rel
        global PyInit_pymult:function

        extern PyModuleDef_Init

        section .text
PyInit_pymult:
        lea     rdi, [definition]
        jmp     PyModuleDef_Init wrt ..plt

        section .data
definition:
        dq 1, 0, 0, 0, 0
        dq name, 0, 0, 0, 0, 0, 0, 0
name:   db "pymult", 0

        section .note.GNU-stack noalloc noexec nowrite progbits
"""

MACHO = """\
        default rel
        global PyInit_pymult

        extern PyModuleDef_Init

        section .text
PyInit_pymult:
        lea     rdi, [definition]
        jmp     PyModuleDef_Init

        section .data
definition:
        dq 1, 0, 0, 0, 0
        dq name, 0, 0, 0, 0, 0, 0, 0
name:   db "pymult", 0
"""

PE = """\
        default rel
        global PyInit_pymult

        extern __imp_PyModuleDef_Init

        section .text
PyInit_pymult:
        lea     rcx, [definition]
        jmp     [__imp_PyModuleDef_Init]

        section .data
definition:
        dq 1, 0, 0, 0, 0
        dq name, 0, 0, 0, 0, 0, 0, 0
name:   db "pymult", 0
"""


def tool(*names: str) -> str:
    """The first of these programs on PATH; a missing one fails the test, because nothing would have been tested."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    raise AssertionError(f"none of {', '.join(names)} is on PATH")


@dataclass(frozen=True)
class Checked:
    """What `nasm-ext check` said."""

    returncode: int
    output: str
    errors: str

    @property
    def findings(self) -> str:
        """The output without the lines that tell what was not checked."""
        return "".join(line for line in self.output.splitlines(keepends=True) if ": not checked: " not in line)


def metadata(name: str, members: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """METADATA, WHEEL and RECORD of a wheel of that name with those members; those that are among them are left out."""
    distribution, version, *_, pythons, abis, platforms = name.removesuffix(".whl").split("-")
    folder = f"{distribution}-{version}.dist-info"
    tags = [
        f"Tag: {python}-{abi}-{platform}\n"
        for python in pythons.split(".") for abi in abis.split(".") for platform in platforms.split(".")
    ]  # fmt: skip
    pure = "true" if platforms == "any" else "false"
    files = {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n",
        f"{folder}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\n" + "".join(tags),
        f"{folder}/RECORD": "".join(f"{member},,\n" for member in (*members, f"{folder}/WHEEL", f"{folder}/METADATA")),
    }
    return {member: text.encode() for member, text in files.items() if member not in members}


class Samples:
    """Makes binaries in one folder; what a tool prints when it fails is the failure of the test."""

    def __init__(self, folder: Path, nasm_ext: Path) -> None:
        self.folder = folder
        self.nasm_ext = nasm_ext

    def run(self, *words: str) -> None:
        self.said(*words)

    def said(self, *words: str) -> str:
        """What a program prints."""
        done = subprocess.run(
            words, cwd=self.folder, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
        )
        assert done.returncode == 0, f"$ {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def object(self, source: str, object_format: str, *words: str) -> str:
        """Assembles the text as pymult.asm into pymult.o."""
        (self.folder / "pymult.asm").write_text(source, encoding="utf-8")
        self.run(tool("nasm"), "-f", object_format, *words, "-o", "pymult.o", "pymult.asm")
        return "pymult.o"

    def elf(
        self,
        source: str = ELF,
        name: str = LINUX,
        link: Sequence[str] = ("-z", "noexecstack"),
        hardening: Sequence[str] = HARDENING,
        assemble: Sequence[str] = ("-g", "-F", "dwarf"),
    ) -> str:
        """A Linux module; its object, with the lines of the source, stays beside it."""
        item = self.object(source, "elf64", *assemble)
        self.run(tool("ld.bfd", "ld"), "-shared", "-s", *hardening, "-o", name, item, *link)
        return name

    def macho(
        self,
        source: str = MACHO,
        name: str = MACOS,
        link: Sequence[str] = (),
        prefix: Sequence[str] = ("--prefix", "_"),
        assemble: Sequence[str] = (),
    ) -> str:
        """A macOS bundle whose symbols are looked up in every image, as distutils links it."""
        item = self.object(source, "macho64", *prefix, *assemble)
        platform = ["-arch", "x86_64", "-platform_version", "macos", "11.0", "11.0"]
        self.run(
            tool("ld64.lld", "ld64.lld-14"),
            *platform, "-bundle", "-undefined", "dynamic_lookup", *link, "-o", name, item,
        )  # fmt: skip
        return name

    def pe(
        self,
        source: str = PE,
        name: str = WINDOWS,
        link: Sequence[str] = ("/export:PyInit_pymult",),
        dll: str = "python313.dll",
        symbols: str = "PyModuleDef_Init",
        assemble: Sequence[str] = (),
    ) -> str:
        """A Windows module that imports `symbols` from `dll`."""
        item = self.object(source, "win64", *assemble)
        lines = "".join(f"{symbol}\n" for symbol in symbols.split())
        (self.folder / "python.def").write_text(f"LIBRARY {dll}\nEXPORTS\n{lines}", encoding="utf-8")
        self.run(tool("llvm-dlltool", "llvm-dlltool-14"), "-m", "i386:x86-64", "-d", "python.def", "-l", "python.lib")
        self.run(
            tool("lld-link", "lld-link-14"),
            "/dll", "/noentry", "/nologo", "/nodefaultlib", "/machine:x64", *link, f"/out:{name}", item, "python.lib",
        )  # fmt: skip
        return name

    def shared_library(self, name: str) -> str:
        """An empty library to link with, so that a module needs it."""
        words = [f"-Wl,-soname,{name}", f"-Wl,{','.join(HARDENING)}"]
        self.run(tool("gcc"), "-shared", "-nostdlib", *words, "-o", name, "-xc", "/dev/null")
        return name

    def wheel(self, name: str, members: Mapping[str, str | bytes], without: str = "") -> str:
        """A wheel; a member's text is the name of a file of the folder, its bytes are itself.

        It gets the metadata that its name asks for, but for members that are given and for the one named `without`.
        """
        texts = {member: content for member, content in metadata(name, members).items() if member != without}
        with zipfile.ZipFile(self.folder / name, "w") as archive:
            for member, content in {**members, **texts}.items():
                data = content if isinstance(content, bytes) else (self.folder / content).read_bytes()
                archive.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), data)
        return name

    def check(self, *words: str) -> Checked:
        """Runs `nasm-ext check` in the folder, without a pyproject.toml unless the test wrote one there."""
        said = self.nasm_ext_says("check", *words)
        is_text = said.output.rpartition("\nrules: ")[1] or said.output.startswith("checked ")
        return replace(said, output=without_rules(said.output)) if is_text else said

    def nasm_ext_says(self, *words: str) -> Checked:
        """Runs nasm-ext in the folder."""
        done = subprocess.run(
            [str(self.nasm_ext), *words],
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        return Checked(done.returncode, done.stdout, done.stderr)
