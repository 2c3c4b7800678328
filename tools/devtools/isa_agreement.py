"""./dev prove isa: the levels that `nasm-ext isa` gives the functions of public wheels, held against objdump.

objdump decodes from each symbol straight on, by tables of its own. Every instruction that we name as the first of a
feature must be there with the same name, and a function must have the same level by the mnemonics that it lists. Wheels
are pinned, and chosen for their symbols, which say where a function is.
"""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from . import public_wheels
from .shell import DevelopmentError, run, say

WHEELS = {
    "numpy-2.2.6-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl": (
        "1bc23a79bfabc5d056d106f9befb8d50c31ced2fbc70eedb8155aec74a45798f"
    ),
}
"""Names with their SHA-256."""

MASK_REGISTERS = re.compile(r"%k[0-7]")
EVEX = "62"
"""The first byte of AVX-512's own encoding, which means nothing else in 64-bit code."""
V3 = frozenset("andn bextr blsi blsmsk blsr bzhi mulx pdep pext rorx sarx shlx shrx lzcnt movbe xsave xrstor".split())
V2 = frozenset(
    """
    popcnt pshufb phaddw phaddd phaddsw phsubw phsubd phsubsw pmaddubsw pmulhrsw psignb psignw psignd pabsb pabsw
    pabsd palignr blendpd blendps blendvpd blendvps dppd dpps extractps insertps movntdqa mpsadbw packusdw pblendvb
    pblendw pcmpeqq pextrb pextrd pextrq phminposuw pinsrb pinsrd pinsrq pmaxsb pmaxsd pmaxud pmaxuw pminsb pminsd
    pminud pminuw pmovsxbw pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq pmovzxbw pmovzxbd pmovzxbq pmovzxwd pmovzxwq
    pmovzxdq pmuldq pmulld ptest roundpd roundps roundsd roundss crc32b crc32w crc32l crc32q pcmpestri pcmpestrm
    pcmpistri pcmpistrm pcmpgtq addsubpd addsubps haddpd haddps hsubpd hsubps lddqu movddup movshdup movsldup fisttp
    fisttps fisttpl fisttpll cmpxchg16b lahf sahf
    """.split()
)


@dataclass
class Agreement:
    """What the two say of one module."""

    ours: dict[str, int] = field(default_factory=dict)
    theirs: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    """Functions of different levels."""
    wrong_instructions: list[str] = field(default_factory=list)
    """Instructions that we name and objdump does not have there."""
    compared: int = 0


def prove(nasm_ext: Path) -> None:
    """Compares every module of the pinned wheels; raises DevelopmentError where they differ."""
    wrong: list[str] = []
    for file_name, sha256 in WHEELS.items():
        wheel = public_wheels.fetch(public_wheels.named(file_name, sha256))
        with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(prefix="isa-") as folder:
            for name in sorted(name for name in archive.namelist() if re.search(r"\.so(\.\d+)*$", name)):
                agreement = compare(nasm_ext, Path(archive.extract(name, folder)))
                above = sum(level > 2 for level in agreement.ours.values())
                say(f"{name}: {agreement.compared} functions, {above} above x86-64-v2, "
                    f"{len(agreement.differences)} different")  # fmt: skip
                wrong += [f"{name}: {one}" for one in (*agreement.differences, *agreement.wrong_instructions)]
    if wrong:
        raise DevelopmentError("objdump says otherwise:\n" + "\n".join(wrong))


def compare(nasm_ext: Path, module: Path) -> Agreement:
    """Reads one ELF module with both."""
    listed = run([nasm_ext, "isa", "--all", "--format", "json", module], quiet=True)
    functions = json.loads(listed)["files"][0]["functions"]
    code = disassembled(module)
    agreement = Agreement()
    for function in functions:
        for first in function["first"]:
            found = code.mnemonics.get(first["address"], "nothing")
            if not same_name(first["instruction"], found):
                agreement.wrong_instructions.append(f"{first['instruction']} at {first['address']:#x} is {found}")
        name = code.names.get(function["address"])
        if name is None or function["name"] is None:
            continue
        ours, theirs = int(function["level"][-1]), code.levels.get(function["address"], 1)
        agreement.compared += 1
        agreement.ours[name], agreement.theirs[name] = ours, theirs
        if ours != theirs:
            agreement.differences.append(f"{name} is of level {ours}, and {theirs} by objdump")
    return agreement


@dataclass
class Disassembly:
    """objdump's listing: addresses of instructions with their names, and of symbols with their names and levels."""

    mnemonics: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)


def disassembled(module: Path) -> Disassembly:
    code = Disassembly()
    sizes = symbol_sizes(module)
    symbol = end = -1
    for line in run(["objdump", "-d", "--wide", module], quiet=True).splitlines():
        if header := re.match(r"([0-9a-f]+) <(.+)>:$", line):
            if symbol < 0 or not is_local_label(header[2], code, symbol):
                symbol = int(header[1], 16)
                end = symbol + (sizes.get(symbol) or 1 << 40)
                code.names[symbol] = header[2]
            continue
        instruction = re.match(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t(?:\{\w+\} )*(.+)$", line)
        if not instruction:
            continue
        address = int(instruction[1], 16)
        words = [word for word in instruction[3].split() if word not in PREFIXES]
        mnemonic = words[0] if words else ""
        code.mnemonics[address] = mnemonic
        if address < end:
            level = level_of(mnemonic, instruction[3], instruction[2].split()[0])
            code.levels[symbol] = max(code.levels.get(symbol, 1), level)
    return code


def symbol_sizes(module: Path) -> dict[int, int]:
    """Sizes of functions by their addresses: behind one may lie others that have lost their names."""
    sizes: dict[int, int] = {}
    for line in run(["readelf", "-W", "--syms", module], quiet=True).splitlines():
        if symbol := re.match(r"\s*\d+: ([0-9a-f]+)\s+(0x[0-9a-f]+|\d+) (?:FUNC|IFUNC) ", line):
            address = int(symbol[1], 16)
            sizes[address] = max(sizes.get(address, 0), int(symbol[2], 0))
    return sizes


PREFIXES = frozenset("rep repz repnz lock bnd notrack data16 cs ds es fs gs ss rex.W addr32".split())


def is_local_label(name: str, code: Disassembly, symbol: int) -> bool:
    """NASM's `.loop` of the function that is being listed."""
    return name.startswith(f"{code.names[symbol]}.") and not re.search(r"\.(cold|part|constprop|isra|lto_priv)", name)


def level_of(mnemonic: str, text: str, first_byte: str) -> int:
    """By name: VEX and EVEX instructions begin with v (but for those of general registers), masks' with k."""
    is_vector = mnemonic.startswith("v") and not mnemonic.startswith(("ver", "vm"))
    if mnemonic.startswith("vm") and "mm" in text:
        is_vector = True
    if first_byte == EVEX or (mnemonic.startswith("k") and MASK_REGISTERS.search(text)):
        return 4
    if is_vector or mnemonic.rstrip("lqw") in V3 or mnemonic in V3:
        return 3
    return 2 if mnemonic in V2 or mnemonic.rstrip("lqw") in V2 else 1


def same_name(ours: str, theirs: str) -> bool:
    """AT&T's names have the operand's size behind them; compares have their condition in them."""
    return (
        theirs == ours
        or theirs.rstrip("bwlqsxyz") == ours.rstrip("bwlqsxyz")
        or (ours.startswith(("vcmp", "vpcmp", "vpclmul", "pclmul", "vpcom")) and theirs.startswith(ours[:4]))
    )
