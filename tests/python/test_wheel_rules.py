"""`nasm-ext check` on wheels as a whole: names, metadata and tags against what is in them, and what a tag promises."""

from __future__ import annotations

import importlib.machinery
import json
import struct
import sysconfig
from pathlib import Path

import pytest

from check_samples import LINUX, Samples
from devtools.pythons import maven, wine
from running import FREE_THREADED, MUSL
from test_tag import NO_STACK, calls, needing

MANYLINUX = "pymult-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"
ONE_ERROR = "checked 1 module: 1 error, 0 warnings, 0 notes\n"
ONE_WARNING = "checked 1 module: 0 errors, 1 warning, 0 notes\n"


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def says(samples: Samples, wheel: str, status: int, text: str) -> None:
    checked = samples.check(wheel)
    assert (checked.output, checked.errors, checked.returncode) == (text, "", status)


# -- a wheel in the reports --------------------------------------------------------------------------------------------


def test_a_wheel_has_an_entry_of_its_own(samples: Samples) -> None:
    wheel = samples.wheel(MANYLINUX, {f"pkg/{LINUX}": samples.elf(), "pkg/__init__.py": b""})
    says(samples, wheel, 0, CLEAN)
    report = json.loads(samples.check("--format", "json", wheel).output)
    whole, module = report["files"]
    assert (whole["path"], whole["member"], whole["format"], whole["machine"]) == (wheel, None, "wheel", None)
    assert whole["findings"] == whole["not_checked"] == whole["not_applicable"] == []
    assert set(whole["passed"]) == {
        "module-not-found-by-name", "purelib-module", "tag-mismatch", "invented-cpu-tag", "duplicate-entry",
        "record-incomplete",
    }  # fmt: skip
    assert "library-not-allowed" in module["passed"]
    assert (report["summary"]["files"], report["summary"]["modules"], report["summary"]["wheels"]) == (1, 1, 1)


def test_a_finding_of_a_wheel_can_be_silenced(samples: Samples) -> None:
    wheel = samples.wheel(MANYLINUX, {LINUX: samples.elf()}, without="pymult-1.0.dist-info/RECORD")
    checked = samples.check("--ignore", "record-incomplete=made by hand", wheel)
    assert checked.output == (
        f"{wheel}: silenced warning: has no RECORD, without which installers refuse it [record-incomplete]\n"
        "  reason: made by hand\nchecked 1 module: 0 errors, 0 warnings, 0 notes, 1 silenced\n"
    )


# -- metadata and tags -------------------------------------------------------------------------------------------------


def test_a_module_that_record_does_not_list(samples: Samples) -> None:
    wheel = samples.wheel(MANYLINUX, {LINUX: samples.elf(), "pymult-1.0.dist-info/RECORD": b"a.py,,\n"})
    says(
        samples, wheel, 0,
        f"{wheel}: warning: RECORD does not list {LINUX}, so nothing says that it is whole, and pip uninstall leaves it "
        "[record-incomplete]\n  fix: pack the wheel again after files were added: wheel unpack, wheel pack\n"
        + ONE_WARNING,
    )  # fmt: skip


def test_a_module_in_purelib(samples: Samples) -> None:
    statement = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: cp313-cp313-linux_x86_64\n"
    name = "pymult-1.0-cp313-cp313-linux_x86_64.whl"
    wheel = samples.wheel(name, {LINUX: samples.elf(), "pymult-1.0.dist-info/WHEEL": statement})
    says(
        samples, wheel, 0,
        f"{wheel}: warning: WHEEL says Root-Is-Purelib: true, so {LINUX} would be installed among what is the same on "
        "every machine [purelib-module]\n  fix: let the build mark it as platform-specific: setuptools does for every "
        "ext_modules, scikit-build-core with wheel.platlib = true\n" + ONE_WARNING,
    )  # fmt: skip
    folder = "pymult-1.0.data/purelib"
    wheel = samples.wheel(name, {f"{folder}/{LINUX}": samples.elf()})
    says(
        samples, wheel, 0,
        f"{wheel}: warning: {folder}/{LINUX} would be installed among what is the same on every machine "
        "[purelib-module]\n  fix: put it at the root of a wheel that has Root-Is-Purelib: false, or under "
        ".data/platlib\n" + ONE_WARNING,
    )  # fmt: skip
    says(samples, samples.wheel(name, {f"pymult-1.0.data/platlib/{LINUX}": samples.elf()}), 0, CLEAN)


