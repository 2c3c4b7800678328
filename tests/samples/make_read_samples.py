"""Makes the binaries that the tests of the readers read, from source: ELF, PE, Mach-O, fat files, objects, wheels.

    make_read_samples.py FOLDER

Everything is assembled, compiled and linked by tools of the machine: NASM, gcc, GNU ld and LLVM's linkers. A tool that
is missing is an error, because a test without its sample would say nothing.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parent / "read"


def tool(*names: str) -> str:
    """The first of these programs that is on PATH."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    raise SystemExit(
        f"make_read_samples: error: none of {', '.join(names)} was found\nfix: apt-get install nasm gcc lld llvm"
    )


class Maker:
    """Runs the tools in one folder; a failed one ends the script with its output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nasm = tool("nasm")
        self.gcc = tool("gcc")
        self.ld = tool("ld.bfd", "ld")
        self.ld_lld = tool("ld.lld", "ld.lld-14")
        self.lld_link = tool("lld-link", "lld-link-14")
        self.ld64 = tool("ld64.lld", "ld64.lld-14")
        self.dlltool = tool("llvm-dlltool", "llvm-dlltool-14")
        self.llvm_mc = tool("llvm-mc", "llvm-mc-14")
        self.lipo = tool("llvm-lipo", "llvm-lipo-14")
        self.objcopy = tool("llvm-objcopy", "llvm-objcopy-14")
        self.strip = tool("strip", "llvm-strip", "llvm-strip-14")

    def run(self, *words: str) -> None:
        self.output(*words)

    def output(self, *words: str) -> str:
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}exit status {done.returncode}")
        return done.stdout

    def assemble(self, source: str, object_format: str, output: str, *words: str) -> None:
        self.run(self.nasm, "-f", object_format, *words, "-o", output, str(SOURCES / source))

    def assemble_arm64(self, triple: str, prefix: str, name: str, output: str) -> None:
        text = (SOURCES / "arm64.s").read_text(encoding="utf-8")
        names = {"NAME": f"{prefix}PyInit_{name}", "IMPORT": f"{prefix}PyModule_Create2", "DATA": f"{prefix}table"}
        for word, value in names.items():
            text = text.replace(word, value)
        if "apple" in triple:
            text = text.replace("adrp    x0, _table", "adrp    x0, _table@PAGE")
        source = self.folder / f"{output}.s"
        source.write_text(text, encoding="utf-8")
        self.run(self.llvm_mc, f"-triple={triple}", "-filetype=obj", "-o", output, source.name)


def make_elf(make: Maker) -> None:
    """Modules by gcc and GNU ld, and by LLVM's linker where it has what GNU ld has not."""
    c = [make.gcc, "-O1", "-fPIC", "-g0"]
    module = [str(SOURCES / "module.c"), "-Wl,-soname,libmodule.so.1", "-Wl,-rpath,/opt/first:/opt/second", "-lm"]
    make.run(*c, "-shared", "-o", "module.so", *module)
    make.run(*c, "-shared", "-Wl,--hash-style=sysv", "-Wl,-z,execstack", "-o", "module_sysv.so", *module)
    make.run(*c, "-shared", "-fuse-ld=lld", "-Wl,--pack-dyn-relocs=relr", "-o", "module_relr.so", *module)
    make.run(make.strip, "-o", "module_stripped.so", "module.so")
    make.run(make.objcopy, "--strip-sections", "module.so", "module_sectionless.so")
    make.run(
        *c, "-shared", f"-Wl,--version-script={SOURCES / 'hidden.map'}", "-o", "hidden.so", str(SOURCES / "hidden.c")
    )
    make.run(*c, "-c", "-o", "module.o", str(SOURCES / "module.c"))
    make.assemble("plain.asm", "elf64", "plain.o")
    make.run(make.ld, "-shared", "-z", "noexecstack", "-o", "plain.so", "plain.o")
    make.assemble("textrel.asm", "elf64", "textrel.o")
    make.run(make.ld, "-shared", "-z", "notext", "-o", "textrel.so", "textrel.o")
    make.assemble("plain32.asm", "elf32", "plain32.o")
    make.run(make.ld, "-m", "elf_i386", "-shared", "-o", "plain32.so", "plain32.o")
    make.assemble_arm64("aarch64-linux-gnu", "", "arm64_elf", "arm64_elf.o")
    make.run(make.ld_lld, "-shared", "-o", "arm64_elf.so", "arm64_elf.o")
    loading = str(SOURCES / "loading.c")
    make.run(*c, "-shared", "-nostdlib", "-Wl,-z,now,-z,shstk,-z,x86-64-v3,-z,nodlopen", "-o", "loading.so", loading)
    make.run(
        *c, "-shared", "-nostdlib", "-Wl,-z,lazy,-z,norelro,-z,max-page-size=8192", "-o", "loading_plain.so",
        "-DPLAIN", loading,
    )  # fmt: skip
    packed = make.folder / "packed.c"
    packed.write_text(
        'extern int puts(const char *);\nstatic const char *const words[] = {"a", "b"};\n'
        "int PyInit_packed(int which) { return puts(words[which]); }\n",
        encoding="utf-8",
    )
    make.run(*c, "-shared", "-Wl,-z,pack-relative-relocs", "-o", "packed.so", "packed.c")
    make.run(
        make.llvm_mc, "-triple=aarch64-linux-gnu", "-filetype=obj", "-o", "marks.o", str(SOURCES / "arm64_marks.s")
    )
    make.run(make.ld_lld, "-shared", "-o", "arm64_marks.so", "marks.o")
    program = make.folder / "program.c"
    program.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    make.run(*c, "-pie", "-o", "program_pie", "program.c")
    make.run(*c, "-no-pie", "-o", "program", "program.c")
    for name, words in {"lines.o": ["-g", "-F", "dwarf"], "lines_plain.o": []}.items():
        make.assemble("lines.asm", "elf64", name, *words, "-I", f"{SOURCES}/")
    # The same calls compiled: line tables of each version that a compiler still writes.
    calls = make.folder / "calls.c"
    calls.write_text(
        "extern int wanted(int);\nint first(void) { return wanted(1) + 1; }\n"
        "int second(void)\n{\n    return wanted(2) + 1;\n}\n",
        encoding="utf-8",
    )
    for version in (2, 3, 4, 5):
        make.run(make.gcc, "-O1", "-fPIC", "-g", f"-gdwarf-{version}", "-c", "-o", f"calls_{version}.o", "calls.c")


