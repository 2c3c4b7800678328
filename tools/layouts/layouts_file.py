"""Writes layouts.inc and object_layouts.inc: the structs as NASM sees them.

A field is a `%define`, not a label of a `struc`: labels would all become symbols of every object file, and cost twice
the time. `istruc` asks for one label a struct, its name, so those that modules write down have that one. NASM reads
layouts.inc again in each of its passes, so it has no more than most modules need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from . import probe
from .headers import Headers
from .names import SEPARATE, STRUCTS, TABLES
from .read import MINORS, NEWEST, Answers, version_number

LARGER_HEAD = 16
"""By how much an object's head is larger in a free-threaded build (PEP 703)."""


@dataclass(frozen=True)
class Item:
    """A field's place or a struct's size, in each version; None where a version does not have it."""

    name: str
    values: tuple[int | None, ...]  #: with a GIL, in the order of MINORS
    moved: int  #: what free-threaded builds add to each of them
    only: bool | None  #: True: free-threaded builds alone have it; False: those with a GIL alone
    limited_since: int | None  #: the minor version from which the limited API shows it
    opaque: bool  #: abi3t shows it too

    @property
    def struct(self) -> str:
        return self.name.removesuffix("_size").split(".")[0]

    @property
    def is_size(self) -> bool:
        return self.name == f"{self.struct}_size"

    @property
    def the_same(self) -> bool:
        """Whether one value holds wherever the name means anything."""
        return None not in self.values and len(set(self.values)) == 1

    def line(self, value: int, indent: str) -> str:
        moved = " + py@larger_head" if self.moved else ""
        return f"{indent}{'%assign' if moved else '%define'} {self.name} {value}{moved}"


def items(answers: Answers) -> Iterator[Item]:
    """Every name of every struct."""
    for struct, fields in STRUCTS.items():
        first = min(minor for minor in MINORS if f"{struct}_size" in answers.with_gil[minor])
        for name in [*(f"{struct}.{field}" for field in fields), f"{struct}_size"]:
            yield from _item(answers, name, first)


def _item(answers: Answers, name: str, first: int) -> Iterator[Item]:
    # Before the version that brought a struct there is no other layout that it could be taken for.
    filled = {minor: max(minor, first) for minor in MINORS}
    with_gil = tuple(answers.with_gil[filled[minor]].get(name) for minor in MINORS)
    free = {minor: numbers.get(name) for minor, numbers in answers.free_threaded.items() if minor >= first}
    shown = [minor for minor in MINORS if name in answers.limited[minor]]
    since = max(shown[0], first) if shown else None
    if since == first:
        since = MINORS[0]
    opaque = name in answers.opaque[NEWEST]
    by_minor = dict(zip(MINORS, with_gil, strict=True))
    for moved in (0, LARGER_HEAD):
        if all(value == (None if (own := by_minor[minor]) is None else own + moved) for minor, value in free.items()):
            yield Item(name, with_gil, moved, None, since, opaque)
            return
    free_values = tuple(free.get(minor, free[min(free)]) for minor in MINORS)
    if any(value is not None for value in with_gil):
        yield Item(name, with_gil, 0, False, since, opaque)
    yield Item(name, free_values, 0, True, None, False)


def _kind(struct: str, all_items: list[Item]) -> str:
    own = [item for item in all_items if item.struct == struct]
    if any(item.limited_since is not None or item.opaque for item in own):
        return "stable"
    return "fixed" if all(item.the_same for item in own) else "version"


def _simple(chosen: Iterable[Item], indent: str) -> Iterator[str]:
    for item in chosen:
        if item.values[0] is None:
            raise SystemExit(f"{item.name}: no value in the oldest version")
        yield item.line(item.values[0], indent)
        if item.is_size and item.struct in TABLES:
            yield f"{indent}{item.struct} equ 0"


def _block(condition: str, lines: Iterable[str]) -> Iterator[str]:
    inside = list(lines)
    if inside:
        yield from (condition, *inside, "%endif")


def _by_version(chosen: list[Item], indent: str) -> Iterator[str]:
    """One chain of versions a struct; versions that say the same are one."""
    for struct in dict.fromkeys(item.struct for item in chosen):
        own = [item for item in chosen if item.struct == struct]
        columns = list(zip(*(item.values for item in own), strict=True))
        starts = [index for index in range(len(columns)) if index == 0 or columns[index] != columns[index - 1]]
        for position, index in enumerate(reversed(starts)):
            word = "%if" if position == 0 else "%elif"
            last = index == 0
            if last and not any(value is not None for value in columns[index]):
                break
            yield f"{indent}{'%else' if last else f'{word} PY_VERSION_HEX >= {version_number(MINORS[index])}'}"
            for item, value in zip(own, columns[index], strict=True):
                if value is not None:
                    yield item.line(value, indent + "    ")
        yield f"{indent}%endif"


def _for_build(chosen: list[Item], indent: str, by_version: bool = False) -> Iterator[str]:
    """Those that both builds have, then those that only one has."""

    def write(these: list[Item], depth: str) -> Iterator[str]:
        return _by_version(these, depth) if by_version else _simple(these, depth)

    yield from write([item for item in chosen if item.only is None], indent)
    free = list(write([item for item in chosen if item.only is True], indent + "    "))
    gil = list(write([item for item in chosen if item.only is False], indent + "    "))
    if free or gil:
        yield f"{indent}%ifdef Py_GIL_DISABLED"
        yield from free
        yield f"{indent}%else"
        yield from gil
        yield f"{indent}%endif"


