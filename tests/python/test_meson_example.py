"""The Meson door: examples/meson-module as a user builds it, and what its build says of a module that would fail."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

import pytest

from devtools import examples, nasms
from nasm_ext_calls import without_rules
from projects import Toolbox
from running import LOCAL_TAG, SUFFIX

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/meson-module"
MODULE = f"gcd{SUFFIX}"

COMPARE = """
import gcd, math, random
edges = [s * (2**bits + o) for bits in (0, 1, 31, 32, 62) for o in (-1, 0, 1) for s in (-1, 1)] + [2**63 - 1, -2**63]
pairs = [(a, b) for a in edges for b in edges]
for _ in range(100_000):
    pairs.append(tuple(random.randrange(-2**63, 2**63) >> random.randrange(64) for _ in "ab"))
wrong = [(a, b) for a, b in pairs if gcd.gcd(a, b) != math.gcd(a, b)]
print(len(pairs), "pairs, wrong:", wrong[:3])
for arguments in ((2**63, 1), (1, "7"), (1,)):
    try:
        gcd.gcd(*arguments)
    except (OverflowError, TypeError) as error:
        print(type(error).__name__)
"""


@pytest.fixture
def copy(toolbox: Toolbox) -> Path:
    """The example as a user would have copied it."""
    return examples.copy(EXAMPLE, toolbox.work)


def configure(toolbox: Toolbox, project: Path, nasm: Path | None = None) -> None:
    done = toolbox.run(
        ["meson", "setup", "build", "--buildtype=release"], cwd=project, env={"NASM": str(nasm)} if nasm else {}
    )
    assert done.returncode == 0, str(done)


def compile_(toolbox: Toolbox, project: Path) -> tuple[int, str]:
    """`ninja` in the configured folder: its status, and what it said without the steps that went well."""
    done = toolbox.run(["ninja", "-C", "build"], cwd=project)
    return done.returncode, re.sub(r"^\[\d+/\d+\] .*\n", "", done.output, flags=re.MULTILINE)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))


def test_the_wheel_holds_a_sound_module_that_answers(toolbox: Toolbox, copy: Path) -> None:
    build = toolbox.build(copy)
    assert build.wheel.name == f"gcd-1.0.0-{LOCAL_TAG}.whl"
    assert build.members() == [MODULE]
    checked = toolbox.run(["nasm-ext", "check", "--abi", "--strict", build.wheel])
    assert (checked.returncode, without_rules(checked.output).splitlines()[0]) == (
        0,
        "checked 1 module: 0 errors, 0 warnings, 0 notes",
    ), str(checked)
    assert toolbox.call(build.wheel, COMPARE).output == (
        "101024 pairs, wrong: []\nOverflowError\nTypeError\nTypeError\n"
    )


def test_mesons_own_tests_pass(toolbox: Toolbox, copy: Path) -> None:
    """The check of the finished module, with warnings as errors; pytest is no part of the environment of builds."""
    configure(toolbox, copy)
    done = toolbox.run(["meson", "test", "-C", "build", "check"], cwd=copy)
    assert done.returncode == 0, str(done)
    assert re.search(r"^Ok: +1\s*$", done.output, re.MULTILINE), str(done)


def test_an_error_names_the_line_and_leaves_no_module(toolbox: Toolbox, copy: Path) -> None:
    source = copy / "gcd.asm"
    good = source.read_text()
    configure(toolbox, copy)
    assert compile_(toolbox, copy)[0] == 0
    source.write_text(good.replace("PyLong_AsLongLong", "PyLong_AsLongLng", 1))
    status, output = compile_(toolbox, copy)
    assert status != 0
    said = re.sub(r"^FAILED: .*\n.*/nasm-ext check .*\n", "", output, flags=re.MULTILINE)
    assert said == (
        "ninja: Entering directory `build'\n"
        "../gcd.asm:16: error: no CPython has PyLong_AsLongLng; did you mean PyLong_AsLongLong? [python-symbol-unknown]\n"
        "  fix: spell it PyLong_AsLongLong\n"
        "ninja: build stopped: subcommand failed.\n"
    )
    assert not (copy / "build" / MODULE).exists()
    assert compile_(toolbox, copy)[0] != 0, "an error must come again until it is mended"
    source.write_text(good)
    assert compile_(toolbox, copy)[0] == 0
    assert (copy / "build" / MODULE).is_file()


def test_no_wheel_of_a_module_that_fails(toolbox: Toolbox, copy: Path) -> None:
    replace(copy / "meson.build", "-z,noexecstack", "-z,execstack")
    build = toolbox.build(copy)
    assert build.returncode != 0
    assert (
        f"{MODULE}: error: asks for an executable stack, and glibc from 2.41 on refuses to load it [executable-stack]"
        in build.output
    ), str(build)
    assert list(toolbox.work.rglob("*.whl")) == []


@pytest.mark.parametrize("with_depend", [False, True])
def test_an_edited_include_file_is_noticed_as_the_readme_says(toolbox: Toolbox, copy: Path, with_depend: bool) -> None:
    """NASM 2.16.00 and 2.16.01 list no %include; %depend they do list."""
    (copy / "table.inc").write_text("; nothing\n")
    words = '%include "table.inc"\n' + ('%depend "table.inc"\n' if with_depend else "")
    replace(copy / "gcd.asm", "extern binary_gcd\n", words + "extern binary_gcd\n")
    noticed = {}
    for version, nasm in nasms.fetch_nasms().items():
        project = examples.copy(copy, toolbox.work / version)
        configure(toolbox, project, nasm)
        assert compile_(toolbox, project)[0] == 0
        (project / "table.inc").write_text("%error table.inc was read again\n")
        noticed[version] = compile_(toolbox, project)[0] != 0
    assert noticed == {version: with_depend or version != "2.16.01" for version in noticed}


def test_the_words_are_those_of_this_cpython(toolbox: Toolbox, copy: Path) -> None:
    configure(toolbox, copy)
    commands = (copy / "build/compile_commands.json").read_text()
    version = sysconfig.get_python_version()
    minor = int(version.split(".")[1])
    assert f"-DPY_VERSION_HEX=0x03{minor:02X}0000" in commands
    assert ("-DPy_GIL_DISABLED" in commands) == bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
