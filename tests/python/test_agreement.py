"""The short form of ./dev prove agreement: small public wheels of every format, and the comparing itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from devtools import environments, public_wheels
from devtools.agreement import explained, proof, verdicts
from devtools.agreement.compare import Difference, differences
from devtools.agreement.facts import Place
from devtools.shell import DevelopmentError

WHEELS = (
    "markupsafe-3.0.4-cp315-cp315-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
    "markupsafe-3.0.4-cp314-cp314t-manylinux2014_aarch64.manylinux_2_17_aarch64.manylinux_2_28_aarch64.whl",
    "bcrypt-5.0.0-cp39-abi3-musllinux_1_1_x86_64.whl",
    "markupsafe-3.0.4-cp315-cp315-macosx_11_0_arm64.whl",
    "pynacl-1.6.2-cp38-abi3-macosx_10_10_universal2.whl",
    "markupsafe-3.0.4-cp315-cp315-win_amd64.whl",
    "markupsafe-3.0.4-cp313-cp313-win_arm64.whl",
)


def test_small_public_wheels_are_read_as_others_read_them(nasm_ext: Path) -> None:
    pinned = {Path(one.folder).name: one for one in public_wheels.listed(proof.PINS)}
    tools = proof.tools(environments.development())
    outcomes = proof.examine(nasm_ext, [pinned[name] for name in WHEELS], tools, judged=False)
    assert [one.wheel for one in outcomes] == list(WHEELS)
    assert [one.modules for one in outcomes] == [1, 1, 2, 1, 1, 1, 1]
    assert all(one.facts >= 6 for one in outcomes)
    assert proof.report(outcomes) == []
    assert [each.text() for one in outcomes for each in one.differences] == []


def test_the_list_is_as_long_as_promised() -> None:
    pinned = public_wheels.listed(proof.PINS)
    assert len(pinned) >= proof.FEWEST_WHEELS
    assert all(len(one.sha256) == 64 for one in pinned)
    assert len({one.folder for one in pinned}) == len(pinned)


# -- pins ------------------------------------------------------------------------------------------------------------


def test_a_name_says_what_pip_is_asked_for() -> None:
    wanted = public_wheels.named("a_b-1.0-cp315-abi3.abi3t-manylinux2014_x86_64.manylinux_2_17_x86_64.whl", "0" * 64)
    assert (wanted.requirement, wanted.sha256) == ("a_b==1.0", "0" * 64)
    assert " ".join(wanted.words) == (
        "--platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --abi abi3 --abi abi3t --implementation cp "
        "--python-version 3.15"
    )
    with pytest.raises(DevelopmentError, match="is not a wheel's name for CPython"):
        public_wheels.named("a-1.0-py3-none-any.whl", "")


def test_another_file_than_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def download(_: str, target: Path, __: object) -> None:
        target.mkdir()
        (target / "a-1.0-cp313-cp313-win_amd64.whl").write_bytes(b"else")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(environments, "download_one", download)
    with pytest.raises(DevelopmentError, match=r"a-1\.0-cp313-cp313-win_amd64\.whl has the SHA-256 \w+, not 0000"):
        public_wheels.fetch(public_wheels.named("a-1.0-cp313-cp313-win_amd64.whl", "0" * 64))
    assert not list(tmp_path.glob("nasm-build/public-wheels/*.whl"))


# -- comparing -------------------------------------------------------------------------------------------------------

PLACE: Place = ("pkg/m.so", "")


def compared(ours: set[str], **theirs: set[str]) -> list[Difference]:
    """The differences of one fact of one module."""
    witnesses = {name: {PLACE: {"libraries": frozenset(value)}} for name, value in theirs.items()}
    return list(differences({PLACE: {"libraries": frozenset(ours), "imports": frozenset()}}, witnesses))


def test_two_of_three_must_agree() -> None:
    def told(ours: set[str], **theirs: set[str]) -> list[tuple[bool, str]]:
        return [(one.stands, one.text()) for one in compared(ours, **theirs) if one.fact == "libraries"]

    assert told({"a"}, x={"a"}, y={"a"}, z={"a"}) == []
    assert told({"a"}, x={"a"}, y={"a"}, z={"b"}) == [
        (True, "pkg/m.so: libraries: z has b and lacks a; as we do: x, y")
    ]
    assert told({"a"}, x={"a"}, y={"b"}, z={"b"}) == [
        (False, "pkg/m.so: libraries: y has b and lacks a; z has b and lacks a; as we do: x")
    ]
    assert told({"a"}, x={"b"}) == [(False, "pkg/m.so: libraries: x has b and lacks a; as we do: nobody")]
    assert [one.fact for one in compared({"a"}, x={"a"})] == ["imports, which no program told"]


def test_a_binary_that_one_side_does_not_see() -> None:
    (missed,) = differences({}, {"x": {PLACE: {"libraries": frozenset()}}})
    assert (missed.stands, missed.text()) == (False, "pkg/m.so: is there: x has yes; as we do: nobody")


def test_what_is_bound_must_be_imported() -> None:
    ours = {PLACE: {"imports": frozenset({"_a"})}}
    found = list(differences(ours, {"x": {PLACE: {"imports": frozenset({"_a"}), "bound": frozenset({"_a", "_b"})}}}))
    assert [(one.stands, one.text()) for one in found] == [
        (False, "pkg/m.so: imports, of which it binds: x has _b; as we do: nobody")
    ]


def test_explanations_are_for_the_lines_that_they_fit() -> None:
    row = explained.Explanation(r"a-1\.0-", "^pkg/m.so: libraries: ", "x", "because")
    lines = [
        "a-1.0-x.whl: pkg/m.so: libraries: …",
        "a-1.0-x.whl: pkg/m.so: exports: …",
        "b-1.0-x.whl: pkg/m.so: libraries: …",
    ]
    assert [row.fits(line) for line in lines] == [True, False, False]


def test_the_lowest_tag() -> None:
    tags = ["manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64"]
    assert verdicts.lowest_tag(tags) == "manylinux_2_17_x86_64"
    assert verdicts.lowest_tag(["musllinux_1_2_x86_64"]) == "musllinux_1_2_x86_64"
    assert verdicts.lowest_tag(["linux_x86_64"]) == "linux_x86_64"
    assert verdicts.lowest_tag([]) == ""


def test_auditwheel_has_not_every_policy() -> None:
    policies = [5, 12, 17, 24]
    assert verdicts.as_policy("manylinux_2_14_x86_64", policies) == "manylinux_2_17_x86_64"
    assert verdicts.as_policy("manylinux_2_17_aarch64", policies) == "manylinux_2_17_aarch64"
    assert verdicts.as_policy("manylinux_2_40_x86_64", policies) == "manylinux_2_40_x86_64"
    assert verdicts.as_policy("musllinux_1_2_x86_64", policies) == "musllinux_1_2_x86_64"
