"""What goes wrong for users, tried as they would, with the whole output asserted: the line, what is wrong, the fix."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projects import Build, Toolbox
from sources import SETUP_PYPROJECT, answer, demo, pyproject

Projects = Callable[..., Path]

STARTED = """\
running bdist_wheel
running build
running build_ext
"""
BUILDING = STARTED + "building 'demo' extension\n"
TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}-linux-x86_64-gnu"
OBJECTS = f"build/nasm-build/{TAG}/temp/nasm-objects"
NASM_FLAGS = (
    "-f elf64 -g -F dwarf --reproducible --before 'default rel' -DPIE -DLINUX "
    f"-DPY_VERSION_HEX=0x{sys.version_info[0]:02X}{sys.version_info[1]:02X}0000 -I ./ -I build/nasm-build/include/"
)
COMMAND = f"""\
  command: nasm {NASM_FLAGS} -o {OBJECTS}/demo/demo.o demo.asm
  exit status 1
"""


def refused(build: Build, expected: str) -> None:
    """The build failed with exactly this output, and left nothing that looks like a wheel."""
    assert build.returncode == 1, str(build)
    assert build.output == expected
    assert build.wheels == ()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def without_nasm(folder: Path) -> str:
    """A PATH with everything that a build needs but NASM."""
    folder.mkdir()
    for place in ("/usr/bin", "/bin"):
        for tool in ("cc", "gcc", "ld", "as", "sh"):
            if (Path(place) / tool).exists() and not (folder / tool).exists():
                (folder / tool).symlink_to(Path(place) / tool)
    return str(folder)


# -- sources ---------------------------------------------------------------------------------------------------------


def test_a_syntax_error_inside_an_included_file(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["demo.asm"] += '%include "inc/table.inc"\n'
    files["inc/table.inc"] = "section .text\n    mov rax, rbx\n    bogus rax\n"
    refused(
        toolbox.hook(project(files)),
        STARTED + "inc/table.inc:3: error: parser: instruction expected [nasm]\n" + COMMAND,
    )


def test_a_missing_include(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["demo.asm"] = '%include "missing.inc"\n' + files["demo.asm"]
    refused(
        toolbox.hook(project(files)),
        STARTED
        + "demo.asm:1: error: unable to open include file `missing.inc': No such file or directory [nasm]\n"
        + "  fix: put 'missing.inc' into one of: ., build/nasm-build/include; or add its folder to the include folders\n"
        + COMMAND,
    )


def test_an_undefined_local_label(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["demo.asm"] = files["demo.asm"].replace("    mov     edi, 42", "    jmp     .again")
    refused(
        toolbox.hook(project(files)),
        STARTED
        + "demo.asm:10: error: symbol `answer.again' not defined [nasm]\n"
        + "  fix: define the local label, or spell it as it is defined below its own global label: answer.again\n"
        + COMMAND,
    )


def test_a_source_that_is_not_there(toolbox: Toolbox, project: Projects) -> None:
    files = {"pyproject.toml": pyproject().replace('"demo.asm"', '"dmo.asm"'), "demo.asm": answer()}
    refused(
        toolbox.hook(project(files)),
        STARTED
        + "pyproject.toml:11: error: source 'dmo.asm' of module 'demo' is not there [source-missing]\n"
        + "  fix: did you mean 'demo.asm'?\n",
    )


def test_a_c_source_that_does_not_compile(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["pyproject.toml"] = files["pyproject.toml"].replace('["demo.asm"]', '["demo.asm", "helper.c"]')
    files["helper.c"] = "int helper(void) { return missing; }\n"
    build = toolbox.hook(project(files))
    assert build.returncode == 1
    assert re.search(r"^helper\.c:1:\d+: error: .missing. undeclared", build.output, re.MULTILINE), build.output
    assert (
        "error: module 'demo': a source other than assembly does not compile [compile]\n"
        "  fix: mend what the compiler says above\n" in build.output
    )
    assert "Traceback" not in build.output


# -- what Python will need -------------------------------------------------------------------------------------------


def test_a_misspelt_entry_point(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["demo.asm"] = files["demo.asm"].replace("PyInit_demo", "PyInit_dmo")
    build = toolbox.hook(project(files))
    refused(
        build,
        BUILDING + f"build/nasm-build/{TAG}/lib/demo.{_suffix()}: error: exports PyInit_dmo, not "
        "PyInit_demo: CPython finds no entry point for a module named demo [entry-missing]\n"
        "  fix: spell it PyInit_demo in the source, or name the module dmo\n",
    )


def test_a_symbol_that_no_cpython_has(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["demo.asm"] = files["demo.asm"].replace("PyLong_FromLong", "PyLong_FromLongg")
    refused(
        toolbox.hook(project(files)),
        BUILDING + "demo.asm:11: error: no CPython has PyLong_FromLongg; did you mean PyLong_FromLong? "
        "[python-symbol-unknown]\n  fix: spell it PyLong_FromLong\n",
    )


def test_a_call_that_is_not_position_independent(toolbox: Toolbox, project: Projects) -> None:
    files = demo()
    files["demo.asm"] = files["demo.asm"].replace("call    PyLong_FromLong wrt ..plt", "call    PyLong_FromLong")
    build = toolbox.hook(project(files))
    assert build.returncode == 1
    first, command, status = build.output.removeprefix(BUILDING).rpartition("  command: ")
    assert first == (
        "demo.asm:11: error: 'PyLong_FromLong' is outside this module and is referred to directly [position-dependent]\n"
        "  fix: call PyLong_FromLong wrt ..plt\n"
        "       or, for its address or data: mov rax, [rel PyLong_FromLong wrt ..got]\n"
    )
    assert status.endswith("\n  exit status 1\n")
    assert command


def test_an_unknown_key(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(demo(extra='include-dir = ["inc"]\n')))
    refused(
        build,
        "pyproject.toml:12: error: unknown key 'include-dir' in [[tool.nasm-build.ext-modules]] [settings]\n"
        "  fix: did you mean 'include-dirs'?\n",
    )


SILENCED = """
[tool.nasm-build.check]
ignore = [{{ rule = "{rule}", reason = "the host program exports it" }}]
"""


def test_a_silenced_finding_is_shown_with_its_reason(toolbox: Toolbox, project: Projects) -> None:
    files = demo(extra=SILENCED.format(rule="python-symbol-unknown"))
    files["demo.asm"] = files["demo.asm"].replace("PyLong_FromLong", "PyLong_FromLongg")
    build = toolbox.hook(project(files))
    assert build.wheel
    assert (
        f"build/nasm-build/{TAG}/lib/demo.{_suffix()}: silenced: no CPython has PyLong_FromLongg; did you mean "
        "PyLong_FromLong? [python-symbol-unknown], because the host program exports it\n" in build.output
    )


def test_silencing_a_rule_that_is_none(toolbox: Toolbox, project: Projects) -> None:
    build = toolbox.hook(project(demo(extra=SILENCED.format(rule="python-symbol-unknwn"))))
    assert build.returncode == 1
    assert "python-symbol-unknwn" in build.output
    assert "did you mean python-symbol-unknown?" in build.output, build.output
    assert "Traceback" not in build.output
    assert build.wheels == ()


def test_pip_shows_our_lines(toolbox: Toolbox, project: Projects) -> None:
    """What a user of pip sees: pip's own frame, and our two lines in it without a traceback."""
    build = toolbox.build(project(demo(extra='include-dir = ["inc"]\n')))
    assert build.returncode == 1
    assert (
        "      pyproject.toml:12: error: unknown key 'include-dir' in [[tool.nasm-build.ext-modules]] [settings]\n"
        "        fix: did you mean 'include-dirs'?\n" in build.output
    )
    assert "Traceback" not in build.output


