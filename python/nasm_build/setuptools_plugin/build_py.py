"""`build_py` of a distribution with assembly: no assembly source, and no module of another build, enters a wheel."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..source import is_assembly
from .configure import session_of
from .sources import assembly_inputs

if TYPE_CHECKING:
    from setuptools.command.build_py import build_py as _Base
else:
    _Base = object


class AssemblyBuildPy(_Base):
    """Goes in front of the distribution's own `build_py`."""

    def find_data_files(self, package: Any, src_dir: Any) -> list[str]:
        """What setuptools would ship as data of a package, without what we know to be no data."""
        return [name for name in super().find_data_files(package, src_dir) if not self._left_out(package, name)]

    def _left_out(self, package: str, name: str) -> bool:
        path = PurePath(name)
        if is_assembly(path.name):
            return True
        if self._is_built_module(package, path):
            return True
        session = session_of(self.distribution)
        return session.relative(session.root / name) in assembly_inputs(session, self.distribution)

    def _is_built_module(self, package: str, path: PurePath) -> bool:
        """An editable install leaves modules in the source tree, one a CPython; a wheel gets its own from the build."""
        if not re.search(r"\.(so|pyd|dylib)$", path.name):
            return False
        module = ".".join(filter(None, (package, path.name.split(".")[0])))
        return any(extension.name == module for extension in self.distribution.ext_modules or ())
