"""`nasm-ext tag`: the lowest platform tags of finished modules and wheels, against what auditwheel says of the same files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from check_samples import ELF, LINUX, MACHO, MACOS, WINDOWS, Samples, tool

OLDEST = "manylinux_2_5_x86_64\nmanylinux1_x86_64\n"
NEUTRAL = OLDEST + "musllinux_1_1_x86_64\n"
NO_STACK = ("-z", "noexecstack")


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


def tag(samples: Samples, *words: str) -> tuple[int, str]:
    said = samples.nasm_ext_says("tag", *words)
    assert said.errors == ""
    return said.returncode, said.output


def calls(*symbols: str) -> str:
    """The sample's source with calls of C functions before its own."""
    lines = "".join(f"        call    {symbol} wrt ..plt\n" for symbol in symbols)
    return ELF.replace("        lea", lines + "        lea").replace("extern ", f"extern {', '.join(symbols)}, ")


def needing(samples: Samples, *versions: str, library: str = "libc.so.6", name: str = LINUX) -> str:
    """A module that needs those versions of a library: linked with a library of that name that has nothing else."""
    script = "".join(f"{version} {{ use_{number}; }};\n" for number, version in enumerate(versions))
    (samples.folder / "versions.map").write_text(script, encoding="utf-8")
    body = "".join(f"void use_{number}(void) {{}}\n" for number in range(len(versions)))
    (samples.folder / "stub.c").write_text(body, encoding="utf-8")
    samples.run("gcc", "-shared", "-nostdlib", "-fPIC", "-Wl,--version-script=versions.map", f"-Wl,-soname,{library}",
                "-o", "stub.so", "stub.c")  # fmt: skip
    return samples.elf(calls(*(f"use_{number}" for number in range(len(versions)))), name, [*NO_STACK, "stub.so"])


def test_a_module_that_needs_nothing(samples: Samples) -> None:
    assert tag(samples, samples.elf()) == (0, OLDEST)
    assert tag(samples, samples.elf(name="pymult.abi3.so")) == (0, NEUTRAL)
    assert tag(samples, samples.elf(name="pymult.cpython-313-x86_64-linux-musl.so")) == (0, "musllinux_1_1_x86_64\n")
    assert tag(samples, samples.pe()) == (0, "win_amd64\n")
    assert tag(samples, samples.macho()) == (0, "macosx_11_0_x86_64\n")
    assert tag(samples, samples.wheel("p-1-py3-none-any.whl", {"a.py": b""})) == (0, "any\n")


def test_the_newest_version_decides(samples: Samples) -> None:
    module = needing(samples, "GLIBC_2.2.5", "GLIBC_2.14", "GLIBC_2.34")
    assert tag(samples, "--why", module) == (
        0,
        f"manylinux_2_34_x86_64\n{module}: needs GLIBC_2.34 of libc.so.6 (for use_2), which manylinux_2_34 promises "
        "first\n",
    )
    assert tag(samples, needing(samples, "GLIBC_2.17", name="pymult.abi3.so")) == (
        0, "manylinux_2_17_x86_64\nmanylinux2014_x86_64\n",
    )  # fmt: skip
    assert tag(samples, needing(samples, "GLIBCXX_3.4.29", library="libstdc++.so.6")) == (0, "manylinux_2_34_x86_64\n")


def test_what_keeps_a_wheel_on_its_machine(samples: Samples) -> None:
    library = samples.shared_library("libquux.so.1")
    module = samples.elf(link=[*NO_STACK, library])
    said = (0, f"linux_x86_64\npkg/{LINUX}: needs libquux.so.1, which no manylinux tag promises\n")
    name = "p-1-cp313-cp313-linux_x86_64.whl"
    assert tag(samples, "--why", samples.wheel(name, {f"pkg/{LINUX}": module})) == said
    bundled = {f"pkg/{LINUX}": module, "p.libs/libquux.so.1": library}
    assert tag(samples, samples.wheel(name, bundled)) == (0, OLDEST)


