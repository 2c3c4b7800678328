"""The CPython that the tests run under: how a module and a wheel that are built for it are named."""

from __future__ import annotations

import sysconfig

from packaging import tags

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
"""As it was configured itself: with a t where it has no GIL, and the name of its C library."""

_OWN = next(tags.cpython_tags())

MUSL = any(tag.platform.startswith("musllinux") for tag in tags.cpython_tags())

PLATFORM = "musllinux_1_1_x86_64" if MUSL else "manylinux_2_5_x86_64.manylinux1_x86_64"
"""The platform tags of a wheel whose modules need nothing but Python, and are named for this CPython."""

LOCAL_TAG = f"{_OWN.interpreter}-{_OWN.abi}-linux_x86_64"
"""A wheel's as an engine names it, for this CPython alone."""

TAG = f"{_OWN.interpreter}-{_OWN.abi}-{PLATFORM}"
"""The same when nothing but Python is needed."""

NEUTRAL_PLATFORM = "manylinux_2_5_x86_64.manylinux1_x86_64.musllinux_1_1_x86_64"
"""The platform tags of a wheel whose modules' names say no C library either."""

SILENT_ABOUT_THE_GIL = {"PYTHONWARNINGS": "ignore:The global interpreter lock"}
"""For tests of other things: a free-threaded CPython warns of every module that says nothing of the GIL."""
