from typing import Literal

from typing_extensions import Buffer

KERNEL: Literal["assembly", "C"]

def popcount(data: Buffer, /) -> int: ...