def test_tags_that_contradict(samples: Samples) -> None:
    statement = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp313-cp313-manylinux_2_28_x86_64\n"
    wheel = samples.wheel(MANYLINUX, {LINUX: samples.elf(), "pymult-1.0.dist-info/WHEEL": statement})
    says(
        samples, wheel, 0,
        f"{wheel}: warning: its name says cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64, and its WHEEL says "
        "cp313-cp313-manylinux_2_28_x86_64 [tag-mismatch]\n  fix: rename it with `wheel tags`, which writes both\n"
        + ONE_WARNING,
    )  # fmt: skip


def test_a_module_under_a_tag_for_everyone(samples: Samples) -> None:
    abi3 = samples.elf(name="pymult.abi3.so")
    checked = samples.check(samples.wheel("pymult-1.0-py3-none-any.whl", {abi3: abi3}))
    assert (
        "pymult-1.0-py3-none-any.whl: error: its tag says any platform, and pymult.abi3.so is for one [tag-mismatch]\n"
        "  fix: give it the tag of its platform: nasm-ext tag prints it\n"
    ) in checked.output
    assert checked.returncode == 1
    wheel = samples.wheel("pymult-1.0-py3-none-manylinux_2_17_x86_64.whl", {LINUX: samples.elf()})
    assert (
        f"{wheel}: warning: its tag py3-none is for every Python 3, and {LINUX} is for CPython 3.13 alone "
        "[tag-mismatch]\n  fix: give it the tag of that CPython, or build the module for the stable ABI\n"
    ) in samples.check(wheel).output


@pytest.mark.parametrize(
    "tag", ["linux_x86_64_v3", "manylinux_2_28_x86_64_v2", "manylinux_3_1_x86_64", "macosx_11_arm64"]
)
def test_a_tag_that_no_installer_takes(samples: Samples, tag: str) -> None:
    wheel = samples.wheel(f"pymult-1.0-cp313-cp313-{tag}.whl", {LINUX: samples.elf()})
    assert (
        f"{wheel}: error: no installer takes {tag}: it is the tag of no system [invented-cpu-tag]\n"
        "  fix: name the machine as uname -m does (x86_64), and choose the faster code inside the module\n"
    ) in samples.check(wheel).output


def test_two_names_that_are_one_file_elsewhere(samples: Samples) -> None:
    module = samples.elf()
    wheel = samples.wheel(MANYLINUX, {f"pkg/{LINUX}": module, "pkg/data.txt": b"", "Pkg/Data.txt": b""})
    says(
        samples, wheel, 0,
        f"{wheel}: warning: pkg/data.txt and Pkg/Data.txt are one file where case does not count or paths are tidied "
        "[duplicate-entry]\n  fix: rename one of them: Windows and macOS keep only the one that is unpacked last\n"
        + ONE_WARNING,
    )  # fmt: skip


# -- file names that CPython looks for ---------------------------------------------------------------------------------
def test_a_stable_name_that_older_ones_do_not_look_for(samples: Samples) -> None:
    name = "pymult.abi3-x86_64-linux-gnu.so"
    wheel = samples.wheel("pymult-1.0-cp312-abi3-manylinux_2_17_x86_64.whl", {name: samples.elf(name=name)})
    says(
        samples, wheel, 1,
        f"{wheel}: error: CPython 3.12, 3.13 and 3.14 for linux-x86_64 finds no module pymult: it does not look for "
        f"{name} [module-not-found-by-name]\n"
        "  fix: give the file a name that all of them look for, ending in .abi3.so\n" + ONE_ERROR,
    )  # fmt: skip
    says(samples, samples.wheel("pymult-1.0-cp315-abi3-manylinux_2_17_x86_64.whl", {name: name}), 0, CLEAN)
    says(samples, samples.wheel("pymult-1.0-cp312-abi3-linux_x86_64.whl", {name: name, "pymult.py": b""}), 0, CLEAN)


