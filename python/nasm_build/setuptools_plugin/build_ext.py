"""`build_ext` of a distribution with assembly: names modules by the table, and builds each through a ModuleBuild."""

from __future__ import annotations

import contextlib
import os
import shutil
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BuildError, say
from ..link import run_linker
from ..source import is_assembly
from .configure import session_of
from .module_build import ModuleBuild
from .plan import limited_api_of
from .sources import assembly_inputs, named_inputs
from .stamps import Stamps

if TYPE_CHECKING:
    from setuptools import Extension
    from setuptools.command.build_ext import build_ext as _Base
else:
    _Base = object


class AssemblyBuildExt(_Base):
    """Goes in front of the distribution's own `build_ext`, a user's or another plugin's included."""

    def get_ext_filename(self, fullname: str) -> str:
        """The file name that the target's CPythons look for; not the running setuptools' idea of it."""
        theirs: str = super().get_ext_filename(fullname)  # type: ignore[no-untyped-call,unused-ignore]
        extension = self.ext_map.get(fullname)
        if extension is None or type(extension).__name__ == "Library":
            return theirs
        suffix = session_of(self.distribution).toolchain(limited_api_of(extension)).suffix
        return os.path.join(*fullname.split(".")) + suffix if suffix else theirs

    def get_source_files(self) -> list[str]:
        """What an sdist must hold: sources, what the assembly includes, fallbacks, and what lies beside a module."""
        session = session_of(self.distribution)
        found = [name for name in super().get_source_files() if not is_assembly(str(name))]
        # egg_info asks as well, for the list that a wheel's package data is chosen from: the text is enough for it.
        for_sdist = "sdist" in self.distribution.command_obj
        found += (assembly_inputs if for_sdist else named_inputs)(session, self.distribution)
        for extension in self.extensions:
            for source in getattr(extension, "assembly_sources", ()):
                found += source.fallback_files or []
            found += [name for name in extension.depends if not Path(name).is_absolute()]
            found += [str(path) for path in self._files_beside(extension)]
        return sorted(dict.fromkeys(found))

    def run(self) -> None:
        """Builds, removes what earlier builds left, and puts what describes a module beside it."""
        stamps = Stamps(Path(self.build_temp))
        if session_of(self.distribution).by_backend:
            stamps.keep_only_modules(Path(self.build_lib))
        super().run()
        stamps.drop_all_but({Path(self.build_lib) / self._filename_of(extension) for extension in self.extensions})
        if not self.inplace:
            for extension in self.extensions:
                self._copy_files_beside(extension)

    def build_extension(self, ext: Extension) -> None:
        """Assembles, lets the engine compile and link the rest, reads the module back."""
        self._catch_links()
        build = ModuleBuild(self, ext, session_of(self.distribution))
        with _as_the_engine_expects(ext), build.prepared():
            self._builds[str(build.module.resolve())] = build
            super().build_extension(ext)
            build.finish()

    # -- the linker --------------------------------------------------------------------------------------------------

    def _catch_links(self) -> None:
        """Puts our hand on the compiler's linking, once: a module is linked the way its target needs."""
        if getattr(self, "_builds", None) is not None:
            return
        self._builds: dict[str, ModuleBuild] = {}
        compiler: Any = self.compiler
        # setuptools runs its compilers by `call` since 84 and by `spawn` before.
        runner = "call" if hasattr(compiler, "call") else "spawn"
        link_shared_object, run, compile_all = compiler.link_shared_object, getattr(compiler, runner), compiler.compile
        linking = threading.local()

        def caught_compile(sources: Any, *args: Any, **words: Any) -> Any:
            # A module of assembly alone has nothing to compile, and MSVC's class looks for MSVC before it finds out.
            return compile_all(sources, *args, **words) if sources else []

        def caught_link(objects: Any, output_filename: Any, *args: Any, **words: Any) -> None:
            build = self._builds.get(str(Path(output_filename).resolve()))

            def engine_link(extra: list[str]) -> None:
                changed = {**words, "extra_postargs": [*(words.get("extra_postargs") or ()), *extra]}
                linking.active = True
                try:
                    link_shared_object(objects, output_filename, *args, **changed)
                finally:
                    linking.active = False

            if build is None:
                link_shared_object(objects, output_filename, *args, **words)
            else:
                build.link([str(item) for item in objects], engine_link)

        def caught_run(command: Any, *args: Any, **words: Any) -> Any:
            if not getattr(linking, "active", False):
                return run(command, *args, **words)
            return _run_linker([str(word) for word in command])

        compiler.link_shared_object = caught_link
        compiler.compile = caught_compile
        setattr(compiler, runner, caught_run)

    # -- what lies beside a module -----------------------------------------------------------------------------------

    def _filename_of(self, extension: Extension) -> str:
        return self.get_ext_filename(self.get_ext_fullname(extension.name))

    def _files_beside(self, extension: Extension) -> list[Path]:
        """`NAME.pyi` and `py.typed`, which type checkers look for beside a module."""
        package, _, name = extension.name.rpartition(".")
        build_py: Any = self.get_finalized_command("build_py")
        folder = Path(build_py.get_package_dir(package))
        names = [f"{name}.pyi"] + (["py.typed"] if package else [])
        return [folder / item for item in names if (folder / item).is_file()]

    def _copy_files_beside(self, extension: Extension) -> None:
        target = (Path(self.build_lib) / self._filename_of(extension)).parent
        for path in self._files_beside(extension):
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.name)


def _run_linker(command: list[str]) -> None:
    """Runs the engine's link command with its output kept, so that a refusal can be told in the source's words.

    The run path that sysconfig adds for the build interpreter's own library folder is left out: a module links no
    libpython, and the folder of this machine has no meaning on another.
    """
    own = f"-Wl,-rpath,{sysconfig.get_config_var('LIBDIR')}"
    run_linker([word for word in command if word != own], None, "install a C compiler, or name one: CC=/path/to/cc")


@contextlib.contextmanager
def _as_the_engine_expects(ext: Extension) -> Iterator[None]:
    """An optional module may fail: setuptools goes on after a CompileError, and after nothing else of ours."""
    try:
        yield
    except BuildError as error:
        if not getattr(ext, "optional", False):
            raise
        from setuptools.errors import CompileError

        say(error.render())
        raise CompileError(f"optional module '{ext.name}' was left out") from None
