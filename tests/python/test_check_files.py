"""`nasm-ext check` as a command: wheels, files that are no modules, suppressions, JSON, its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from check_samples import ELF, LINUX, MACOS, WINDOWS, Samples

ROOT = Path(__file__).resolve().parents[2]
CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


@pytest.fixture
def misspelt(samples: Samples) -> str:
    """A module with one error and one note."""
    helper = "        global helper\nhelper: ret\nPyInit_pymult:\n"
    return samples.elf(ELF.replace("PyInit_pymult:\n", helper, 1).replace("PyInit_pymult", "PyInit_pymul"))


ERROR = (
    f"{LINUX}: error: exports PyInit_pymul, not PyInit_pymult: CPython finds no entry point for a module named pymult "
    "[entry-missing]\n  fix: spell it PyInit_pymult in the source, or name the module pymul\n"
)
NOTE = (
    f"{LINUX}: note: exports one name beyond its entry point: helper [extra-exports]\n"
    "  fix: give each `global` line `:function hidden`, or link with a version script\n"
)


# -- wheels ----------------------------------------------------------------------------------------------------------


def test_a_wheel_with_modules_and_a_library(samples: Samples) -> None:
    good = samples.elf()
    library = samples.shared_library("libquux-1234.so.1")
    wheel = samples.wheel(
        "pymult-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        {
            f"pkg/{LINUX}": good,
            f"pkg/sub/{LINUX}": good,
            "pymult.libs/libquux-1234.so.1": library,
            "pkg/plain.so": library,
            "pkg/__init__.py": b"",
        },
    )
    checked = samples.check(wheel)
    assert checked.output.endswith("checked 2 modules and 2 libraries: 0 errors, 0 warnings, 0 notes\n"), checked
    assert checked.returncode == 0


def test_a_wheel_with_a_wrong_module(samples: Samples, misspelt: str) -> None:
    wheel = samples.wheel("pymult-1.0-cp313-cp313-linux_x86_64.whl", {f"pkg/{LINUX}": misspelt})
    checked = samples.check(wheel)
    assert checked.output == (
        ERROR.replace(LINUX, f"{wheel}: pkg/{LINUX}")
        + NOTE.replace(LINUX, f"{wheel}: pkg/{LINUX}")
        + "checked 1 module: 1 error, 0 warnings, 1 note\n"
    )
    assert checked.returncode == 1


def test_a_wheel_without_a_module(samples: Samples) -> None:
    wheel = samples.wheel("pure-1.0-py3-none-any.whl", {"pure/__init__.py": b""})
    checked = samples.check(wheel)
    assert checked.output == (
        f"{wheel}: not checked: there is no extension module in it\nchecked 0 modules: 0 errors, 0 warnings, 0 notes\n"
    )
    assert checked.returncode == 0


def test_a_wheel_with_a_damaged_module(samples: Samples) -> None:
    wheel = samples.wheel("p-1-cp313-cp313-linux_x86_64.whl", {"pkg/empty.abi3.so": b"", f"pkg/{LINUX}": samples.elf()})
    checked = samples.check(wheel)
    assert checked.output.startswith(f"{wheel}: pkg/empty.abi3.so: error: ")
    assert checked.output.endswith("checked 1 module: 0 errors, 0 warnings, 0 notes, 1 file unreadable\n")
    assert checked.output.count("\n") == 2
    assert checked.returncode == 2


# -- files that are no modules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"MZ", b"PK\x03\x04", b"#!/bin/sh\n", b"\xcf\xfa\xed\xfe" + b"\0" * 20, b"\0" * 5000],
    ids=["empty", "cut ELF", "cut PE", "cut zip", "script", "cut Mach-O", "zeros"],
)
def test_a_foreign_file_gets_one_line(samples: Samples, content: bytes) -> None:
    (samples.folder / "pymult.so").write_bytes(content)
    checked = samples.check("pymult.so")
    lines = checked.output.splitlines()
    assert len(lines) == 2, checked
    assert lines[0].startswith("pymult.so: error: ")
    assert lines[1] == "checked 0 modules: 0 errors, 0 warnings, 0 notes, 1 file unreadable"
    assert (checked.returncode, checked.errors) == (2, "")


def test_a_cut_module(samples: Samples) -> None:
    for name in (samples.elf(), samples.macho(), samples.pe()):
        whole = (samples.folder / name).read_bytes()
        (samples.folder / name).write_bytes(whole[: len(whole) // 2])
        checked = samples.check(name)
        assert checked.output.startswith(f"{name}: error: "), checked
        assert checked.output.endswith("0 notes, 1 file unreadable\n")
        assert checked.returncode == 2


def test_a_file_that_is_not_there_does_not_hide_the_others(samples: Samples, misspelt: str) -> None:
    checked = samples.check("missing.so", misspelt)
    assert checked.output == (
        "missing.so: error: there is no such file\n"
        + ERROR + NOTE
        + "checked 1 module: 1 error, 0 warnings, 1 note, 1 file unreadable\n"
    )  # fmt: skip
    assert checked.returncode == 2


# -- suppressions ----------------------------------------------------------------------------------------------------


def test_a_silenced_error_is_shown_and_does_not_count(samples: Samples, misspelt: str) -> None:
    (samples.folder / "pyproject.toml").write_text(
        '[tool.nasm-build.check]\nignore = [{ rule = "entry-missing", reason = "loaded by hand" }]\n', encoding="utf-8"
    )
    silenced = ERROR.replace("error:", "silenced error:")
    silenced = silenced[: silenced.index("  fix: ")] + "  reason: loaded by hand\n"
    checked = samples.check(misspelt)
    assert checked.output == silenced + NOTE + "checked 1 module: 0 errors, 0 warnings, 1 note, 1 silenced\n"
    assert checked.returncode == 0
    assert samples.check("--no-config", misspelt).returncode == 1
    elsewhere = samples.folder / "other"
    elsewhere.mkdir()
    (samples.folder / "pyproject.toml").rename(elsewhere / "pyproject.toml")
    assert samples.check(misspelt).returncode == 1
    assert samples.check("--config", "other/pyproject.toml", misspelt).returncode == 0


def test_ignore_on_the_command_line(samples: Samples, misspelt: str) -> None:
    checked = samples.check("--ignore", "entry-missing=loaded by hand", "--ignore", "extra-exports=wanted", misspelt)
    assert checked.output.endswith("checked 1 module: 0 errors, 0 warnings, 0 notes, 2 silenced\n"), checked
    assert checked.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--ignore", "entry-mising=x"],
            "error: --ignore: there is no rule named entry-mising\nfix: did you mean entry-missing?\n",
        ),
        (
            ["--ignore", "entry-missing"],
            'error: --ignore: entry-missing is ignored without a reason\nfix: write --ignore "entry-missing=why it is '
            'right here"\n',
        ),
        (
            ["--config", "nowhere.toml"],
            "error: nowhere.toml: there is no such file\nfix: give --config a pyproject.toml that is there\n",
        ),
        (
            ["--name", "pymult", "another.so"],
            "error: --name pymult was given for 2 files\nfix: check one file at a time, or leave out --name: the file "
            "names say it\n",
        ),
        (
            ["--python", "four"],
            "error: `four` is no CPython version\nfix: give one like 3.13, or 3.13t for a free-threaded build, 3.13d for "
            "a debug build\n",
        ),
        (
            ["--object", "nowhere.o", "--ignore", "entry-not-code=x"],
            "error: nowhere.o: there is no such file\nfix: give --object the objects that NASM wrote\n",
        ),
    ],
)
def test_wrong_words(samples: Samples, misspelt: str, words: list[str], said: str) -> None:
    checked = samples.check(*words, misspelt)
    assert (checked.errors, checked.output, checked.returncode) == (said, "", 2)


def test_a_wrong_line_in_pyproject(samples: Samples, misspelt: str) -> None:
    (samples.folder / "pyproject.toml").write_text(
        "[tool.nasm-build.check]\nignore = [\n  { rule = 'extra-export', reason = 'x' },\n]\n", encoding="utf-8"
    )
    checked = samples.check(misspelt)
    assert checked.errors == (
        "error: pyproject.toml:3: there is no rule named extra-export\nfix: did you mean extra-exports?\n"
    )
    assert checked.returncode == 2


# -- names -----------------------------------------------------------------------------------------------------------


def test_a_name_given_by_hand(samples: Samples) -> None:
    module = samples.elf(name="whatever.so")
    assert samples.check("--python", "3.13", "--name", "pkg.pymult", module).output == CLEAN
    assert samples.check("--python", "3.13", module).returncode == 1


def test_a_bare_name_says_what_was_not_checked(samples: Samples) -> None:
    assert samples.check(samples.elf(name="pymult.so")).output == (
        "pymult.so: not checked: python-symbol-missing, because nobody said which CPython the module is for (give "
        "--python, or --abi3)\n" + CLEAN
    )


# -- JSON ------------------------------------------------------------------------------------------------------------


def test_json_is_as_the_schema_says(samples: Samples, misspelt: str) -> None:
    schema = json.loads((ROOT / "docs" / "check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    (samples.folder / "cut.so").write_bytes(b"\x7fELF")
    pure = samples.wheel("pure-1.0-py3-none-any.whl", {"a.py": b""})
    universal = samples.wheel("p-1-cp313-cp313-macosx_11_0_universal2.whl", {f"pkg/{MACOS}": samples.macho()})
    pypy = samples.elf(name="pymult.pypy310-pp73-x86_64-linux-gnu.so")
    samples.elf(ELF.replace("PyModuleDef_Init", "PyModuleDef_Initt"), name="typo.so")
    words = ["--format", "json", "--object", "pymult.o", "--ignore", "extra-exports=wanted"]
    checked = samples.check(
        *words, misspelt, "cut.so", pure, universal, pypy, samples.pe(), "typo.so", "missing.so"
    )  # fmt: skip
    report = json.loads(checked.output)
    validator.validate(report)
    assert checked.returncode == 2
    assert report["summary"]["files"] == 8
    assert report["summary"]["unreadable"] == 2
    assert [file["status"] for file in report["files"]].count("not-checked") == 1


def test_json_of_one_finding(samples: Samples) -> None:
    module = samples.elf(ELF.replace("PyModuleDef_Init", "PyModuleDef_Initt"))
    checked = samples.check("--format", "json", "--object", "pymult.o", module)
    report = json.loads(checked.output)
    assert report.pop("mended") == []
    version = report["tool"].pop("version")
    assert version
    # Every rule for binaries is in exactly one of the four lists.
    (file,) = report["files"]
    not_applicable = [rule["rule"] for rule in file.pop("not_applicable")]
    passed = file.pop("passed")
    assert "wrong-python-dll" in not_applicable and "missing-slice" in not_applicable
    assert "executable-stack" in passed and "python-symbol-unknown" not in passed
    assert not set(passed) & set(not_applicable)
    assert report["summary"].pop("rules_passed") == len(passed)
    assert report["summary"].pop("rules_not_applicable") == len(not_applicable)
    assert report["summary"].pop("rules_not_checked") == 0
    assert report == {
        "schema_version": 1,
        "tool": {"name": "nasm-ext"},
        "files": [
            {
                "path": LINUX,
                "member": None,
                "slice": None,
                "status": "checked",
                "reason": None,
                "format": "ELF",
                "machine": "x86-64",
                "module": "pymult",
                "python": "3.13",
                "target": "linux-x86_64",
                "findings": [
                    {
                        "rule": "python-symbol-unknown",
                        "severity": "error",
                        "message": "no CPython has PyModuleDef_Initt; did you mean PyModuleDef_Init?",
                        "fix": "spell it PyModuleDef_Init",
                        "symbol": "PyModuleDef_Initt",
                        "places": [{"file": "pymult.asm", "line": 9}],
                        "path": [],
                        "silenced": None,
                    }
                ],
                "not_checked": [],
            }
        ],
        "summary": {
            "files": 1, "modules": 1, "libraries": 0, "wheels": 0, "errors": 1, "warnings": 0, "notes": 0, "silenced": 0, "unreadable": 0,
        },
    }  # fmt: skip


def test_several_files_of_several_formats(samples: Samples) -> None:
    checked = samples.check(samples.elf(), samples.macho(), samples.pe())
    assert (checked.output, checked.returncode) == ("checked 3 modules: 0 errors, 0 warnings, 0 notes\n", 0)
    assert WINDOWS.endswith(".pyd")


# -- references ------------------------------------------------------------------------------------------------------


def test_references_name_the_lines(samples: Samples) -> None:
    samples.elf()
    words = ["references", "--symbol", "PyModuleDef_Init"]
    text = samples.nasm_ext_says(*words, "pymult.o")
    assert (text.output, text.returncode) == ("pymult.asm:9: relocation R_X86_64_PLT32 in .text+0x8\n", 0)
    report = samples.nasm_ext_says(*words, "--format", "json", "pymult.o")
    assert json.loads(report.output) == {
        "schema_version": 1,
        "places": [
            {"file": "pymult.asm", "line": 9, "section": ".text", "offset": 8, "relocation": "R_X86_64_PLT32"}
        ],
    }  # fmt: skip
    missing = samples.nasm_ext_says(*words, "nowhere.o")
    assert (missing.errors, missing.returncode) == ("error: nowhere.o: there is no such file\n", 2)
