"""`bdist_wheel` of a distribution with assembly: the tag from the table, and the gate before the wheel is in place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..build_folder import private_folder
from ..errors import failed
from ..gate import pass_wheel
from .configure import session_of
from .plan import limited_api_of

if TYPE_CHECKING:
    from setuptools.command.bdist_wheel import bdist_wheel as _Base
else:
    _Base = object


class CheckedBdistWheel(_Base):
    """Goes in front of the distribution's own `bdist_wheel`."""

    def get_tag(self) -> tuple[str, str, str]:
        """The tag that the modules' own promises allow; the engine's where the table has no row for this Python."""
        floor = self._promised()
        toolchain = session_of(self.distribution).toolchain(floor)
        if not toolchain.python_tag:
            return super().get_tag()
        platform = toolchain.platform_tag
        if self.plat_name_supplied and self.plat_name:
            platform = _platform_tag(self.plat_name)
        return toolchain.python_tag, toolchain.abi_tag, platform

    def _promised(self) -> str:
        """The oldest CPython that every module of the wheel is for; empty when one is for this CPython alone."""
        floors = [limited_api_of(extension) for extension in self.distribution.ext_modules or ()]
        option = str(self.py_limited_api or "")
        whole = bool(floors) and all(floors)
        if option and not whole:
            raise failed(
                f"the wheel is to be tagged {option}-abi3, and not every module is built for the stable ABI",
                "limited-api",
                'give every module py_limited_api="3.10" by nasm_build.Extension, and leave the option out',
            )
        if whole and len({floor.endswith("t") for floor in floors}) > 1:
            raise failed(
                "the wheel's modules promise two stable ABIs, abi3 and abi3t, and a wheel has one tag",
                "limited-api",
                'give every module py_limited_api="3.15t", which both kinds of CPython import',
            )
        return max(floors, key=_version_key) if whole else ""

    def run(self) -> None:
        """Makes the wheel in a folder of its own; it is renamed into place once every module was found right."""
        session = session_of(self.distribution)
        if session.by_backend:
            super().run()
            return
        place = Path(str(self.dist_dir))
        with private_folder(place) as private:
            self.dist_dir = str(private)
            super().run()
            self.dist_dir = str(place)
            moved: dict[str, str] = {}
            for wheel in list(private.glob("*.whl")):
                passed = pass_wheel(wheel, session)
                os.replace(passed, place / passed.name)
                moved[str(wheel)] = str(place / passed.name)
        files = getattr(self.distribution, "dist_files", [])
        files[:] = [(kind, version, moved.get(name, name)) for kind, version, name in files]


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part.rstrip("t")) for part in version.split("."))


def _platform_tag(name: str) -> str:
    """A platform as a tag.

    The dot of `macosx-11.0-x86_64` belongs to a version; other dots separate two tags.
    """
    tag = name.lower().replace("-", "_").replace(" ", "_")
    return tag.replace(".", "_") if tag.startswith("macosx") else tag
