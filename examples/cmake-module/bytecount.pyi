from collections.abc import Buffer
from typing import Literal

KERNEL: Literal["assembly", "C++"]

def count(data: Buffer, byte: int, /) -> int: ...