def make_pe(make: Maker) -> None:
    """Windows modules by lld-link, with import libraries made from definition files."""
    libraries = {
        "python313": ("python313.dll", "i386:x86-64", "PyModule_Create2 PyLong_FromLong"),
        "late": ("late.dll", "i386:x86-64", "late_one late_two"),
        "python3_32": ("python3.dll", "i386", "PyModule_Create2"),
        "python313_arm64": ("python313.dll", "arm64", "PyModule_Create2"),
    }
    for name, (library, machine, exports) in libraries.items():
        lines = "".join(f"{export}\n" for export in exports.split())
        (make.folder / f"{name}.def").write_text(f"LIBRARY {library}\nEXPORTS\n{lines}", encoding="utf-8")
        make.run(make.dlltool, "-m", machine, "-d", f"{name}.def", "-l", f"{name}.lib")

    common = ["/dll", "/noentry", "/nologo", "/nodefaultlib", "/timestamp:0"]
    make.assemble("module_win.asm", "win64", "module_win.obj")
    make.run(
        make.lld_link,
        *common,
        "/machine:x64",
        "module_win.obj",
        "python313.lib",
        "late.lib",
        "/delayload:late.dll",
        "/export:PyInit_module_win",
        "/export:by_ordinal,@7,NONAME",
        "/export:forwarded=other.target",
        "/out:module_win.pyd",
    )
    make.assemble("module_win32.asm", "win32", "module_win32.obj")
    make.run(
        make.lld_link,
        *common,
        "/machine:x86",
        "/safeseh:no",
        "module_win32.obj",
        "python3_32.lib",
        "/export:PyInit_module_win32",
        "/out:module_win32.pyd",
    )
    make.assemble_arm64("aarch64-windows-msvc", "", "arm64_pe", "arm64_pe.obj")
    make.run(
        make.lld_link,
        *common,
        "/machine:arm64",
        "arm64_pe.obj",
        "python313_arm64.lib",
        "/export:PyInit_arm64_pe",
        "/out:arm64_pe.pyd",
    )


