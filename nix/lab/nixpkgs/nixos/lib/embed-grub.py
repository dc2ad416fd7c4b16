"""Installs GRUB on the image of a disk, for machines that boot by BIOS.

Usage: embed-grub.py DISK BOOT.IMG CORE.IMG SECTOR

What grub-bios-setup does on a real disk: boot.img goes into the first sector,
around the partition table, and is told where core.img is; core.img goes to
SECTOR, and its own first sector is told where the rest of it is. The places of
these numbers are those of GRUB 2's boot.S and diskboot.S.
"""

import struct
import sys
from pathlib import Path

SECTOR_SIZE = 512
# In boot.img: the sector of core.img, and the end of what is program.
KERNEL_SECTOR = 0x5C
PROGRAM_END = 0x1B8
# In the first sector of core.img: a list of (sector, count, segment).
BLOCK_LIST = 0x1F4
LOAD_SEGMENT = 0x820


def main(disk: str, boot_file: str, core_file: str, sector: str) -> None:
    start = int(sector)
    boot = bytearray(Path(boot_file).read_bytes())
    core = bytearray(Path(core_file).read_bytes())
    core += bytes(-len(core) % SECTOR_SIZE)

    struct.pack_into("<Q", boot, KERNEL_SECTOR, start)
    count = len(core) // SECTOR_SIZE - 1
    struct.pack_into("<QHH", core, BLOCK_LIST, start + 1, count, LOAD_SEGMENT)

    with open(disk, "r+b") as image:
        image.write(boot[:PROGRAM_END])
        image.seek(start * SECTOR_SIZE)
        image.write(core)


main(*sys.argv[1:])
