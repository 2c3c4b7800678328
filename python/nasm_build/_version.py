"""The version of the distribution: the one place that states it; CMake and pyproject.toml read this file."""

VERSION = "0.1.0"
