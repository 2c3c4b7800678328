"""The building of one extension module: assemble, let the engine compile the rest, link, read back."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from setuptools.errors import CompileError

from .. import inspector
from .._version import VERSION
from ..assemble import Assembler, Unit
from ..errors import BuildError, Problem, failed
from ..executable import find_executable
from ..link import LinkFailed, explain
from ..session import Session
from ..source import Source
from ..toml_lines import line_of
from .halves import join_fallbacks
from .module_link import ModuleLink
from .plan import Plan, limited_api_macro, plan_of
from .sources import macro_words, source_folders
from .stamps import Stamps

if TYPE_CHECKING:
    from setuptools import Extension

UNDEFINED = "undefined-symbol"
_ENVIRONMENT = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LDSHARED", "ARCHFLAGS")


class ModuleBuild:
    """One module of one `build_ext` command. `module` is the file to be made, in the command's `build_lib`."""

    def __init__(self, command: Any, extension: Extension, session: Session) -> None:
        self.command = command
        self.extension = extension
        self.session = session
        self.plan: Plan = plan_of(extension)
        self.toolchain = session.toolchain(self.plan.limited_api)
        self.module = Path(command.get_ext_fullpath(extension.name))
        self.fullname: str = command.get_ext_fullname(extension.name)
        self.temp = Path(command.build_temp)
        self.stamps = Stamps(self.temp)
        self.objects: list[str] = []
        self.parts: list[str] = []
        self.linked = False
        self.linking = ModuleLink(self)

    # -- before the engine's turn ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Changes the extension to what the engine can build, for as long as it builds it."""
        self._require_sources()
        sources, macros, extra = self._fallback_sources(), self._c_macros(), self._c_arguments()
        self._require_compiler(sources)
        assembled = False
        if self.plan.assembly and self.toolchain.assembles:
            assembled = self._assemble()
            if self.toolchain.fallback_half:
                self.objects = join_fallbacks(self, macros, extra)
        self.parts = self._stamp_parts(sources, macros)
        if assembled or not self.stamps.holds(self.module, self.parts):
            self.stamps.remove(self.module)
        changed = {
            "sources": sources,
            "extra_objects": [*self.extension.extra_objects, *self.objects],
            "depends": [*self.extension.depends, *self.objects],
            "define_macros": macros,
            "extra_compile_args": extra,
        }
        kept = {name: getattr(self.extension, name) for name in changed}
        for name, value in changed.items():
            setattr(self.extension, name, value)
        try:
            yield
        except LinkFailed as refusal:
            raise explain(refusal, self._lines_of, self.session.root, self.session.python.version) from None
        except CompileError as error:
            raise _compile_error(error, self.plan) from None
        finally:
            for name, value in kept.items():
                setattr(self.extension, name, value)

    def _require_sources(self) -> None:
        """Every source must be there; the nearest name of a file beside it is the likeliest mistake."""
        missing = []
        for name in (*(source.file for source in self.plan.assembly), *self.plan.others):
            if not (self.session.root / name).is_file():
                missing.append(self._missing_source(name))
        if missing:
            raise BuildError(missing)

    def _missing_source(self, name: str) -> Problem:
        from difflib import get_close_matches

        folder = (self.session.root / name).parent
        there = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
        near = get_close_matches(PurePosixPath(name).name, there, n=1)
        beside = PurePosixPath(name).parent
        fix = f"did you mean '{beside / near[0]}'?" if near else "create it, or correct 'sources'"
        file, line = self._place_of_sources()
        return Problem(f"source '{name}' of module '{self.plan.name}' is not there", "source-missing", fix, file, line)

    def _place_of_sources(self) -> tuple[str, int]:
        """Where this extension was declared, for messages about the declaration."""
        for number, row in enumerate(self.session.settings.ext_modules):
            if row.name == self.plan.name:
                text = (self.session.root / "pyproject.toml").read_text(encoding="utf-8")
                return "pyproject.toml", line_of(text, "tool.nasm-build.ext-modules", "sources", number)
        return "setup.py", 0

    def _fallback_sources(self) -> list[str]:
        """What the engine compiles: the C beside the assembly, and what stands in for it where there is no NASM."""
        sources = list(self.plan.others)
        if self.toolchain.assembles:
            return sources
        for source in self.plan.assembly:
            replacement = source.fallback_files
            if replacement is None and self.session.python.foreign:
                raise failed(
                    "NASM writes x86-64 code for Linux, macOS and Windows, and the target is "
                    f"{self.toolchain.platform}",
                    "no-fallback",
                    "-C target=win-amd64, -C target=macosx-11.0-x86_64",
                    file=source.file,
                )
            if replacement is None:
                raise failed(
                    f"NASM writes x86-64 code, and this Python is for {self.toolchain.platform}",
                    "no-fallback",
                    f'give C that stands in: {{ file = "{source.file}", fallback = "{_c_name(source.file)}" }}',
                    file=source.file,
                )
            sources += replacement
        return sources

    def _require_compiler(self, sources: list[str]) -> None:
        """C needs the compiler, the headers and the CPython of the target, and only assembly does without."""
        python = self.session.python
        if sources and python.foreign:
            raise failed(
                f"'{sources[0]}' of module '{self.plan.name}' is C, and there is no compiler here for CPython "
                f"{python.version} on {python.platform}",
                "cross-build",
                "build it with that CPython on its own platform (cibuildwheel does); modules of assembly alone are "
                "built for it here",
                file=sources[0],
            )

    def _c_macros(self) -> list[tuple[str, str | None]]:
        macros = list(self.plan.define_macros)
        if self.plan.assembly:
            macros += [] if self.toolchain.fallback_half else [("NASM_BUILD_ASM", str(int(self.toolchain.assembles)))]
        if self.plan.limited_api and all(name != "Py_LIMITED_API" for name, _ in macros):
            macros.append(("Py_LIMITED_API", limited_api_macro(self.plan.limited_api)))
        if self.plan.limited_api.endswith("t"):
            macros.append(("Py_TARGET_ABI3T", limited_api_macro(self.plan.limited_api)))  # PEP 803
        return macros

    def _c_arguments(self) -> list[str]:
        """Takes the project's path out of what C compilers record, so that two folders give one wheel."""
        arguments = list(self.extension.extra_compile_args or ())
        if self.plan.assembly and os.name != "nt":
            arguments.append(f"-ffile-prefix-map={self.session.root}=.")
        arguments += self.linking.architecture_words()
        if self.plan.assembly and self.toolchain.fallback_half:
            arguments += ["-Xarch_x86_64", "-DNASM_BUILD_ASM=1"]
            arguments += [f"-Xarch_{self.toolchain.fallback_half}", "-DNASM_BUILD_ASM=0"]
        return arguments

    def _assemble(self) -> bool:
        self.objects = []
        units = [self._unit(source) for source in self.plan.assembly]
        record = self.temp / "nasm-objects" / f"{self.plan.name}.json"
        record.parent.mkdir(parents=True, exist_ok=True)
        chain = self.toolchain
        nasm, driver = chain.need_nasm(), str(find_executable())
        return Assembler(self.session.root, driver, nasm, chain.nasm_version, chain.flags, record).assemble(units)

    def _unit(self, source: Source) -> Unit:
        """An object's path follows its source's, so that equal file names in two folders do not meet."""
        stem = str(PurePosixPath(source.file.replace("\\", "/")).with_suffix(""))
        folder = self.session.relative(self.temp / "nasm-objects" / self.plan.name)
        name = f"{folder}/{stem}{self.toolchain.object_suffix}"
        number = 1
        while name in self.objects:
            number += 1
            name = f"{folder}/{stem}-{number}{self.toolchain.object_suffix}"
        self.objects.append(name)
        folders = (*source_folders(self.plan, source, self.session.root), self.session.include_folder())
        return Unit(source.file, name, tuple(macro_words(self.plan, source)), folders)

    def _stamp_parts(self, sources: list[str], macros: list[tuple[str, str | None]]) -> list[str]:
        """Everything a module is made from that a newer source would not show."""
        own = self.extension
        lists = (own.libraries, own.library_dirs, own.extra_link_args, own.extra_compile_args, own.export_symbols)
        environment = [f"{name}={os.environ.get(name, '')}" for name in _ENVIRONMENT]
        words = [str(item) for group in lists for item in group or ()]
        target = f"{self.session.python.version} {self.session.python.platform}"
        made_from = [*sources, *map(repr, macros), *self.objects, *self.linking.identity()]
        return [VERSION, target, *environment, *words, *made_from]

    # -- the linker's turn -------------------------------------------------------------------------------------------

    def link(self, objects: list[str], engine_link: Callable[[list[str]], None]) -> None:
        """Links the module and reads it back; without a C library where it needs none."""
        self.linked = True
        if self.linking.without_libc(objects, engine_link):
            report = self._inspect()
            if report is None or not report.symbols_of(UNDEFINED):
                self._accept(report)
                return
        self.module.unlink(missing_ok=True)  # distutils does not link again over a file newer than its objects
        self.linking.link(objects, engine_link)
        self._accept(self._inspect())

    # -- reading back ------------------------------------------------------------------------------------------------

    def _inspect(self) -> inspector.Report | None:
        return inspector.check(
            [self.module],
            root=self.session.root,
            name=self.fullname,
            python=self.session.python.version,
            limited_api=self.plan.limited_api,
            target=self.session.python.platform,
            objects=self._object_paths(),
        )

    def _accept(self, report: inspector.Report | None) -> None:
        """Lets a module that was found right stand; removes any other."""
        if report is None:
            return
        try:
            report.require_clean()
        except BuildError:
            self.stamps.remove(self.module)
            raise
        self.session.checked.add(self.fullname)

    def finish(self) -> None:
        """Notes that the module is right; an engine that was up to date changed nothing."""
        if not self.module.is_file():
            raise failed(f"module '{self.fullname}' was not made", "module-missing", "see the engine's output above")
        if not self.linked:
            self.session.checked.add(self.fullname)
        self.stamps.write(self.module, self.parts)

    def _object_paths(self) -> list[Path]:
        return [self.session.root / name for name in self.objects]

    def _lines_of(self, symbol: str) -> list[tuple[str, int]]:
        return inspector.references(self._object_paths(), symbol, self.session.root)


def _compile_error(error: Exception, plan: Plan) -> BuildError:
    """The compiler has said what is wrong with the source; distutils has only its command to add."""
    return failed(
        f"module '{plan.name}': a source other than assembly does not compile",
        "compile",
        "mend what the compiler says above",
        details=f"  {error}",
    )


def _c_name(source: str) -> str:
    return str(PurePosixPath(source).with_suffix(".c"))