def test_json(samples: Samples) -> None:
    status, output = tag(samples, "--format", "json", needing(samples, "GLIBC_2.34"))
    assert status == 0
    assert json.loads(output) == {
        "schema_version": 1,
        "tags": ["manylinux_2_34_x86_64"],
        "local": False,
        "why": [f"{LINUX}: needs GLIBC_2.34 of libc.so.6 (for use_0), which manylinux_2_34 promises first"],
        "binaries": [
            {
                "member": LINUX,
                "slice": None,
                "format": "ELF",
                "machine": "x86_64",
                "needs": [
                    {"what": "libc.so.6", "library": None, "symbol": None, "glibc": 5},
                    {"what": "GLIBC_2.34", "library": "libc.so.6", "symbol": "use_0", "glibc": 34},
                ],
                "manylinux_glibc": 34,
                "musllinux_musl": None,
                "macos": None,
            }
        ],
    }


def test_files_that_have_no_tag_together(samples: Samples) -> None:
    elf, pe = samples.elf(), samples.pe()
    assert tag(samples, elf, pe) == (1, f"{WINDOWS}: is PE for win_amd64, and {LINUX} is ELF for x86_64\n")
    cut = samples.nasm_ext_says("tag", "nowhere.so")
    assert (cut.returncode, cut.errors) == (2, "error: nowhere.so: there is no such file\n")


def test_macos_says_the_oldest_system(samples: Samples) -> None:
    item = samples.object(MACHO, "macho64", "--prefix", "_")
    samples.run(tool("ld64.lld", "ld64.lld-14"), "-arch", "x86_64", "-platform_version", "macos", "10.13", "11.0", "-bundle", "-undefined",
                "dynamic_lookup", "-o", MACOS, item)  # fmt: skip
    assert tag(samples, "--why", MACOS) == (0, f"macosx_10_13_x86_64\n{MACOS}: needs macOS 10.13\n")


# -- what auditwheel says of the same files ----------------------------------------------------------------------------
def of_auditwheel(wheel: Path) -> str:
    """The lowest policy of `auditwheel show` for a wheel with a module of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", wheel.name],
        cwd=wheel.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r'constrains the platform tag to\s+"([^"]+)"', done.stdout) or re.search(
        r'consistent with the\s+following\s+platform\s+tag:\s+"([^"]+)"', done.stdout
    )
    assert done.returncode == 0 and found, done.stdout + done.stderr
    return found[1]


C_SOURCES = {
    "string": "#include <string.h>\nint f(char *a, const char *b, int n) { memcpy(a, b, n); return strlen(a); }",
    "threads": "#include <pthread.h>\nint f(pthread_t *t, void *(*g)(void *)) { return pthread_create(t, 0, g, 0); }",
    "math": "#include <math.h>\ndouble f(double x) { return pow(x, 0.3) + exp(x); }",
    "zlib": "extern const char *zlibVersion(void); const char *f(void) { return zlibVersion(); }",
}


@pytest.mark.parametrize("name", C_SOURCES)
def test_auditwheel_agrees(samples: Samples, name: str) -> None:
    source = (
        C_SOURCES[name] + "\nvoid *PyModuleDef_Init(void *); void *PyInit_m(void) { return PyModuleDef_Init(f); }\n"
    )
    (samples.folder / "m.c").write_text(source, encoding="utf-8")
    words = {"threads": ["-lpthread"], "math": ["-lm"], "zlib": ["-l:libz.so.1"]}.get(name, [])
    member = "m.cpython-313-x86_64-linux-gnu.so"
    samples.run("gcc", "-shared", "-fPIC", "-w", "-o", member, "m.c", *words)
    wheel = samples.wheel("m-1-cp313-cp313-linux_x86_64.whl", {member: member})
    status, output = tag(samples, wheel)
    assert status == 0
    ours, theirs = (glibc(name) for name in (output.splitlines()[0], of_auditwheel(samples.folder / wheel)))
    # PEP 600 has a tag for each glibc, auditwheel a policy for some : theirs is the next one.
    assert theirs == min(policy for policy in POLICIES if policy >= ours)


POLICIES = (5, 12, 17, 24, 26, 27, 28, 31, 34, 35, 36, 37, 38, 39, 40, 41)


def glibc(tag: str) -> int:
    found = re.fullmatch(r"manylinux_2_(\d+)_x86_64", tag)
    assert found, tag
    return int(found[1])


def test_an_installer_here_takes_the_tags(samples: Samples) -> None:
    """`packaging` lists what pip accepts on this machine."""
    accepted = {one.platform for one in sys_tags()}
    found = set(tag(samples, samples.elf(name="pymult.abi3.so"))[1].split())
    assert found & accepted
    assert found - accepted in ({"musllinux_1_1_x86_64"}, {"manylinux_2_5_x86_64", "manylinux1_x86_64"})
