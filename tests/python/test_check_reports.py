"""The reports of `nasm-ext check` for people, workflows and code scanning; strictness, baselines, folders and patterns."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from check_samples import ELF, LINUX, MACOS, Samples
from devtools import sarif_schema

CLEAN = "checked 1 module: 0 errors, 0 warnings, 0 notes\n"
HELPER = "        global helper\nhelper: ret\nPyInit_pymult:\n"
NOTE = "exports one name beyond its entry point: helper"
NOTE_FIX = "give each `global` line `:function hidden`, or link with a version script"


@pytest.fixture
def samples(tmp_path: Path, nasm_ext: Path) -> Samples:
    return Samples(tmp_path, nasm_ext)


@pytest.fixture
def noted(samples: Samples) -> str:
    """A module with one note."""
    return samples.elf(ELF.replace("PyInit_pymult:\n", HELPER, 1))


@pytest.fixture
def warned(samples: Samples) -> str:
    """A module with one warning."""
    return samples.elf(link=["-z", "noexecstack", "-rpath", "/tmp/build/lib"])


@pytest.fixture
def failing(samples: Samples) -> str:
    """A module with one error, which the objects' lines tell."""
    return samples.elf(ELF.replace("PyModuleDef_Init", "PyModuleDef_Initt"))


ERROR = "no CPython has PyModuleDef_Initt; did you mean PyModuleDef_Init?"
WARNING = "looks for libraries in /tmp/build/lib, a folder of the machine that it was built on"

# -- text ------------------------------------------------------------------------------------------------------------


def test_quiet_prints_only_what_fails(samples: Samples, warned: str) -> None:
    assert samples.nasm_ext_says("check", "--quiet", warned) == samples.nasm_ext_says("check", "-q", warned)
    said = samples.nasm_ext_says("check", "--quiet", warned)
    assert (said.output, said.errors, said.returncode) == ("", "", 0)
    strict = samples.nasm_ext_says("check", "--quiet", "--strict", warned)
    assert strict.output == (f"{LINUX}: warning: {WARNING} [build-path]\n  fix: link without -rpath, or use $ORIGIN\n")
    assert strict.returncode == 1


def test_strict_counts_warnings_but_not_silenced_ones(samples: Samples, warned: str) -> None:
    assert samples.check(warned).returncode == 0
    assert samples.check("--strict", warned).returncode == 1
    assert samples.check("--strict", "--ignore", "build-path=only here", warned).returncode == 0


def test_notes_are_not_counted_by_strict(samples: Samples, noted: str) -> None:
    assert samples.check("--strict", noted).returncode == 0


def test_verbose_names_every_rule(samples: Samples) -> None:
    said = samples.nasm_ext_says("check", "--verbose", samples.elf())
    assert f"{LINUX}: passed: entry-missing\n" in said.output
    assert f"{LINUX}: not applicable: missing-slice: the file is ELF\n" in said.output
    passed, not_applicable = (said.output.count(f"{LINUX}: {word}: ") for word in ("passed", "not applicable"))
    assert said.output.endswith(f"rules: {passed} passed, {not_applicable} not applicable, 0 not checked\n")


