"""The C++ libraries that nasm-ext for Windows is linked with, but for LIEF: built, or copied, once a machine.

libzip, Zydis and GoogleTest are compiled by MinGW-w64. Of those that are headers alone the machine's own are taken:
the folder of all the system's headers must not be searched, so each is copied, with a file by which CMake finds it.
Of Zycore, Zydis' base, the decoder takes the headers alone: what needs its functions, the formatter and the encoder,
is switched off.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import apt
from .lief import MINGW, WINDOWS, compiler_name
from .pythons import offer
from .shell import DevelopmentError, run

SUITE = "bookworm"
"""The Debian whose libzip and Zydis are built: the oldest one that nasm-ext is compiled against."""

GOOGLETEST = Path("/usr/src/googletest")
SYSTEM_HEADERS = Path("/usr/include")
RECIPE = "2"
LIBZIP_SWITCHED_OFF = (
    *("ENABLE_COMMONCRYPTO", "ENABLE_GNUTLS", "ENABLE_MBEDTLS", "ENABLE_OPENSSL", "ENABLE_WINDOWS_CRYPTO"),
    *("ENABLE_BZIP2", "ENABLE_LZMA", "BUILD_TOOLS", "BUILD_REGRESS", "BUILD_EXAMPLES", "BUILD_DOC"),
)
ZYDIS_SWITCHED_OFF = ("ZYDIS_FEATURE_ENCODER", "ZYDIS_FEATURE_FORMATTER", "ZYDIS_BUILD_TOOLS", "ZYDIS_BUILD_EXAMPLES")


@dataclass(frozen=True)
class Headers:
    """A library of headers alone: its folder, and the names by which CMake asks for it."""

    folder: str
    package: str
    target: str
    definitions: str = ""


HEADERS = (
    Headers("fmt", "fmt", "fmt::fmt-header-only", "FMT_HEADER_ONLY=1"),
    Headers("CLI", "CLI11", "CLI11::CLI11"),
    Headers("nlohmann", "nlohmann_json", "nlohmann_json::nlohmann_json"),
    Headers("toml++", "tomlplusplus", "tomlplusplus::tomlplusplus"),
    Headers("Zycore", "Zycore", "Zycore", "ZYCORE_STATIC_BUILD"),
)


def prefix() -> Path:
    """The folder to put into CMAKE_FIND_ROOT_PATH, made when the cache has none. Raises DevelopmentError."""

    def make(work: Path, _: Path) -> None:
        result = work / "result"
        for one in HEADERS:
            _copy(one, result)
        sources = apt.PrivateApt(SUITE, work / "apt", sources=True)
        libzip = sources.source_tree("libzip", work / "source")
        _install(libzip, work / "libzip-build", result, [f"-D{name}=OFF" for name in LIBZIP_SWITCHED_OFF])
        _install(sources.source_tree("zydis", work / "zydis"), work / "zydis-build", result, _zydis_words(result))
        _install(GOOGLETEST, work / "googletest-build", result, ["-DBUILD_GMOCK=OFF"])

    return offer.provide(f"windows-libraries-{_key()}", "building C++ libraries for Windows", make)


def _key() -> str:
    key = hashlib.sha256("\0".join([RECIPE, SUITE, compiler_name(WINDOWS.compiler)]).encode() + MINGW.read_bytes())
    for file in sorted(path for one in HEADERS for path in (SYSTEM_HEADERS / one.folder).rglob("*") if path.is_file()):
        key.update(str(file).encode() + file.read_bytes())
    return key.hexdigest()[:12]


def _zydis_words(result: Path) -> list[str]:
    functions = sorted(Path("/usr/lib").glob("*/cmake/zycore/zyan-functions.cmake"))
    if not functions:
        raise DevelopmentError("Zycore's CMake files are not there; ./dev setup installs them with libzydis-dev")
    return [
        *(f"-D{name}=OFF" for name in ZYDIS_SWITCHED_OFF),
        "-DZYAN_SYSTEM_ZYCORE=ON",
        f"-DZycore_DIR={result}/lib/cmake/Zycore",
        f"-DCMAKE_PROJECT_Zydis_INCLUDE={functions[0]}",
    ]


def _copy(headers: Headers, target: Path) -> None:
    source = SYSTEM_HEADERS / headers.folder
    if not source.is_dir():
        raise DevelopmentError(f"{source} is not there; ./dev setup installs it")
    shutil.copytree(source, target / "include" / headers.folder)
    folder = target / "lib/cmake" / headers.package
    folder.mkdir(parents=True)
    (folder / f"{headers.package}Config.cmake").write_text(
        f"add_library({headers.target} INTERFACE IMPORTED)\n"
        f"set_target_properties({headers.target} PROPERTIES\n"
        f'  INTERFACE_INCLUDE_DIRECTORIES "${{CMAKE_CURRENT_LIST_DIR}}/../../../include"\n'
        f'  INTERFACE_COMPILE_DEFINITIONS "{headers.definitions}")\n'
    )


def _install(source: Path, build: Path, target: Path, words: list[str]) -> None:
    run(
        ["cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={MINGW}",
         "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS=-w", "-DCMAKE_CXX_FLAGS=-w", "-DBUILD_SHARED_LIBS=OFF",
         f"-DCMAKE_INSTALL_PREFIX={target}", *words],
        quiet=True,
    )  # fmt: skip
    run(["nice", "-n", "5", "cmake", "--build", build, "--target", "install"], quiet=True)
