"""The linking of one extension module: by the engine where it has C, by us where it is assembly alone.

Assembly alone needs no start code, no C library and no CPython: that is linked directly, for other platforms too.
"""

from __future__ import annotations

import os
import shlex
import sysconfig
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from ..files import replace_if_changed
from ..link import AssemblyLink, LinkFailed, coff, elf, macho
from ..linker import Linker, find_linker
from ..target_python import ON_MACOS

if TYPE_CHECKING:
    from .module_build import ModuleBuild

EngineLink = Callable[[list[str]], None]
"""The engine's own link, told more words."""


class ModuleLink:
    """How one module is linked. `build` knows its plan, its objects' folder and its target."""

    def __init__(self, build: ModuleBuild) -> None:
        self.build = build
        self.style = build.toolchain.link_style
        self.has_assembly = bool(build.plan.assembly) and build.toolchain.assembles
        self.debug = build.session.settings.debug
        self.extension = build.extension
        self.exports = list(build.extension.export_symbols or ())

    def identity(self) -> list[str]:
        """What a module is linked with, for its stamp."""
        words = self._engine_words()
        if self.linker is not None:
            words += [*self.linker.words, self.linker.kind, self.linker.version, str(self.debug), *self.exports]
        return words

    def without_libc(self, objects: list[str], engine_link: EngineLink) -> bool:
        """Tries an ELF link without libc and the compiler's start files; False where C needs them, or elsewhere."""
        if not self.has_assembly or self.style != "elf" or self.extension.libraries:
            return False
        if self._is_assembly_alone():
            self._link_elf(objects, libc=False)
            return True
        try:
            engine_link([*self._engine_words(), "-nostdlib"])
        except LinkFailed:
            return False
        return True

    def link(self, objects: list[str], engine_link: EngineLink) -> None:
        """Links the module. Raises LinkFailed for the linker's refusal, BuildError where there is no linker."""
        if not self._is_assembly_alone():
            engine_link(self._engine_words())
        elif self.style == "elf":
            self._link_elf(objects, libc=True)
        elif self.linker is None:
            engine_link(self._engine_words())
        else:
            link_assembly = coff.link_assembly if self.style == "coff" else macho.link_assembly
            link_assembly(self._assembly_link(self.linker), objects, self._output())

    # -- which linker ------------------------------------------------------------------------------------------------

    @cached_property
    def linker(self) -> Linker | None:
        """LLVM's linker, where it is to link; None where the platform's own compiler does.

        On Windows itself MSVC does where there is no lld-link. Raises BuildError where there must be one.
        """
        if not self._is_assembly_alone() or self.style not in ("coff", "macho"):
            return None
        foreign, settings = self.build.session.python.foreign, self.build.session.settings
        if not foreign and self.style == "macho":
            return None
        search = find_linker(self.build.session.python.platform, settings.linker)
        return search.need() if foreign or search.named else search.linker

    def _is_assembly_alone(self) -> bool:
        if self.build.plan.others or not self.has_assembly or self.build.toolchain.fallback_half:
            return False
        return self.style != "elf" or not self.extension.libraries

    def architecture_words(self) -> list[str]:
        """What macOS' compiler is told where `-C target=…` names architectures that are not the running Python's."""
        session = self.build.session
        if not ON_MACOS or not session.settings.target:
            return []
        return macho.architecture_words(session.python.platform)

    # -- the links ---------------------------------------------------------------------------------------------------

    def _engine_words(self) -> list[str]:
        """What the engine's link is told of the target beyond what the engine tells it."""
        if not self.has_assembly:
            return []
        if self.style == "elf":
            script = self.build.temp / "nasm-objects" / f"{self.build.plan.name}.map"
            replace_if_changed(script, elf.version_script(self.exports).encode())
            relative = self.build.session.relative(script)
            return elf.words(relative, debug=self.debug, has_c=bool(self.build.plan.others))
        if self.style == "macho":
            return [*macho.driver_words(self.exports, debug=self.debug), *self.architecture_words()]
        return list(coff.ENGINE_WORDS) if os.name == "nt" else []

    def _link_elf(self, objects: list[str], *, libc: bool) -> None:
        words = [*self._engine_words(), *(f"-L{folder}" for folder in self.extension.library_dirs)]
        words += self.extension.extra_link_args or ()
        elf.link_assembly(self._driver(), objects, words, self._output(), libc=libc, root=self.build.session.root)

    def _assembly_link(self, linker: Linker) -> AssemblyLink:
        session, extension = self.build.session, self.extension
        return AssemblyLink(
            linker=linker,
            root=session.root,
            scratch=session.scratch / self.build.plan.name,
            platform=session.python.platform,
            python=session.python.version,
            limited_api=self.build.plan.limited_api,
            debug=self.debug,
            exports=self.exports,
            libraries=extension.libraries,
            library_folders=[str(folder) for folder in extension.library_dirs],
            words=list(extension.extra_link_args or ()),
        )

    def _output(self) -> str:
        self.build.module.parent.mkdir(parents=True, exist_ok=True)
        return self.build.session.relative(self.build.module)

    @staticmethod
    def _driver() -> list[str]:
        """The compiler driver that finds the linker: CC, else the one that this Python was built with."""
        return shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))
