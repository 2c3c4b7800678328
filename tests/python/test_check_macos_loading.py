"""`nasm-ext check` on what dyld and macOS' kernel make of a module: versions, fixups, signatures, slices, paths."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from check_samples import MACHO, MACOS, Checked, Samples, tool

CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"
ONE_ERROR = "checked 1 module: 1 error, 0 warnings, 0 notes\n"
ONE_WARNING = "checked 1 module: 0 errors, 1 warning, 0 notes\n"
SIGN = "  fix: sign it when nothing changes it any more: codesign --force --sign - FILE\n"

ARM64 = """\
        .text
        .globl _PyInit_pymult
        .p2align 2
_PyInit_pymult:
        adrp    x0, _definition@PAGE
        add     x0, x0, _definition@PAGEOFF
        b       _PyModuleDef_Init
        .data
        .p2align 3
_definition:
        .quad   1, 0, 0, 0, 0
        .quad   _name, 0, 0, 0, 0, 0, 0, 0
_name:  .asciz  "pymult"
"""

LC_FUNCTION_STARTS, LC_CODE_SIGNATURE, LC_BUILD_VERSION, LC_DYLD_CHAINED_FIXUPS = 0x26, 0x1D, 0x32, 0x80000034


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def says(checked: Checked, status: int, text: str) -> None:
    """The whole output, nothing else anywhere, and the exit status."""
    assert (checked.output, checked.errors, checked.returncode) == (text, "", status)


def said_of(checked: Checked, rule: str) -> list[str]:
    return [line for line in checked.output.splitlines() if line.endswith(f"[{rule}]")]


def arm64(
    samples: Samples, name: str = MACOS, link: Sequence[str] = (), platform: Sequence[str] = ("macos", "11.0")
) -> str:
    """A bundle for arm64; LLVM's linker signs it."""
    (samples.folder / "pymult.s").write_text(ARM64, encoding="utf-8")
    samples.run(
        tool("llvm-mc", "llvm-mc-14"), f"-triple=arm64-apple-{'macos11' if platform[0] == 'macos' else 'ios14'}",
        "-filetype=obj", "-o", "arm64.o", "pymult.s",
    )  # fmt: skip
    samples.run(
        tool("ld64.lld", "ld64.lld-14"), "-arch", "arm64", "-platform_version", *platform, "12.0", "-bundle",
        "-undefined", "dynamic_lookup", *link, "-o", name, "arm64.o",
    )  # fmt: skip
    return name


def x86_64(samples: Samples, minimum: str, name: str = MACOS, link: Sequence[str] = ()) -> str:
    """A bundle for x86-64 and that macOS."""
    return samples.macho(name=name, link=["-platform_version", "macos", minimum, "12.0", *link])


def fat(samples: Samples, *slices: str) -> str:
    samples.run(tool("llvm-lipo", "llvm-lipo-14"), "-create", *slices, "-output", MACOS)
    return MACOS


def in_a_wheel(samples: Samples, tag: str, module: str = MACOS) -> str:
    return samples.wheel(f"pymult-1.0-cp313-cp313-{tag}.whl", {MACOS: module})


def commands(data: bytes) -> Iterator[tuple[int, int]]:
    """Each load command's number and place."""
    (count,) = struct.unpack_from("<I", data, 16)
    place = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, place)
        yield command, place
        place += size


def place_of(data: bytes, command: int) -> int:
    return next(place for number, place in commands(data) if number == command)


def rewritten(samples: Samples, name: str, data: bytearray) -> str:
    (samples.folder / name).write_bytes(data)
    return name


# -- the system ------------------------------------------------------------------------------------------------------


def test_a_good_module_for_arm64(samples: Samples) -> None:
    says(samples.check(arm64(samples)), 0, CLEAN)
    assert samples.check(in_a_wheel(samples, "macosx_11_0_arm64")).returncode == 0


def test_another_system_of_apple(samples: Samples) -> None:
    checked = samples.check(in_a_wheel(samples, "macosx_11_0_arm64", arm64(samples, platform=("ios", "14.0"))))
    assert checked.returncode == 1
    assert said_of(checked, "wrong-platform") == [
        f"pymult-1.0-cp313-cp313-macosx_11_0_arm64.whl: {MACOS}: error: is built for ios 14.0, but is for "
        "macosx-11.0-arm64 [wrong-platform]"
    ]


