"""Counts the set bits of bytes."""

from bitcount._bitcount import KERNEL, popcount

__all__ = ["KERNEL", "popcount"]