def test_glibcs_name_in_a_wheel_for_musl_as_well(samples: Samples) -> None:
    tags = "manylinux_2_17_x86_64.musllinux_1_1_x86_64"
    wheel = samples.wheel(f"pymult-1.0-cp313-cp313-{tags}.whl", {LINUX: samples.elf()})
    says(
        samples, wheel, 1,
        f"{wheel}: error: CPython 3.13 for linux-x86_64 (musl) finds no module pymult: it does not look for {LINUX} "
        "[module-not-found-by-name]\n  fix: give the file a name that all of them look for, ending in "
        ".cpython-313-x86_64-linux-musl.so\n" + ONE_ERROR,
    )  # fmt: skip
    plain = "pymult.so"
    says(samples, samples.wheel(f"pymult-1.0-cp313-cp313-{tags}.whl", {plain: samples.elf(name=plain)}), 0, CLEAN)


def test_no_abi3_name_on_windows(samples: Samples) -> None:
    name = "pymult.abi3.pyd"
    samples.pe(name=name, dll="python3.dll")
    checked = samples.check("--abi3", "3.10", "--target", "win-amd64", name)
    assert (checked.output, checked.returncode) == (
        f"{name}: error: its file name ends in .abi3.pyd, which no CPython for Windows looks for [file-name]\n"
        "  fix: end it in .pyd\n" + ONE_ERROR,
        1,
    )


CANDIDATES = [
    f".{word}{suffix}"
    for version in ("310", "311", "312", "313", "314", "315")
    for flags in ("", "t", "d", "td")
    for word in (f"cpython-{version}{flags}",)
    for suffix in ("-x86_64-linux-gnu.so", "-x86_64-linux-musl.so", "-darwin.so", ".so")
] + [
    ".abi3.so", ".abi3t.so", ".abi3-x86_64-linux-gnu.so", ".abi3-x86_64-linux-musl.so", ".abi3t-x86_64-linux-gnu.so",
    ".abi3t-x86_64-linux-musl.so", ".so", ".pyd", ".abi3.pyd", ".cp313-win_amd64.pyd", ".cp313t-win_amd64.pyd",
]  # fmt: skip


def found_names(samples: Samples, tag: str, module: bytes, candidates: list[str]) -> set[str]:
    """The suffixes with which a module is found, by what is said of one wheel for each."""
    found = set()
    for number, suffix in enumerate(candidates):
        wheel = samples.wheel(f"p{number}-1-{tag}.whl", {f"pymult{suffix}": module})
        report = json.loads(samples.check("--format", "json", wheel).output)
        rules = {finding["rule"] for file in report["files"] for finding in file["findings"]}
        if not rules & {"file-name", "module-not-found-by-name", "wrong-platform"}:
            found.add(suffix)
    return found


@pytest.mark.every_python
def test_the_names_are_those_that_this_cpython_looks_for(samples: Samples) -> None:
    """`importlib.machinery.EXTENSION_SUFFIXES` is the truth."""
    assert struct.calcsize("P") == 8
    version = sysconfig.get_python_version().replace(".", "")
    platform = "musllinux_1_2_x86_64" if MUSL else "manylinux_2_17_x86_64"
    module = (samples.folder / samples.elf()).read_bytes()
    expected = set(importlib.machinery.EXTENSION_SUFFIXES)
    if FREE_THREADED:
        expected.discard(".abi3.so")  # 3.13t looks for it, and cannot load what it finds
    if version == "314":
        expected.discard(".abi3-x86_64-linux-gnu.so")  # Debian's own addition
    tag = f"cp{version}-cp{version}{'t' if FREE_THREADED else ''}-{platform}"
    assert found_names(samples, tag, module, CANDIDATES) == expected


