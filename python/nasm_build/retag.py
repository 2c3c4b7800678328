"""Gives a finished wheel the platform tag that its binaries allow: in its name, in WHEEL and in RECORD."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import shutil
import zipfile
from pathlib import Path

from . import inspector
from .errors import failed, say
from .session import Session

RULE = "platform-tag"
AUTO, LINUX = "auto", "linux"


def retag(wheel: Path, session: Session) -> Path:
    """The wheel under the tag that the project's `platform-tag` means for it, beside the one it was given.

    With `auto` only what an engine tags by itself is changed: `linux_…`, which says nothing of other machines, and
    `macosx_…`. Says why a wheel stays for machines like this one. Raises BuildError for a wheel without metadata.
    """
    wanted = session.settings.platform_tag
    before = wheel.name.removesuffix(".whl").rpartition("-")[2]
    if wanted == LINUX or not before.startswith(("linux_", "macosx_")):
        return wheel
    if wanted != AUTO and _system(wanted) == _system(before):
        return _renamed(wheel, wanted)
    found = inspector.platform_tags(wheel, session.python.c_library)
    if found is None or found.tags == ("any",):
        return wheel
    if not found.tags or found.local:
        _tell(wheel, before, found.why)
        return wheel
    return _renamed(wheel, ".".join(found.tags))


def _system(tag: str) -> str:
    """What a tag is for: a setting for one system leaves the wheels of another alone."""
    return "macosx" if tag.startswith("macosx_") else "win" if tag.startswith("win") else "linux"


def _tell(wheel: Path, tag: str, why: tuple[str, ...]) -> None:
    shown = [f"  {line}" for line in why[:5]] + ([f"  and {len(why) - 5} more"] if len(why) > 5 else [])
    say("\n".join([f"note: {wheel.name} keeps {tag}, the tag of machines like this one: [{RULE}]", *shown]))
    if tag.startswith("linux_"):
        say("  auditwheel repair puts libraries into a wheel, and tags it")


def _renamed(wheel: Path, platform: str) -> Path:
    """The wheel with another platform tag; the old one is gone."""
    stem = wheel.name.removesuffix(".whl")
    rest, _, before = stem.rpartition("-")
    if before == platform:
        return wheel
    target = wheel.with_name(f"{rest}-{platform}.whl")
    python, abi = rest.split("-")[-2:]
    tags = [
        f"{one}-{other}-{last}" for one in python.split(".") for other in abi.split(".") for last in platform.split(".")
    ]
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w") as new:
        _copy(old, new, tags, wheel.name)
    wheel.unlink()
    return target


def _copy(old: zipfile.ZipFile, new: zipfile.ZipFile, tags: list[str], name: str) -> None:
    """Every entry in its order and with its time; WHEEL with these tags, RECORD with WHEEL's new digest."""
    folder = _metadata_folder(old, name)
    statement = _with_tags(old.read(f"{folder}/WHEEL"), tags)
    changed = {
        f"{folder}/WHEEL": statement,
        f"{folder}/RECORD": _with_digest(old.read(f"{folder}/RECORD"), f"{folder}/WHEEL", statement),
    }
    for entry in old.infolist():
        copy = zipfile.ZipInfo(entry.filename, entry.date_time)
        copy.compress_type = entry.compress_type
        copy.external_attr = entry.external_attr
        copy.create_system = entry.create_system
        if entry.filename in changed:
            new.writestr(copy, changed[entry.filename])
            continue
        copy.file_size = entry.file_size  # tells zipfile whether it needs the form for large files
        with old.open(entry) as source, new.open(copy, "w") as target:
            shutil.copyfileobj(source, target, 1 << 20)


def _metadata_folder(archive: zipfile.ZipFile, name: str) -> str:
    names = set(archive.namelist())
    folders = [entry.removesuffix("/WHEEL") for entry in names if entry.endswith(".dist-info/WHEEL")]
    folders = [folder for folder in folders if "/" not in folder and f"{folder}/RECORD" in names]
    if len(folders) != 1:
        raise failed(f"the engine's wheel has {len(folders)} folders with WHEEL and RECORD, not one", RULE, file=name)
    return folders[0]


def _with_tags(statement: bytes, tags: list[str]) -> bytes:
    """WHEEL with other Tag lines, where the first one stood."""
    lines = statement.decode("utf-8").splitlines()
    kept = [line for line in lines if not line.lower().startswith("tag:")]
    place = next((index for index, line in enumerate(lines) if line.lower().startswith("tag:")), len(kept))
    place = min(place, len(kept))
    return "\n".join([*kept[:place], *(f"Tag: {tag}" for tag in tags), *kept[place:], ""]).encode("utf-8")


def _with_digest(record: bytes, name: str, content: bytes) -> bytes:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in csv.reader(io.StringIO(record.decode("utf-8"))):
        writer.writerow([name, f"sha256={digest}", str(len(content))] if row[:1] == [name] else row)
    return out.getvalue().encode("utf-8")