def test_colour_on_a_terminal_alone(samples: Samples, failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    red = f"\x1b[1m{LINUX}\x1b[0m: \x1b[1;31merror\x1b[0m: {ERROR} [python-symbol-unknown]\n"
    assert samples.nasm_ext_says("check", "--color", "always", failing).output.startswith(red)
    assert "\x1b" not in samples.nasm_ext_says("check", failing).output
    assert on_a_terminal(samples, failing).startswith(red)
    assert "\x1b" not in on_a_terminal(samples, "--color", "never", failing)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_a_terminal(samples, failing)


def on_a_terminal(samples: Samples, *words: str) -> str:
    """What nasm-ext check writes to a terminal, without the carriage returns that the terminal adds."""
    controller, terminal = pty.openpty()
    done = subprocess.Popen([samples.nasm_ext, "check", *words], cwd=samples.folder, stdout=terminal)
    os.close(terminal)
    written = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        written += part
    os.close(controller)
    done.wait(60)
    return written.decode().replace("\r\n", "\n")


# -- GitHub's annotations --------------------------------------------------------------------------------------------


def test_annotations(samples: Samples, failing: str) -> None:
    (samples.folder / "cut,100%.so").write_bytes(b"\x7fELF")
    said = samples.check("--format", "github", "--object", "pymult.o", failing, "cut,100%.so")
    lines = said.output.splitlines()
    assert lines[0] == (
        f"::error file=pymult.asm,line=9,title=python-symbol-unknown::{ERROR}%0Afix: spell it PyModuleDef_Init"
    )
    assert lines[1].startswith("::error file=cut%2C100%25.so,title=unreadable::cut,100%25.so: the file is cut")
    assert lines[2] == "checked 1 module: 1 error, 0 warnings, 0 notes, 1 file unreadable"
    assert said.returncode == 2


def test_annotations_of_notes_and_of_what_was_not_checked(samples: Samples, noted: str) -> None:
    (samples.folder / noted).rename(samples.folder / "pymult.so")
    wheel = samples.wheel("pymult-1.0-py3-none-linux_x86_64.whl", {"pkg/pymult.so": "pymult.so"})
    said = samples.check("--format", "github", wheel)
    assert (
        f"::notice file={wheel},title=extra-exports::{wheel}: pkg/pymult.so: {NOTE}%0Afix: {NOTE_FIX}\n" in said.output
    )
    silenced = samples.check("--format", "github", "--ignore", "extra-exports=wanted", wheel)
    assert "extra-exports" not in silenced.output


# -- SARIF -----------------------------------------------------------------------------------------------------------


def sarif(samples: Samples, *words: str) -> dict[str, Any]:
    """The one run of a report that the published schema allows."""
    report = json.loads(samples.check("--format", "sarif", *words).output)
    jsonschema.Draft7Validator(sarif_schema.load()).validate(report)
    (run,) = report["runs"]
    return dict(run)


def test_sarif_of_everything_is_valid(samples: Samples, failing: str) -> None:
    (samples.folder / "cut.so").write_bytes(b"\x7fELF")
    pure = samples.wheel("pure-1.0-py3-none-any.whl", {"a.py": b""})
    fat = samples.wheel("p-1-cp313-cp313-macosx_11_0_universal2.whl", {f"pkg/{MACOS}": samples.macho()})
    run = sarif(samples, "--object", "pymult.o", failing, "cut.so", pure, fat, samples.pe(), "missing.so")
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    said = [(one["level"], one["message"]["text"]) for one in invocation["toolExecutionNotifications"]]
    assert ("error", "there is no such file") in said
    assert ("note", "not checked: there is no extension module in it") in said


def test_sarif_has_every_rule_with_its_page(samples: Samples) -> None:
    rules = sarif(samples, samples.elf())["tool"]["driver"]["rules"]
    listed = [line.split()[0] for line in samples.nasm_ext_says("explain").output.splitlines() if line.startswith("  ")]
    assert [rule["id"] for rule in rules] == listed
    for rule in rules:
        assert rule["help"]["markdown"] == samples.nasm_ext_says("explain", rule["id"]).output


def test_a_result_of_sarif(samples: Samples, failing: str) -> None:
    run = sarif(samples, "--object", "pymult.o", "--ignore", "python-symbol-unknown=known", failing)
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "python-symbol-unknown"
    assert result["level"] == "error"
    assert result["message"]["text"] == f"{ERROR}\nfix: spell it PyModuleDef_Init"
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "pymult.asm"
    assert location["physicalLocation"]["region"] == {"startLine": 9}
    assert location["logicalLocations"] == [{"name": "PyModuleDef_Initt", "kind": "member"}]
    assert result["suppressions"] == [{"kind": "external", "justification": "known"}]
    fingerprints = result["partialFingerprints"]
    assert fingerprints["primaryLocationLineHash"] == fingerprints["nasmBuildFinding/v1"]
    # The same finding in another build, in another folder, without its object.
    (samples.folder / "other place").mkdir()
    (samples.folder / failing).rename(samples.folder / "other place" / failing)
    (again,) = sarif(samples, f"other place/{failing}")["results"]
    assert again["partialFingerprints"] == fingerprints
    uri = again["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == f"other%20place/{failing}"


def test_sarif_tells_what_became_of_each_rule(samples: Samples) -> None:
    run = sarif(samples, samples.elf())
    (artifact,) = run["artifacts"]
    (part,) = artifact["properties"]["checked"]
    assert "entry-missing" in part["passed"]
    assert {"rule": "missing-slice", "reason": "the file is ELF"} in part["notApplicable"]
    assert part["notChecked"] == []


def test_a_report_into_a_file(samples: Samples, failing: str) -> None:
    said = samples.check("--format", "sarif", "--output", "out.sarif", failing)
    assert said.output.startswith(f"{LINUX}: error: {ERROR} [python-symbol-unknown]\n")
    assert said.returncode == 1
    assert json.loads((samples.folder / "out.sarif").read_text())["version"] == "2.1.0"
    refused = samples.nasm_ext_says("check", "--output", "nowhere/out.json", failing)
    assert (refused.errors, refused.returncode) == (
        "error: nowhere/out.json could not be written\nfix: name a file in a folder that can be written to\n",
        2,
    )


# -- baselines -------------------------------------------------------------------------------------------------------


def test_a_baseline_lets_old_findings_stand_and_counts_new_ones(samples: Samples, failing: str) -> None:
    assert samples.check("--write-baseline", "old.json", failing).returncode == 0
    said = samples.check("--baseline", "old.json", failing)
    assert said.output == (
        f"{LINUX}: silenced error: {ERROR} [python-symbol-unknown]\n  reason: it is in the baseline\n"
        "checked 1 module: 0 errors, 0 warnings, 0 notes, 1 silenced\n"
    )
    assert said.returncode == 0
    worse = ELF.replace("PyModuleDef_Init", "PyModuleDef_Initt").replace("PyInit_pymult", "PyInit_pymul")
    said = samples.check("--baseline", "old.json", samples.elf(worse))
    assert "checked 1 module: 1 error, 0 warnings, 0 notes, 1 silenced\n" in said.output
    assert said.returncode == 1


def test_what_was_mended_is_told(samples: Samples, failing: str) -> None:
    samples.check("--write-baseline", "old.json", failing)
    said = samples.nasm_ext_says("check", "--baseline", "old.json", samples.elf())
    assert said.output.endswith("baseline: 1 finding of it no longer found: --write-baseline takes it out\n")
    report = json.loads(samples.check("--baseline", "old.json", "--format", "json", LINUX).output)
    assert report["mended"] == [f"python-symbol-unknown: {ERROR}"]


def test_a_baseline_of_the_project(samples: Samples, failing: str) -> None:
    samples.check("--write-baseline", "old.json", failing)
    (samples.folder / "pyproject.toml").write_text("[tool.nasm-build.check]\nbaseline = 'old.json'\n")
    assert samples.check(failing).returncode == 0
    (samples.folder / "pyproject.toml").write_text("[tool.nasm-build.check]\nbaseline = 3\n")
    assert samples.nasm_ext_says("check", failing).errors == (
        'error: pyproject.toml:2: baseline is not the name of a file\nfix: write baseline = "check-baseline.json"\n'
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "the file is no baseline of nasm-ext check"),
        ("[]", "the file is no baseline of nasm-ext check"),
        ('{"baseline_version": 2, "findings": []}', "the file is no baseline of nasm-ext check"),
        ('{"baseline_version": 1, "findings": [3]}', "an entry of the baseline has no fingerprint"),
        (None, "there is no such file"),
    ],
)
def test_a_wrong_baseline(samples: Samples, text: str | None, why: str) -> None:
    if text is not None:
        (samples.folder / "old.json").write_text(text)
    said = samples.nasm_ext_says("check", "--baseline", "old.json", samples.elf())
    assert (said.output, said.errors, said.returncode) == (
        "", f"error: old.json: {why}\nfix: write one with nasm-ext check --write-baseline FILE\n", 2
    )  # fmt: skip


