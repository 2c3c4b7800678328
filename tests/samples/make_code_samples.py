"""Makes modules of the three formats with the objects they were linked from, for what reads code and source lines.

    make_code_samples.py FOLDER

FOLDER/elf, FOLDER/macho and FOLDER/pe each get NAME.o and NAME.so or NAME.pyd: `plain` from code/plain.asm, and
examples that go through Python.inc and so have unwind data. They are linked as a build links them: without debug data,
which stays in the object.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from make_read_samples import Maker, tool

SOURCES = Path(__file__).resolve().parent / "code"
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ("pymult", "counter")
SYSTEM_V_ELF = ("-DPUBLIC(n)=n:function", "-DARG0=rdi", "-DIMPORT(n)=n", "-DCALL(i,n)=i n wrt ..plt")

WORDS: dict[str, tuple[str, ...]] = {
    "elf": ("elf64", "-F", "dwarf", *SYSTEM_V_ELF, "-DPIE", "-DLINUX"),
    "macho": (
        "macho64", "-F", "dwarf", "--prefix", "_", "-DPUBLIC(n)=n", "-DARG0=rdi", "-DIMPORT(n)=n", "-DCALL(i,n)=i n",
        "-DNOPIE", "-DMACOS",
    ),
    "pe": (
        "win64", "-F", "cv8", "-DPUBLIC(n)=n", "-DARG0=rcx", "-DIMPORT(n)=__imp_ %+ n", "-DCALL(i,n)=i [__imp_ %+ n]",
        "-DNOPIE", "-DWINDOWS",
    ),
}  # fmt: skip
"""What NASM is told for each format: as `nasm-ext flags` says, and what plain.asm wants to know."""


class CodeMaker(Maker):
    """Assembles with lines and links without them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.nm = tool("llvm-nm", "llvm-nm-14")

    def make(self, binary: str, name: str, source: Path) -> None:
        folder = self.folder / binary
        folder.mkdir(exist_ok=True)
        item = f"{binary}/{name}.o"
        include = [f"-I{SOURCES}/include/", f"-I{ROOT}/python/nasm_build/include/"]
        words = ["-g", "--reproducible", "--before", "default rel", "-DPY_VERSION_HEX=0x030D0000", *include]
        self.run(self.nasm, "-f", *WORDS[binary], *words, "-o", item, str(source))
        self.link(binary, name, item)

    def link(self, binary: str, name: str, item: str) -> None:
        if binary == "elf":
            self.run(self.ld, "-shared", "-s", "-z", "now", "-o", f"elf/{name}.so", item)
        elif binary == "macho":
            platform = ["-arch", "x86_64", "-platform_version", "macos", "11.0", "11.0", "-S"]
            self.run(self.ld64, *platform, "-bundle", "-undefined", "dynamic_lookup", "-o", f"macho/{name}.so", item)
        else:
            self.link_pe(name, item)

    def link_pe(self, name: str, item: str) -> None:
        imports = "".join(f"{symbol}\n" for symbol in sorted(self.imports(item)))
        (self.folder / "pe/python.def").write_text(f"LIBRARY python313.dll\nEXPORTS\n{imports}", encoding="utf-8")
        self.run(self.dlltool, "-m", "i386:x86-64", "-d", "pe/python.def", "-l", "pe/python.lib")
        self.run(
            self.lld_link, "/dll", "/noentry", "/nologo", "/nodefaultlib", "/timestamp:0", "/machine:x64",
            f"/export:PyInit_{name}", f"/out:pe/{name}.pyd", item, "pe/python.lib",
        )  # fmt: skip

    def imports(self, item: str) -> set[str]:
        lines = self.output(self.nm, "--undefined-only", item).splitlines()
        return {line.split()[-1].removeprefix("__imp_") for line in lines if line.strip()}


def make_odd_objects(make: CodeMaker) -> None:
    """Objects whose debug data is ambiguous, and one that a linker may part."""
    two = str(SOURCES / "two_texts.asm")
    make.run(make.nasm, "-f", "win64", "-g", "-F", "cv8", "-DSECOND=.text$b code", "-o", "pe/two_texts.o", two)
    macho = [make.nasm, "-f", "macho64", "-g", "-F", "dwarf"]
    make.run(*macho, "-DSECOND=__TEXT,__second code", "-o", "macho/two_texts.o", two)
    make.run(*macho, "-DSECOND=__TEXT,__second code", "-DMORE=0", "-o", "macho/same_texts.o", two)
    plain = [*WORDS["macho"][1:], f"-I{SOURCES}/include/", "--before", "subsections_via_symbols"]
    make.run(*macho, *plain, "-o", "macho/parted.o", str(SOURCES / "plain.asm"))
    make.assemble_arm64("arm64-apple-macos11", "_", "plain", "plain_arm64.o")
    make.run(make.lipo, "-create", "macho/plain.o", "plain_arm64.o", "-output", "macho/universal.o")


def make_compiled_objects(make: CodeMaker) -> None:
    """What a compiler writes, which relocates its lines: a section a function for Windows, one for all for macOS."""
    calls = str(SOURCES / "calls.c")
    compile_c = [tool("clang", "clang-14", "clang-19"), "-O1", "-ffreestanding", "-fno-unwind-tables", "-c"]
    windows = ["--target=x86_64-windows-msvc", "-ffunction-sections", "-gcodeview", "-g"]
    make.run(*compile_c, *windows, "-o", "pe/calls.o", calls)
    make.run(*compile_c, "--target=x86_64-apple-macos11", "-gdwarf-4", "-o", "macho/calls.o", calls)


def main(words: Sequence[str]) -> int:
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(words[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    make = CodeMaker(folder)
    for binary in WORDS:
        make.make(binary, "plain", SOURCES / "plain.asm")
        for example in EXAMPLES:
            make.make(binary, example, ROOT / f"examples/{example}/{example}.asm")
    make_odd_objects(make)
    make_compiled_objects(make)
    (folder / "made").write_text("", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
