"""./dev prove conventions: how its counts are judged, its exceptions, and the list of system libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from devtools.conventions import proof, system
from devtools.conventions.corpora import Corpus
from devtools.conventions.exceptions import EXCEPTIONS, OwnConvention
from devtools.conventions.verified import Fault, Image, NotFollowed

SWAP = OwnConvention("libc.so", "swapcontext", ("callee-saved",), "it returns in another context", "swapcontext(3)")


def image(name: str, *faults: Fault, functions: int = 1000, not_followed: int = 0, kind: str = "ELF") -> Image:
    left = tuple(NotFollowed(f"f{number}", number, "a reason") for number in range(not_followed))
    return Image(Path("/lib") / name, "", "", "", kind, functions, 9000, 12.0, left, faults)


def fault(rule: str, function: str, severity: str = "error") -> Fault:
    return Fault(rule, severity, function, f"{function}+0x4", f"{function} does something")


def test_rows_are_counted_by_format_and_what_is_passed_over_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "EXCEPTIONS", ())
    foreign = Image(Path("arm.so"), "", "", "it is code for arm64")
    images = [image("a.so", fault("red-zone", "f", "warning")), image("b.pyd", kind="PE"), foreign, image("c.so")]
    rows = proof.rows_of(Corpus("some", ()), images)
    assert [(row.format, len(row.images), row.functions) for row in rows] == [("ELF", 2, 2000), ("PE", 1, 1000)]
    assert capsys.readouterr().out == "[dev] some: 1 passed over: it is code for arm64\n"
    assert rows[0].text().split() == "some, ELF 2 2000 18000 0 0.00% 0 1 0 0.0".split()
    assert proof.complaints(rows) == []


def test_an_exception_is_for_one_function_rule_and_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "EXCEPTIONS", (SWAP,))
    found = image("libc.so.6", fault("callee-saved", "swapcontext"), fault("callee-saved", "swapcontext_other"),
                  fault("stack-balance", "swapcontext"))  # fmt: skip
    row = proof.Row("system", "ELF", [found, image("libm.so.6", fault("callee-saved", "swapcontext"))])
    assert [(one.library, wrong.rule, wrong.function) for one, wrong in row.alarms()] == [
        ("libc.so.6", "callee-saved", "swapcontext_other"),
        ("libc.so.6", "stack-balance", "swapcontext"),
        ("libm.so.6", "callee-saved", "swapcontext"),
    ]
    assert proof.complaints([row]) == []


def test_an_exception_that_nothing_needs_is_complained_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "EXCEPTIONS", (SWAP,))
    assert proof.complaints([proof.Row("system", "ELF", [image("libc.so.6")])]) == [
        "the exception for swapcontext of libc.so meets no error"
    ]


def test_too_much_that_is_not_checked_is_complained_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "EXCEPTIONS", ())
    counts = (("ELF", 5), ("ELF", 6), ("PE", 10), ("PE", 11))
    rows = [proof.Row("some", kind, [image("a", not_followed=count, kind=kind)]) for kind, count in counts]
    assert proof.complaints(rows) == [
        "some, ELF: 6 of 1000 functions could not be followed",
        "some, PE: 11 of 1000 functions could not be followed",
    ]


def test_a_file_for_this_machine_that_was_not_read_is_complained_of() -> None:
    foreign = Image(Path("/lib/arm.so"), "", "", "it is code for arm64")
    refused = Image(Path("/lib/libpython3.so"), "", "", "the file is damaged: it has no end")
    assert proof.unread_files([image("a.so"), foreign, refused]) == [
        "/lib/libpython3.so was not verified: the file is damaged: it has no end"
    ]


def test_every_exception_says_why() -> None:
    assert all(one.convention and one.source and one.rules for one in EXCEPTIONS)


def test_a_member_of_a_wheel_has_its_own_name() -> None:
    member = Image(Path("/wheels/a-1-cp313.whl"), "a.libs/libz.so.1", "x86_64", "")
    assert (member.library, member.name) == ("libz.so.1", "a-1-cp313.whl: a.libs/libz.so.1: x86_64")


def test_two_hundred_system_libraries_are_pinned() -> None:
    pinned = system.pinned()
    assert len(pinned) == len({one.name for one in pinned}) == system.COUNT
    assert all(len(one.sha256) == 64 and one.version[0].isdigit() for one in pinned)
    assert {"libc.so.6", "libm.so.6", "libcrypto.so.3"} <= {one.name for one in pinned}


def test_a_library_of_another_version_is_read_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "liba.so.1").write_bytes(b"other")
    rows = "\n".join(f"{'0' * 64} lib{name}:amd64 1.0 lib{name}.so.1" for name in "ab")
    (tmp_path / "list").write_text(f"# a comment\n{rows}\n")
    monkeypatch.setattr(system, "LIST", tmp_path / "list")
    monkeypatch.setattr(system, "FOLDER", tmp_path)
    assert system.libraries() == (
        (tmp_path / "liba.so.1",),
        ("1 of another version, 1 not installed", "liba.so.1: not the one of liba:amd64 1.0"),
    )


def test_the_list_keeps_its_names_and_is_filled_at_equal_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "COUNT", 4)
    there = [f"lib{letter}.so.1" for letter in "abcdefgh"]
    assert system.chosen(there, ["libh.so.1", "libgone.so.1"]) == ["liba.so.1", "libc.so.1", "libe.so.1", "libh.so.1"]