# -- folders and patterns --------------------------------------------------------------------------------------------


@pytest.fixture
def site(samples: Samples) -> Samples:
    """A folder as installed packages have it: modules, a library, and files that are none."""
    module = (samples.folder / samples.elf()).read_bytes()
    library = (samples.folder / samples.shared_library("libquux.so.1")).read_bytes()
    for name, content in {
        f"site/b/{LINUX}": module, f"site/a/{LINUX}": module, "site/a/plain.so": library, "site/a/__init__.py": b"",
        "site/a.libs/libquux-1.so.1": library, f"site/.hidden/{LINUX}": b"cut",
    }.items():  # fmt: skip
        (samples.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (samples.folder / name).write_bytes(content)
    (samples.folder / "site/loop").symlink_to(samples.folder / "site", target_is_directory=True)
    return samples


def files_of(samples: Samples, *words: str) -> list[str]:
    return [file["path"] for file in json.loads(samples.check("--format", "json", *words).output)["files"]]


def test_a_folder_is_searched_in_the_order_of_names(site: Samples) -> None:
    assert files_of(site, "site") == [
        "site/a.libs/libquux-1.so.1", "site/a/plain.so", f"site/a/{LINUX}", f"site/b/{LINUX}"
    ]  # fmt: skip
    said = site.check("site")
    assert (said.output, said.returncode) == (
        "checked 2 modules and 2 libraries: 0 errors, 0 warnings, 0 notes\n",
        0,
    )


def test_patterns_that_the_shell_did_not_expand(site: Samples) -> None:
    assert files_of(site, f"site/*/{LINUX}") == [f"site/a/{LINUX}", f"site/b/{LINUX}"]
    assert files_of(site, "site/**/*.so") == ["site/a/plain.so", f"site/a/{LINUX}", f"site/b/{LINUX}"]
    assert files_of(site, "site/[!a]/*.so", "site/?/p*n.so") == [f"site/b/{LINUX}", "site/a/plain.so"]
    assert files_of(site, str(site.folder / "site/[a-b]/pymult*")) == [
        str(site.folder / f"site/{folder}/{LINUX}") for folder in "ab"
    ]


def test_the_order_given_is_kept_however_many_are_checked_at_once(site: Samples) -> None:
    given = [f"site/{folder}/{LINUX}" for folder in ("b", "a", "b", "a")] * 10
    assert files_of(site, "--threads", "8", *given) == given
    assert files_of(site, "--threads", "1", *given) == given


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("empty", "error: empty: there is no module and no wheel in the folder\nfix: name a folder that has files ending in "
                  ".so, .pyd, .dll, .dylib or .whl\n"),
        ("dist/*.whl", "error: dist/*.whl: no file matches\nfix: correct the pattern, or the folder that it starts from\n"),
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused(samples: Samples, word: str, said: str) -> None:
    (samples.folder / "empty").mkdir()
    checked = samples.nasm_ext_says("check", word)
    assert (checked.output, checked.errors, checked.returncode) == ("", said, 2)


def test_a_name_for_a_folder_is_refused(site: Samples) -> None:
    assert site.nasm_ext_says("check", "--name", "a", "site").errors == (
        "error: --name was given for a folder, which may hold several modules\n"
        "fix: leave out --name: the names inside it say it\n"
    )
