"""What ./dev test and .ci/run make of results: nothing that did not run, or did not end, may look well."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from devtools import results
from devtools.results import Outcome

ROOT = Path(__file__).resolve().parents[2]


def junit(folder: Path, **counts: int) -> Path:
    report = folder / "report.xml"
    words = " ".join(f'{name}="{count}"' for name, count in counts.items())
    report.write_text(f"<testsuites><testsuite {words}/></testsuites>")
    return report


def test_a_report_of_passes_is_good(tmp_path: Path) -> None:
    report = junit(tmp_path, tests=3, failures=0, errors=0, skipped=0)
    outcome = results.from_junit("C++", "", report, succeeded=True, seconds=1)
    assert outcome.good
    assert (outcome.passed, outcome.failed) == (3, 0)


@pytest.mark.parametrize(
    ("counts", "succeeded", "error"),
    [
        ({"tests": 3, "failures": 1}, False, ""),
        ({"tests": 3, "errors": 1}, False, ""),
        ({"tests": 3, "skipped": 1}, True, ""),
        ({"tests": 3, "disabled": 1}, True, ""),
        ({"tests": 0}, True, "ran no test"),
        ({"tests": 3}, False, "ended with a failure that no test reports"),
    ],
)
def test_what_failed_or_did_not_run_is_not_good(
    counts: dict[str, int], succeeded: bool, error: str, tmp_path: Path
) -> None:
    outcome = results.from_junit("Python", "3.13.0", junit(tmp_path, **counts), succeeded=succeeded, seconds=1)
    assert not outcome.good
    assert outcome.error == error


def test_a_runner_that_wrote_nothing_counts_as_a_failure(tmp_path: Path) -> None:
    outcome = results.from_junit("Python", "3.13.0", tmp_path / "none.xml", succeeded=True, seconds=1)
    assert not outcome.good
    assert results.summary([outcome]) == "tests: 0 passed, 1 failed"


def test_the_table_and_the_closing_line() -> None:
    outcomes = [
        Outcome("ruff check", counts=False),
        Outcome("mypy --strict", counts=False, error="see above"),
        Outcome("C++", passed=120, seconds=3.21),
        Outcome("Python", "3.13.0", passed=7, failed=2, skipped=1, seconds=12),
    ]
    assert results.table(outcomes) == (
        "\n"
        "what           CPython  passed  failed     not run  seconds\n"
        "-------------  -------  ------  ---------  -------  -------  ---------\n"
        "ruff check              clean\n"
        "mypy --strict                   not clean                    see above\n"
        "C++                     120     0          0        3.2\n"
        "Python         3.13.0   7       2          1        12.0\n"
    )
    assert results.summary(outcomes) == "tests: 127 passed, 2 failed, 1 skipped"


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("echo 'tests: 12 passed, 0 failed'", 0),
        ("echo 'tests: 12 passed, 1 failed'; exit 1", 1),
        ("echo 'tests: 12 passed, 1 failed'", 1),
        ("echo 'tests: 0 passed, 0 failed'", 1),
        ("echo 'tests: 12 passed, 0 failed, 3 skipped'", 1),
        ("echo 'tests: 12 passed, 0 failed'; exit 7", 7),
        ("true", 1),
    ],
)
def test_ci_passes_only_when_tests_ran_and_none_failed(script: str, status: int, tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "dev").write_text(f'#!/bin/sh\n[ "$1" = test ] || exit 9\n{script}\n')
    (tmp_path / "dev").chmod(0o755)
    done = subprocess.run(
        ["bash", ".ci/run"], cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == status, done.stdout + done.stderr