def make_loading_pe(make: Maker) -> None:
    """Windows modules that differ in what their headers tell the loader; python313.lib is there already."""
    common = [make.lld_link, "/dll", "/noentry", "/nologo", "/nodefaultlib", "/timestamp:0", "/export:PyInit_hybrid"]
    make.assemble("hybrid_win.asm", "win64", "hybrid_win.obj")
    make.run(*common, "/machine:x64", "/fixed", "hybrid_win.obj", "/out:fixed.pyd")
    make.run(*common, "/machine:x64", "/nxcompat:no", "/guard:cf", "hybrid_win.obj", "/out:arm64ec.pyd")
    make.run(
        make.llvm_mc, "-triple=aarch64-windows-msvc", "-filetype=obj", "-o", "hybrid_arm64.obj",
        str(SOURCES / "hybrid_arm64.s"),
    )  # fmt: skip
    make.run(*common, "/machine:arm64", "hybrid_arm64.obj", "/out:arm64x.pyd")


def make_macho(make: Maker) -> None:
    """macOS bundles and libraries by LLVM's linker, and a fat file of two slices."""
    x86_64 = ["-arch", "x86_64", "-platform_version", "macos", "10.13", "11.0", "-undefined", "dynamic_lookup"]
    make.assemble("module_mac.asm", "macho64", "module_mac.o")
    libraries = [str(SOURCES / "library.tbd"), "-weak_library", str(SOURCES / "weak_library.tbd")]
    make.run(
        make.ld64, *x86_64, "-bundle", "-rpath", "@loader_path/lib", "-o", "module_mac.so", "module_mac.o", *libraries
    )
    make.run(
        make.ld64,
        *x86_64,
        "-dylib",
        "-install_name",
        "@rpath/libmodule.dylib",
        "-o",
        "module_mac.dylib",
        "module_mac.o",
        *libraries,
    )
    arm64 = ["-arch", "arm64", "-platform_version", "macos", "11.0", "12.0", "-undefined", "dynamic_lookup"]
    make.assemble_arm64("arm64-apple-macos11", "_", "module_mac", "arm64_macho.o")
    make.run(make.ld64, *arm64, "-bundle", "-o", "arm64_macho.so", "arm64_macho.o")
    make.run(make.ld64, *arm64, "-no_adhoc_codesign", "-bundle", "-o", "arm64_unsigned.so", "arm64_macho.o")
    make.run(make.lipo, "-create", "module_mac.so", "arm64_macho.so", "-output", "fat.so")


def make_wheels(make: Maker) -> None:
    """A wheel with modules of two formats, the same one without compression, and with ZIP64 records."""
    members = {
        "pkg/__init__.py": b"",
        "pkg/module.cpython-313-x86_64-linux-gnu.so": (make.folder / "module.so").read_bytes(),
        "pkg/module.cp313-win_amd64.pyd": (make.folder / "module_win.pyd").read_bytes(),
        "pkg.libs/libplain.so.1.2": (make.folder / "plain.so").read_bytes(),
        "pkg-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n",
    }
    for name, compression in {"deflated.whl": zipfile.ZIP_DEFLATED, "stored.whl": zipfile.ZIP_STORED}.items():
        with zipfile.ZipFile(make.folder / name, "w") as wheel:
            for member, content in members.items():
                # A fixed time: the samples of two runs are the same bytes.
                wheel.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), content, compression)
    (make.folder / "zip64.whl").write_bytes(with_zip64_records((make.folder / "deflated.whl").read_bytes()))


def with_zip64_records(archive: bytes) -> bytes:
    """The same archive with the records that those over 4 GB have (APPNOTE 4.3.14 to 4.3.16)."""
    start = len(archive) - 22
    entries, size, offset = struct.unpack("<HII", archive[start + 10 : start + 20])
    record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, entries, entries, size, offset)
    locator = struct.pack("<IIQI", 0x07064B50, 0, start, 1)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return archive[:start] + record + locator + end


def main(words: list[str]) -> int:
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(words[0]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    make = Maker(folder)
    make_elf(make)
    make_pe(make)
    make_loading_pe(make)
    make_macho(make)
    make_wheels(make)
    (folder / "made").write_text("", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
