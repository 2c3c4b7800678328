"""examples/pymult in Python, as a peer in the benchmarks."""


def multiply(a: int, b: int, /) -> int:
    """Return the product of two ints."""
    return a * b
