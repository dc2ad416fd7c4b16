"""Installs GRUB on a disk image for machines that boot with BIOS.

Usage: embed-grub.py DISK BOOT.IMG CORE.IMG SECTOR

Does the same as grub-bios-setup on a real disk. boot.img goes into the first
sector, around the partition table, and contains the sector number of core.img.
core.img goes to SECTOR, and its first sector contains the position of the rest.
GRUB 2's boot.S and diskboot.S define the offsets of these numbers.
"""

import struct
import sys
from pathlib import Path

SECTOR_SIZE = 512
# Offsets in boot.img: the sector number of core.img, and the end of the code.
KERNEL_SECTOR = 0x5C
PROGRAM_END = 0x1B8
# Offset in the first sector of core.img: a list of (sector, count, segment).
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
