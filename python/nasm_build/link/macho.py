"""Links Mach-O modules: what the platform's own driver is told on macOS, and LLVM's ld64 or zig everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..linker import system_library
from .names import ENTRY_POINTS
from .run import AssemblyLink

SDK = "11.0"
STRIPPING_LLD = 16
"""The first lld that takes local symbols out, and that writes chained fixups, which want a module's tables aligned."""


def driver_words(exports: Sequence[str], *, debug: bool) -> list[str]:
    """What the engine's own link by clang is told beside the engine's words."""
    found = [f"-Wl,-exported_symbol,_{name}" for name in (*ENTRY_POINTS, *exports)]
    return found if debug else [*found, "-Wl,-x", "-Wl,-S"]


def architecture_words(platform: str) -> list[str]:
    """`-arch …` for each architecture of a platform word: of `macosx-11.0-universal2` two."""
    architecture = platform.rpartition("-")[2]
    names = ("x86_64", "arm64") if architecture == "universal2" else (architecture,)
    return [word for name in names for word in ("-arch", name)]


def link_assembly(link: AssemblyLink, objects: Sequence[str], output: str) -> None:
    """Makes the module; its scratch folder takes what stands for libSystem. Raises LinkFailed and BuildError.

    dyld refuses a file that does not name libSystem. CPython's own names are looked up flat, as in every extension
    module for macOS.
    """
    is_zig = link.linker.kind == "zig-cc"
    words = _zig_words(link, output) if is_zig else _ld64_words(link)
    words += [*(f"-L{folder}" for folder in link.library_folders), *objects]
    words += [*(f"-l{name}" for name in link.libraries), *link.words, "-o", output]
    link.run(words, _zig_caches(link.scratch) if is_zig else None)


def _ld64_words(link: AssemblyLink) -> list[str]:
    """The SDK named is 11.0 whatever the oldest macOS.

    dyld holds a file to the rules of its SDK, and lld 14 breaks those of 12 and 14 (measured).
    """
    oldest = link.platform.split("-")[1]
    words = ["-bundle", "-arch", "x86_64", "-platform_version", "macos", oldest, SDK, "-undefined", "dynamic_lookup"]
    words += [word for name in (*ENTRY_POINTS, *link.exports) for word in ("-exported_symbol", f"_{name}")]
    strips = int(link.linker.version.partition(".")[0]) >= STRIPPING_LLD
    # Older ones know neither word: 14 warns of the first and stops at the second.
    words += ["-no_fixup_chains"] if strips else []
    if not link.debug:
        words += ["-S", *(["-x"] if strips else [])]
    return [*words, system_library(link.platform, link.scratch)]


def _zig_words(link: AssemblyLink, output: str) -> list[str]:
    """zig's own linker makes no bundles, but dlopen takes a dynamic library too. It brings a libSystem of its own.

    `-nostdlib` keeps it from compiling one of its libraries first, for 21 s; without an install name the output's path
    would be it.
    """
    oldest = link.platform.split("-")[1]
    words = ["-target", f"x86_64-macos.{oldest}", "-shared", "-nostdlib", "-Wl,-undefined,dynamic_lookup"]
    words += [f"-Wl,-install_name,{Path(output).name}"]
    return words if link.debug else [*words, "-Wl,-S", "-Wl,-x"]


def _zig_caches(scratch: Path) -> dict[str, str]:
    """zig writes into the user's cache folder otherwise, which a build has no business with."""
    return {name: str(scratch / "zig") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