def text(answers: Answers, separate: bool) -> list[str]:
    """The lines of layouts.inc, or of object_layouts.inc, without their head."""
    everything = list(items(answers))
    mine = [item for item in everything if (item.struct in SEPARATE) == separate]
    lines = []
    if separate:
        lines += ['%include "nasm_build/layouts.inc"', ""]
    else:
        lines += list(_conditions())
    if separate:
        lines += _KINDS
        for struct in dict.fromkeys(item.struct for item in everything):
            lines.append(f"%define py@layout_{struct} {_kind(struct, everything)}")

    def take(condition: str, chosen: list[Item], by_version: bool = False) -> None:
        heading, _, test = condition.partition("\n")
        indent = "    " if test else ""
        body = list(_for_build(chosen, indent, by_version))
        if body:
            lines.extend(["", f"; ---- {heading}", *(_block(test, body) if test else body)])
        for item in chosen:
            mine.remove(item)

    take("The same everywhere", [one for one in mine if one.the_same and one.limited_since == MINORS[0] and one.opaque])
    for since in MINORS:
        visible = [one for one in mine if one.the_same and one.limited_since == since and one.opaque]
        take(
            f"In the limited API from 3.{since}\n%if py@limited == 0 || py@limited >= {version_number(since)}", visible
        )
    stable_heads = [one for one in mine if one.the_same and one.limited_since == MINORS[0]]
    stable_heads += [one for one in mine if one.only and one.struct in {head.struct for head in stable_heads}
                     and one.the_same]  # fmt: skip
    take("Objects' heads: not in abi3t\n%if py@opaque == 0", stable_heads)
    take(
        "Not in the limited API; the same in every version\n%if py@limited == 0", [one for one in mine if one.the_same]
    )
    above = version_number(NEWEST + 1)
    take(
        "Not in the limited API; another in another version\n%if py@limited == 0 && py@version != 0 && "
        f"py@version < {above}",
        list(mine),
        by_version=True,
    )
    if mine:
        raise SystemExit(f"written nowhere: {mine}")
    return lines


def module_head_lines(headers: list[Headers]) -> list[str]:
    """PyModuleDef_HEAD_INIT, in a build that knows its version as C's headers have it.

    The word of a module that is for several versions is the oldest one's, which every later CPython takes from modules
    that were made for it. A free-threaded 3.14 refuses a definition without its flag (PyModuleDef_Init), and for 3.13
    that flag lies in padding: there it is the newest one's.
    """
    heads: dict[bool, dict[int, tuple[int, ...]]] = {False: {}, True: {}}
    for one in headers:
        for kind in one.kinds() if one.platform == "linux" else ():
            defines = ["Py_GIL_DISABLED=1"] if kind and not one.free_threaded else []
            head = probe.module_head(one.folder, defines, one.compiler)
            if heads[kind].setdefault(one.minor, head) != head:
                raise SystemExit(f"{one.folder}: PyModuleDef_HEAD_INIT differs from another 3.{one.minor}")
    lines = [
        "",
        "; ---- PyModuleDef_HEAD_INIT, for PyModuleDef.m_base",
        "%if py@opaque == 0",
        "    %ifdef Py_GIL_DISABLED",
    ]
    lines += _heads(heads[True], "py@version != 0 && py@version <", newest_last=True)
    lines.append("    %else")
    lines += _heads(heads[False], "py@limited == 0 && py@version >=", newest_last=False)
    return [*lines, "    %endif", "%endif"]


def _heads(heads: dict[int, tuple[int, ...]], condition: str, newest_last: bool) -> Iterator[str]:
    """A chain of versions; the last of it is also for where no version is known."""
    starts = [minor for minor in sorted(heads) if heads.get(minor - 1) != heads[minor]]
    bounds = starts[1:]
    if newest_last:
        chain = list(zip(bounds, starts[:-1], strict=True))
    else:
        chain = [(minor, minor) for minor in reversed(bounds)]
    last = starts[-1] if newest_last else starts[0]
    for position, (bound, minor) in enumerate(chain):
        yield f"        {'%elif' if position else '%if'} {condition} {version_number(bound)}"
        yield f"            %define PyModuleDef_HEAD_INIT {_words(heads[minor])}"
    yield "        %else"
    yield f"            %define PyModuleDef_HEAD_INIT {_words(heads[last])}"
    yield "        %endif"


def _words(head: tuple[int, ...]) -> str:
    return "dq " + ", ".join(f"0x{word:x}" if word > 9 else str(word) for word in head)


_KINDS = """\
; What is known of a layout. stable: the limited API shows it, or part of it; fixed: it does not, but it is the same in
; every version; version: it does not, and versions differ. It can be used where its size is defined.""".splitlines()


def _conditions() -> Iterator[str]:
    yield from """\
; py@limited: the promised version, or 0. py@opaque: 1 when objects' heads are hidden too (abi3t, PEP 803). py@version:
; that of the Python which is built for, or 0 when it is not known.
%ifdef Py_TARGET_ABI3T
    %define py@limited Py_TARGET_ABI3T
    %define py@opaque 1
%elifdef Py_LIMITED_API
    %define py@limited Py_LIMITED_API
    %ifdef Py_GIL_DISABLED
        %define py@opaque 1
    %else
        %define py@opaque 0
    %endif
%else
    %define py@limited 0
    %define py@opaque 0
%endif
%ifdef PY_VERSION_HEX
    %define py@version PY_VERSION_HEX
%else
    %define py@version 0
%endif
%ifdef Py_GIL_DISABLED
    %define py@larger_head 16
%else
    %define py@larger_head 0
%endif""".splitlines()
