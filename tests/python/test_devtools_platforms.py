"""What ./dev test makes of the CPythons that it fetches, and of the forms that an example names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from devtools import forms, platforms, results
from devtools.forms import Form
from devtools.interpreters import Interpreter
from devtools.pythons import catalogue, forwarder, maven, offer
from devtools.pythons.offer import Missing
from devtools.results import Outcome
from devtools.shell import DevelopmentError


def interpreter(version: tuple[int, int, int], *, free_threaded: bool = False, musl: bool = False) -> Interpreter:
    return Interpreter(Path("/python"), version, free_threaded, headers=True, venv=True, musl=musl)


def test_an_example_without_a_file_is_built_as_it_is_for_every_platform(tmp_path: Path) -> None:
    plan = forms.read(tmp_path, Path("/no/python"))
    assert plan == forms.Plan(tmp_path, (Form(),), ("linux", "windows", "macos"))
    assert plan.label(plan.forms[0]) == f"examples/{tmp_path.name}"


def test_forms_are_read(tmp_path: Path) -> None:
    example = tmp_path / "counter"
    (example / "tests").mkdir(parents=True)
    (example / "tests/forms.toml").write_text(
        'platforms = ["linux"]\n'
        'reason = "it needs fork"\n'
        "[[form]]\n"
        "[[form]]\n"
        'name = "abi3"\n'
        'minimum = "3.11"\n'
        "free-threaded = false\n"
        "once = true\n"
        """replace = [['name = "m"', 'name = "m"\\n' ]]\n"""
        'config-settings = { a = "b" }\n'
        'environment = { C = "d" }\n'
    )
    plan = forms.read(example, Path(sys.executable))
    abi3 = Form("abi3", (3, 11), False, True, (('name = "m"', 'name = "m"\\n'),), ("a=b",), {"C": "d"})
    assert plan == forms.Plan(example, (Form(), abi3), ("linux",), "it needs fork")
    assert [plan.label(form) for form in plan.forms] == ["examples/counter", "examples/counter abi3"]
    assert [(row.what, row.python, row.not_run, row.good) for row in platforms.left_out(plan)] == [
        ("examples/counter", "Windows", "it needs fork", True),
        ("examples/counter", "macOS", "it needs fork", True),
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"platform": []}, "examples/counter/tests/forms.toml: unknown: platform"),
        ({"form": [{"nam": "x"}]}, "examples/counter/tests/forms.toml: unknown: nam"),
        ({"platforms": ["haiku"], "reason": "x"}, "examples/counter/tests/forms.toml: unknown: haiku"),
        (
            {"platforms": ["linux"]},
            "examples/counter/tests/forms.toml: names platforms, but no reason why the example runs on no other",
        ),
    ],
)
def test_a_file_of_forms_that_is_wrong(table: dict[str, Any], message: str) -> None:
    with pytest.raises(DevelopmentError) as caught:
        forms.parse(Path("counter"), table)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("form", "version", "free_threaded", "expected"),
    [
        (Form(), (3, 10, 0), False, True),
        (Form(), (3, 13, 5), True, True),
        (Form(minimum=(3, 11)), (3, 10, 13), False, False),
        (Form(minimum=(3, 11)), (3, 11, 0), False, True),
        (Form(free_threaded=False), (3, 13, 5), True, False),
        (Form(free_threaded=True), (3, 13, 5), True, True),
        (Form(free_threaded=True), (3, 13, 5), False, False),
    ],
)
def test_which_cpythons_a_form_is_for(
    form: Form, version: tuple[int, int, int], free_threaded: bool, expected: bool
) -> None:
    assert form.suits(version, free_threaded=free_threaded) is expected


def test_a_form_changes_a_copy_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('name = "m"\n')
    Form(replace=(('"m"', '"m" # changed'),)).apply(tmp_path)
    assert (tmp_path / "pyproject.toml").read_text() == 'name = "m" # changed\n'
    with pytest.raises(DevelopmentError, match=r"pyproject\.toml has 0 times 'x', not once"):
        Form(replace=(("x", "y"),)).apply(tmp_path)


def test_what_cannot_be_had_is_named_and_fails_nothing_but_what_is_missing_fails_in_ci() -> None:
    expected, unexpected = Missing("3.14t", "there is none", expected=True), Missing("3.15", "the network is down")
    rows = [platforms.absent(one, ci=ci) for one in (expected, unexpected) for ci in (False, True)]
    assert [row.good for row in rows] == [True, True, True, False]
    assert results.summary([Outcome("Python", "3.13.0", passed=1), *rows]) == "tests: 1 passed, 1 failed"
    assert results.table([Outcome("Python", "3.13.0", passed=1), rows[0], rows[3]]) == (
        "\n"
        "what     CPython  passed  failed  not run  seconds\n"
        "-------  -------  ------  ------  -------  -------  ----------------------------\n"
        "Python   3.13.0   1       0       0\n"
        "CPython  3.14t                    not run           there is none\n"
        "CPython  3.15     0       1       0                 not run: the network is down\n"
    )


def test_the_free_threaded_cpythons_that_are_not_to_be_had_are_always_named() -> None:
    assert [one.label for one in catalogue.NEVER] == ["3.14t", "3.15t", "3.13t Windows"]
    assert all(one.expected for one in catalogue.NEVER)


def test_which_entry_of_the_catalogue_a_cpython_of_the_machine_answers() -> None:
    assert catalogue.wanted(interpreter((3, 14, 2))) in catalogue.LINUX
    assert catalogue.wanted(interpreter((3, 13, 5), free_threaded=True)) in catalogue.LINUX
    assert catalogue.wanted(interpreter((3, 13, 5), musl=True)) in catalogue.LINUX
    assert catalogue.wanted(interpreter((3, 13, 5))) not in catalogue.LINUX


def test_a_folder_of_the_cache_is_made_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fails(work: Path, _: Path) -> None:
        (work / "result").mkdir()
        raise DevelopmentError("the disk is full")

    def makes(work: Path, final: Path) -> None:
        (work / "result").mkdir()
        (work / "result/place").write_text(str(final))

    with pytest.raises(DevelopmentError, match="the disk is full"):
        offer.provide("thing", "making a thing", fails)
    assert not offer.kept("thing").exists()
    made = offer.provide("thing", "making a thing", makes)
    assert (made / "place").read_text() == str(made)
    assert offer.provide("thing", "making a thing", fails) == made
    assert sorted(path.name for path in made.parent.iterdir()) == ["thing", "thing.lock"]


def test_the_copying_that_wine_lacks_is_turned_off() -> None:
    source = "if hasattr(_winapi, \"CopyFile2\"):\n    pass\nif _winapi and hasattr(_winapi, 'CopyFile2'):\n    pass\n"
    assert maven.without_copyfile2(source) == "if False:\n    pass\nif _winapi and False:\n    pass\n"


def test_every_windows_artefact_is_pinned() -> None:
    assert [artefact.minor for artefact in maven.ARTEFACTS] == ["3.10", "3.11", "3.12", "3.13", "3.14"]
    for artefact in maven.ARTEFACTS:
        assert artefact.release.startswith(artefact.minor + ".")
        assert len(bytes.fromhex(artefact.sha256)) == 32


def test_the_forwarder_s_definition() -> None:
    table = (
        'PYTHON_SYMBOL(0, "PyList_New", 0x3ff, 0x3ff, 0x3ff, 0x000, 0x000, 2, 0)\n'
        'PYTHON_SYMBOL(1, "PyExc_ValueError", 0x3ff, 0x3ff, 0x3ff, 0x000, 0x000, 2, 1)\n'
        'PYTHON_SYMBOL(2, "PyList_GetItemRef", 0x380, 0x380, 0x380, 0x000, 0x000, 13, 0)\n'
        'PYTHON_SYMBOL(3, "_PyList_Extend", 0x3ff, 0x3ff, 0x3ff, 0x000, 0x000, 0, 0)\n'
    )
    assert forwarder.stable_names(table, 10) == {"PyList_New": False, "PyExc_ValueError": True}
    assert "PyList_GetItemRef" in forwarder.stable_names(table, 13)
    assert forwarder.definition("python310", forwarder.stable_names(table, 10)) == (
        "LIBRARY python3\n"
        "EXPORTS\n"
        "    PyExc_ValueError = python310.PyExc_ValueError DATA\n"
        "    PyList_New = python310.PyList_New\n"
    )