def test_a_minimum_above_the_tag(samples: Samples) -> None:
    x86_64(samples, "12.0")
    wheel = in_a_wheel(samples, "macosx_10_13_x86_64")
    checked = samples.check(wheel)
    assert checked.returncode == 1
    assert said_of(checked, "minimum-system") == [
        f"{wheel}: {MACOS}: error: says that it needs macOS 12.0, but its tag promises macOS 10.13 [minimum-system]"
    ]
    fix = "  fix: build it with MACOSX_DEPLOYMENT_TARGET=10.13, or take the tag macosx_12_0_x86_64"
    assert fix in checked.output.splitlines()
    for tag in ("macosx_12_0_x86_64", "macosx_13_0_x86_64"):
        assert said_of(samples.check(in_a_wheel(samples, tag)), "minimum-system") == []
    x86_64(samples, "11.3")
    assert said_of(samples.check(in_a_wheel(samples, "macosx_11_0_x86_64")), "minimum-system") == []


def test_no_build_version(samples: Samples) -> None:
    data = bytearray((samples.folder / samples.macho()).read_bytes())
    # A command that nobody knows and that may be passed over, of the same size.
    struct.pack_into("<I", data, place_of(data, LC_BUILD_VERSION), 0x7FFFFF00)
    says(
        samples.check(rewritten(samples, MACOS, data)), 0,
        f"{MACOS}: warning: does not say which system it is for, so that dyld takes it for one of macOS 10.5 "
        "[no-build-version]\n"
        "  fix: give the linker -platform_version macos 11.0 11.0 (clang: -mmacosx-version-min=11.0)\n" + ONE_WARNING,
    )  # fmt: skip


def chained(samples: Samples, minimum: str) -> str:
    """A bundle with chained fixups that patch nothing: LLVM 14's linker writes none."""
    data = bytearray((samples.folder / x86_64(samples, minimum)).read_bytes())
    place = place_of(data, LC_FUNCTION_STARTS)
    struct.pack_into("<I", data, place, LC_DYLD_CHAINED_FIXUPS)
    struct.pack_into("<II", data, place + 8, len(data), 32)
    # <mach-o/fixup-chains.h>: version, starts, imports, symbols, imports' number and format, symbols' format; no segments
    data += struct.pack("<7I", 0, 28, 32, 32, 0, 1, 0) + struct.pack("<I", 0)
    return rewritten(samples, MACOS, data)


def test_chained_fixups(samples: Samples) -> None:
    fix = "  fix: link it with -no_fixup_chains, or for macOS 11.0 and later (MACOSX_DEPLOYMENT_TARGET=11.0)\n"
    says(
        samples.check(chained(samples, "10.14")), 1,
        f"{MACOS}: error: has chained fixups and is for macOS 10.14: dyld before 10.15 refuses them [chained-fixups]\n"
        + fix + ONE_ERROR,
    )  # fmt: skip
    says(
        samples.check(chained(samples, "10.15")), 0,
        f"{MACOS}: warning: has chained fixups and is for macOS 10.15: they are promised to work from 11.0 on "
        "[chained-fixups]\n" + fix + ONE_WARNING,
    )  # fmt: skip
    says(samples.check(chained(samples, "11.0")), 0, CLEAN)
    says(samples.check(x86_64(samples, "10.13")), 0, CLEAN)


def test_debug_symbols_beside_a_module_are_no_module(samples: Samples) -> None:
    data = bytearray((samples.folder / samples.macho()).read_bytes())
    struct.pack_into("<I", data, 12, 10)  # MH_DSYM, what dsymutil writes
    symbols = rewritten(samples, f"symbols-{MACOS}", data)
    companion = f"{MACOS}.dSYM/Contents/Resources/DWARF/{MACOS}"
    wheel = samples.wheel("p-1-cp313-cp313-macosx_11_0_x86_64.whl", {MACOS: samples.macho(), companion: symbols})
    checked = samples.check(wheel)
    assert checked.returncode == 0, checked
    assert companion not in checked.output


# -- the signature ---------------------------------------------------------------------------------------------------


def test_a_missing_signature(samples: Samples) -> None:
    says(
        samples.check(arm64(samples, link=["-no_adhoc_codesign"])), 1,
        f"{MACOS}: error: is not signed, and macOS loads no arm64 code without a signature [code-signature]\n"
        + SIGN + ONE_ERROR,
    )  # fmt: skip
    says(samples.check(samples.macho()), 0, CLEAN)  # x86-64 needs none


def test_a_stale_signature(samples: Samples) -> None:
    data = bytearray((samples.folder / arm64(samples)).read_bytes())
    data[16385] ^= 1
    says(
        samples.check(rewritten(samples, MACOS, data)), 1,
        f"{MACOS}: error: was changed after it was signed (1 of {-(-signed_bytes(data) // 4096)} pages differ, the first "
        "at byte 0x4000): macOS ends the process that loads it [code-signature]\n" + SIGN + ONE_ERROR,
    )  # fmt: skip


