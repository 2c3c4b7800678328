"""Run by `site` in every process and in every subinterpreter: an import of a module works in all of them alike."""

import os

if os.environ.get("MACHO_LOADER_FOLDER"):
    import macho_loader

    macho_loader.install(os.environ["MACHO_LOADER_FOLDER"])