# -- NASM ------------------------------------------------------------------------------------------------------------


def test_no_nasm(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    """Without NASM the error says how this machine gets one. What lies in the usual places is hidden by a namespace."""
    folder = project(demo())
    build = _hidden_nasm(toolbox, folder, {"PATH": without_nasm(tmp_path / "bin")})
    assert build.returncode == 1, str(build)
    assert build.output == (
        STARTED + "error: no usable NASM was found: /usr/bin/nasm (usual place): it is not a file [nasm-missing]\n"
        "  fix: apt-get install nasm\n"
    )


def test_a_6502_assembler_named_nasm_first_on_path(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    """PyPI's `nasm` is a 6502 assembler that shadows the real one: it is passed over for the next on PATH."""
    script(tmp_path / "venv/nasm", "#!/bin/sh\necho 'usage: nasm [-o OUTPUT] source'\nexit 2\n")
    path = f"{tmp_path / 'venv'}:{os.environ['PATH']}"
    assert toolbox.hook(project(demo()), env={"PATH": path}).wheel.name.startswith("demo-1.0-")
    build = _hidden_nasm(
        toolbox, project(demo(), "second"), {"PATH": f"{tmp_path / 'venv'}:{without_nasm(tmp_path / 'bin')}"}
    )
    assert build.returncode == 1
    assert build.output == (
        STARTED + "error: no usable NASM was found: <work>/venv/nasm (PATH): `-v` ended with exit status 2 and printed "
        '"usage: nasm [-o OUTPUT] source"; /usr/bin/nasm (usual place): it is not a file [nasm-missing]\n'
        "  fix: apt-get install nasm\n"
    )


def test_a_nasm_that_is_too_old(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    old = script(tmp_path / "nasm-old", "#!/bin/sh\necho 'NASM version 2.14.02 compiled on Dec 26 2018'\n")
    build = toolbox.hook(project(demo()), env={"NASM": str(old)})
    assert build.returncode == 1
    assert "2.14.02" in build.output
    assert "2.15.05" in build.output
    assert "  fix: " in build.output
    assert "Traceback" not in build.output


# -- the machine -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB, which root's rights do not widen."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(toolbox: Toolbox, project: Projects, small_disk: Path) -> None:
    folder = project(demo())
    (small_disk / "wheels").mkdir()
    (small_disk / "ballast").write_bytes(b"x" * (1024 * 1024))
    build = toolbox.hook(folder, to=small_disk / "wheels")
    assert build.returncode == 1
    assert build.output.endswith(
        "error: cannot write: no space left on device [disk]\n"
        "  fix: free some space there, or build elsewhere: -C build-dir=FOLDER, and TMPDIR for temporary files\n"
    ), build.output
    assert "Traceback" not in build.output
    assert leftovers(small_disk / "wheels") == []


def test_a_full_disk_below_the_project(toolbox: Toolbox, project: Projects, small_disk: Path) -> None:
    """NASM, the linker and setuptools each meet the end of the disk in their own way; none leaves half a file."""
    folder = project(demo())
    for room in (0, 20, 36, 60):
        (small_disk / "ballast").write_bytes(b"x" * (1024 * 1024 - room * 1024))
        build = toolbox.hook(folder, env={"NASM_BUILD_DIR": str(small_disk / f"build-{room}")})
        assert build.returncode == 1, (room, str(build))
        assert "no space left on device" in build.output.lower(), (room, build.output)
        assert "  fix: free some space" in build.output, (room, build.output)
        assert "Traceback" not in build.output
        assert not list(small_disk.rglob("*.partial"))
        (small_disk / "ballast").unlink()
    assert toolbox.hook(folder, env={"NASM_BUILD_DIR": str(small_disk / "build-60")}).wheel


def test_a_project_that_is_mounted_read_only(toolbox: Toolbox, project: Projects, tmp_path: Path) -> None:
    """The sources need not be writable: the build moves to a temporary folder."""
    folder = project(demo())
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        assert toolbox.hook(folder, to=tmp_path / "wheels").wheel.name.startswith("demo-1.0-")
        build = toolbox.hook(folder, to=folder / "wheels-here") if (folder / "wheels-here").exists() else None
        assert build is None
        named = toolbox.hook(folder, env={"NASM_BUILD_DIR": "out"}, to=tmp_path / "others")
    finally:
        subprocess.run(["umount", folder], check=True)
    refused(
        named,
        "<project>/out: error: cannot write: read-only file system [disk]\n"
        "  fix: write to a folder that is not mounted read-only: pip wheel -w FOLDER, -C build-dir=FOLDER\n",
    )
    assert leftovers(folder) == ["demo.asm", "pyproject.toml"]


def _interruptible() -> None:
    """A shell starts what runs in its background with the interrupt ignored, and every process inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_an_interrupted_build_leaves_nothing(
    toolbox: Toolbox, project: Projects, tmp_path: Path, number: signal.Signals
) -> None:
    """A NASM that takes its time is interrupted with the whole process group, as a terminal does it."""
    slow = script(
        tmp_path / "slow/nasm",
        '#!/bin/sh\ncase "$*" in *-v*|*-M*) exec nasm-real "$@";; esac\ntouch "$STARTED"\nexec sleep 30\n',
    )
    (tmp_path / "slow/nasm-real").symlink_to("/usr/bin/nasm")
    started, wheels = tmp_path / "started", tmp_path / "wheels"
    wheels.mkdir()
    folder = project(demo())
    variables = toolbox.variables({"STARTED": str(started), "PATH": f"{slow.parent}:{os.environ['PATH']}"})
    process = subprocess.Popen(
        [toolbox.python, "-c", f"from nasm_build import backend; backend.build_wheel({str(wheels)!r})"],
        cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=_interruptible,
    )  # fmt: skip
    while not started.exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == (130 if number == signal.SIGINT else 143), output
    assert "Traceback" not in output
    if number == signal.SIGINT:
        assert output.endswith("error: interrupted; no wheel was written [interrupted]\n")
    assert leftovers(wheels) == []
    assert not [path for path in folder.rglob("*") if path.suffix in (".o", ".so", ".partial", ".whl")]
    assert toolbox.hook(folder).wheel


def test_a_killed_build_is_begun_again(toolbox: Toolbox, project: Projects) -> None:
    """A module that a killed linker left half-written has no stamp, so it is linked again."""
    folder = project(demo())
    good = toolbox.hook(folder).wheel.read_bytes()
    module = next(folder.glob("build/nasm-build/*/lib/*.so"))
    module.write_bytes(module.read_bytes()[:1000])
    assert toolbox.hook(folder).wheel.read_bytes() == good


# -- stepping round --------------------------------------------------------------------------------------------------

SKIPPING = """
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

class Skipping(build_ext):
    def run(self):
        pass

setup(name="demo", version="1.0", cmdclass={"build_ext": Skipping},
      ext_modules=[Extension("demo", ["demo.asm"])])
"""

FORGING = """
import os, zipfile
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel

class Forging(bdist_wheel):
    def run(self):
        super().run()
        wheel = os.path.join(self.dist_dir, [name for name in os.listdir(self.dist_dir) if name.endswith(".whl")][0])
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.writestr("other" + os.environ["SUFFIX"], b"not a module")

setup(name="demo", version="1.0", cmdclass={"bdist_wheel": Forging},
      ext_modules=[Extension("demo", ["demo.asm"])])
"""


@pytest.mark.parametrize("door", ["nasm_build.backend", "setuptools.build_meta"])
def test_a_command_class_that_skips_the_build(toolbox: Toolbox, project: Projects, door: str) -> None:
    files = {"setup.py": SKIPPING, "demo.asm": answer()}
    files["pyproject.toml"] = SETUP_PYPROJECT.replace("setuptools.build_meta", door)
    build = toolbox.hook(project(files))
    assert build.returncode == 1
    assert build.output.splitlines()[-3:-1] or build.output
    assert "error: module 'demo' is not in the wheel [module-missing]\n" in build.output
    assert "Traceback" not in build.output
    assert build.wheels == ()


def test_a_command_class_that_packs_something_else(toolbox: Toolbox, project: Projects) -> None:
    """The gate stands outside the engine: what a command class puts into the wheel afterwards is read back as well."""
    files = {"setup.py": FORGING, "demo.asm": answer()}
    files["pyproject.toml"] = SETUP_PYPROJECT.replace("setuptools.build_meta", "nasm_build.backend")
    build = toolbox.hook(project(files), env={"SUFFIX": "." + _suffix()})
    assert build.returncode == 1
    assert f"demo-1.0-{_tag()}.whl: other.{_suffix()}: error: " in build.output
    assert build.wheels == ()


# -- helpers ---------------------------------------------------------------------------------------------------------


def _suffix() -> str:
    return f"cpython-{sys.version_info[0]}{sys.version_info[1]}-x86_64-linux-gnu.so"


def _tag() -> str:
    version = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    return f"{version}-{version}-linux_x86_64"


def _hidden_nasm(toolbox: Toolbox, folder: Path, env: dict[str, str]) -> Build:
    """A build in a mount namespace where the machine's NASM is an unreadable empty file."""
    target = toolbox.work / f"{folder.name}-wheels"
    target.mkdir(exist_ok=True)
    hook = f"from nasm_build import backend; backend.build_wheel({str(target)!r})"
    hide = 'for f in /usr/bin/nasm /usr/local/bin/nasm; do [ -e $f ] && /bin/mount --bind /dev/null $f; done; exec "$@"'
    done = toolbox.run(
        ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", hide, "sh", toolbox.python, "-c", hook], cwd=folder, env=env
    )
    return Build(done.returncode, done.raw, {**done.replacements}, tuple(target.glob("*.whl")))
