"""`nasm_build.Extension`: setuptools' Extension with the words that only assembly needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import setuptools

from .errors import failed
from .source import Source, is_assembly


class Extension(setuptools.Extension):
    """An extension module with assembly among its sources, for a `setup.py`.

    A plain `setuptools.Extension` works too; this one also takes `Source` objects, `nasm_args`, and the stable ABI as
    one setting: `py_limited_api="3.10"` (`"3.15t"` for abi3t) names the module, tags the wheel and defines
    `Py_LIMITED_API` for C and NASM.
    Everything else is setuptools' own. Raises BuildError for a source or a version that is none.
    """

    def __init__(
        self,
        name: str,
        sources: Sequence[str | Source],
        *args: Any,
        py_limited_api: str | bool = False,
        nasm_args: Sequence[str] = (),
        **words: Any,
    ) -> None:
        self.assembly_sources = [
            item if isinstance(item, Source) else Source(item)
            for item in sources
            if isinstance(item, Source) or is_assembly(item)
        ]
        for source in self.assembly_sources:
            if not is_assembly(source.file):
                raise failed(
                    f"Source('{source.file}') of module '{name}' is no assembly source",
                    "settings",
                    f'give it as "{source.file}"; Source is for .asm and .nasm files',
                )
        self.nasm_args = list(nasm_args)
        self.limited_api = py_limited_api if isinstance(py_limited_api, str) else ""
        self._keep_what_a_copy_lost(name)
        files = [item.file if isinstance(item, Source) else item for item in sources]
        limited = bool(py_limited_api or self.limited_api)
        super().__init__(name, list(dict.fromkeys(files)), *args, py_limited_api=limited, **words)
        _declared[name] = self

    def _keep_what_a_copy_lost(self, name: str) -> None:
        """Takes over our own words from an earlier extension of the same name and the same assembly.

        cythonize() makes a new object of this class from the settings that distutils knows, and loses the others.
        """
        earlier = _declared.get(name)
        if earlier is None or self.nasm_args or self.limited_api:
            return
        if {source.file for source in earlier.assembly_sources} != {source.file for source in self.assembly_sources}:
            return
        if all(source == Source(source.file) for source in self.assembly_sources):
            self.assembly_sources = list(earlier.assembly_sources)
            self.nasm_args, self.limited_api = list(earlier.nasm_args), earlier.limited_api


_declared: dict[str, Extension] = {}