def test_the_names_are_those_that_windows_looks_for(samples: Samples) -> None:
    artefact = maven.ARTEFACTS[-1]
    done = wine.run_windows(
        maven.provide(artefact), ["-c", "import importlib.machinery as m; print(*m.EXTENSION_SUFFIXES)"], timeout=120
    )
    version = artefact.minor.replace(".", "")
    module = (samples.folder / samples.pe()).read_bytes()
    candidates = [
        *done.output.split(),
        ".abi3.pyd",
        ".abi3.so",
        ".so",
        ".cp39-win_amd64.pyd",
        f".cp{version}t-win_amd64.pyd",
    ]
    assert found_names(samples, f"cp{version}-cp{version}-win_amd64", module, candidates) == set(done.output.split())


# -- what a tag promises -----------------------------------------------------------------------------------------------
def test_a_version_that_is_newer_than_the_tag(samples: Samples) -> None:
    wheel = samples.wheel(MANYLINUX, {LINUX: needing(samples, "GLIBC_2.14", "GLIBC_2.28", "GLIBC_2.34")})
    says(
        samples, wheel, 1,
        f"{wheel}: {LINUX}: error: needs use_2@GLIBC_2.34 of libc.so.6, which is newer than manylinux_2_17_x86_64 "
        "promises [symbol-version]\n"
        "  fix: tag the wheel manylinux_2_34_x86_64, or build it where glibc is 2.17 or older\n" + ONE_ERROR,
    )  # fmt: skip
    says(samples, samples.wheel("p-1-cp313-cp313-manylinux_2_34_x86_64.whl", {LINUX: LINUX}), 0, CLEAN)
    wheel = samples.wheel(MANYLINUX, {LINUX: needing(samples, "GLIBCXX_3.4.29", library="libstdc++.so.6")})
    assert "needs use_0@GLIBCXX_3.4.29 of libstdc++.so.6, which is newer than" in samples.check(wheel).output
    says(
        samples,
        samples.wheel("pymult-1.0-cp313-cp313-linux_x86_64.whl", {LINUX: needing(samples, "GLIBC_2.34")}),
        0,
        CLEAN,
    )


def test_a_library_that_the_tag_does_not_promise(samples: Samples) -> None:
    library = samples.shared_library("libquux.so.1")
    module = samples.elf(link=[*NO_STACK, library])
    fix = (
        "  fix: let auditwheel repair put it into the wheel, or link it statically; else the wheel's tag is that of the "
        'machine that built it (platform-tag = "linux")\n'
    )
    said = "{}: {}: {}: needs libquux.so.1, which is not in the wheel, and which {} does not promise [library-not-allowed]\n"
    wheel = samples.wheel(MANYLINUX, {LINUX: module})
    says(samples, wheel, 1, said.format(wheel, LINUX, "error", "manylinux_2_17_x86_64") + fix + ONE_ERROR)
    assert samples.check(samples.wheel(MANYLINUX, {LINUX: module, "p.libs/libquux.so.1": library})).returncode == 0
    musl = "pymult.cpython-313-x86_64-linux-musl.so"
    wheel = samples.wheel("pymult-1.0-cp313-cp313-musllinux_1_2_x86_64.whl", {musl: module})
    says(samples, wheel, 1, said.format(wheel, musl, "error", "musllinux_1_2_x86_64") + fix + ONE_ERROR)
    # What another distribution may bring is not known to be missing.
    metadata = b"Metadata-Version: 2.1\nName: pymult\nVersion: 1.0\nRequires-Dist: quux\n"
    wheel = samples.wheel(MANYLINUX, {LINUX: module, "pymult-1.0.dist-info/METADATA": metadata})
    says(samples, wheel, 0, said.format(wheel, LINUX, "warning", "manylinux_2_17_x86_64") + fix + ONE_WARNING)
    # Outside of such a tag the note of old stands, and says it once.
    wheel = samples.wheel("pymult-1.0-cp313-cp313-linux_x86_64.whl", {LINUX: module})
    assert samples.check(wheel).output.count("libquux") == 1


def test_the_good_forms_pass(samples: Samples) -> None:
    module = samples.elf(calls("memcpy"), link=[*NO_STACK, "-lc"])
    says(samples, samples.wheel("pymult-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", {LINUX: module}), 0, CLEAN)