def signed_bytes(data: bytes) -> int:
    """What lies before the signature is what it signs."""
    return int(struct.unpack_from("<I", data, place_of(data, LC_CODE_SIGNATURE) + 8)[0])


def test_a_stale_signature_of_x86_64(samples: Samples) -> None:
    data = bytearray((samples.folder / samples.macho(link=["-adhoc_codesign"])).read_bytes())
    says(samples.check(MACOS), 0, CLEAN)
    data[4097] ^= 1
    checked = samples.check(rewritten(samples, MACOS, data))
    assert checked.returncode == 0
    assert said_of(checked, "code-signature") == [
        f"{MACOS}: warning: was changed after it was signed (1 of {-(-signed_bytes(data) // 4096)} pages differ, the first "
        "at byte 0x1000): a program with the hardened runtime refuses it [code-signature]"
    ]


def test_a_damaged_signature(samples: Samples) -> None:
    data = bytearray((samples.folder / arm64(samples)).read_bytes())
    struct.pack_into(">I", data, signed_bytes(data) + 8, 0)
    says(
        samples.check(rewritten(samples, MACOS, data)), 1,
        f"{MACOS}: error: has a damaged signature (it has no code directory): macOS ends the process that loads it "
        "[code-signature]\n" + SIGN + ONE_ERROR,
    )  # fmt: skip


# -- slices ----------------------------------------------------------------------------------------------------------


def test_slices_of_one_build(samples: Samples) -> None:
    module = fat(samples, x86_64(samples, "10.13", "one.so"), arm64(samples, "two.so"))
    says(samples.check(module), 0, CLEAN)


def test_slices_that_differ(samples: Samples) -> None:
    one = x86_64(samples, "10.13", "one.so", ["-rpath", "@loader_path/lib"])
    module = fat(samples, one, arm64(samples, "two.so", platform=("macos", "12.0")))
    checked = samples.check(module)
    assert checked.returncode == 0
    assert said_of(checked, "slices-differ") == [
        f"{MACOS} (x86_64): warning: looks for libraries in @loader_path/lib in its slice for x86_64, but not in that for "
        "arm64 [slices-differ]",
        f"{MACOS} (x86_64): note: needs macos 10.13 by its slice for x86_64, and 12.0 by that for arm64 [slices-differ]",
    ]


# -- paths -----------------------------------------------------------------------------------------------------------


def needing(samples: Samples, install_name: str) -> str:
    """A bundle that needs a library of that install name."""
    source = MACHO.replace("extern PyModuleDef_Init\n", "extern PyModuleDef_Init, one_more\n").replace(
        "        jmp ", "        call    one_more\n        jmp "
    )
    stub = {"install-name": f"'{install_name}'", "targets": "[ x86_64-macos ]"}
    lines = "".join(f"{key}: {value}\n" for key, value in stub.items())
    exports = "exports:\n  - targets: [ x86_64-macos ]\n    symbols: [ _one_more ]\n"
    (samples.folder / "more.tbd").write_text(f"--- !tapi-tbd\ntbd-version: 4\n{lines}{exports}...\n", encoding="utf-8")
    return samples.macho(source, link=["more.tbd"])


def test_install_names_of_the_build_machine(samples: Samples) -> None:
    said = "needs /opt/homebrew/lib/libmore.1.dylib, in a folder of the machine that it was built on [build-path]"
    checked = samples.check(needing(samples, "/opt/homebrew/lib/libmore.1.dylib"))
    assert checked.returncode == 0
    assert said_of(checked, "build-path") == [f"{MACOS}: warning: {said}"]
    wheel = in_a_wheel(samples, "macosx_11_0_x86_64")
    checked = samples.check(wheel)
    assert checked.returncode == 1
    assert said_of(checked, "build-path") == [f"{wheel}: {MACOS}: error: {said}"]
    assert said_of(samples.check(needing(samples, "@loader_path/libmore.1.dylib")), "build-path") == []


def test_a_library_that_names_itself_after_the_build_machine(samples: Samples) -> None:
    item = samples.object(MACHO, "macho64", "--prefix", "_")
    for name, found in {"/Users/me/libpymult.dylib": 1, "@rpath/libpymult.dylib": 0}.items():
        samples.run(
            tool("ld64.lld", "ld64.lld-14"), "-arch", "x86_64", "-platform_version", "macos", "11.0", "11.0", "-dylib",
            "-undefined", "dynamic_lookup", "-install_name", name, "-o", MACOS, item,
        )  # fmt: skip
        assert said_of(samples.check(MACOS), "build-path") == [
            f"{MACOS}: note: calls itself {name}, a path of the machine that it was built on, where what is linked with it "
            "will look for it [build-path]"
        ] * found  # fmt: skip
