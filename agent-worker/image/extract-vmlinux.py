#!/usr/bin/env python3
"""Takes the uncompressed ELF kernel out of a bzImage: a VMM that starts an ELF by PVH skips the kernel's own
decompressor, which costs up to a second under emulation.

    extract-vmlinux.py BZIMAGE ELF
"""
import bz2
import gzip
import io
import lzma
import shutil
import struct
import subprocess
import sys

GZIP, XZ, BZIP2, LZMA, ZSTD, LZ4 = b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"BZh", b"\x5d\x00\x00", b"\x28\xb5\x2f\xfd", b"\x02\x21\x4c\x18"


def payload(image: bytes) -> bytes:
    """The compressed kernel, found by the header fields of the x86 boot protocol (2.08 and later)."""
    if image[0x202:0x206] != b"HdrS" or struct.unpack_from("<H", image, 0x206)[0] < 0x208:
        raise SystemExit("extract-vmlinux: this is no bzImage of boot protocol 2.08 or later")
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    return image[start : start + length]


def decompress(data: bytes) -> bytes:
    if data.startswith(GZIP):
        return gzip.GzipFile(fileobj=io.BytesIO(data[:-4])).read()
    if data.startswith(XZ):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)
    if data.startswith(BZIP2):
        return bz2.BZ2Decompressor().decompress(data)
    if data.startswith(LZMA):
        return lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(data)
    for magic, tool in ((ZSTD, "zstd"), (LZ4, "lz4")):
        if data.startswith(magic):
            if not shutil.which(tool):
                raise SystemExit(f"extract-vmlinux: the kernel is compressed with {tool}; install the package {tool}")
            return subprocess.run([tool, "-dc"], input=data[:-4], stdout=subprocess.PIPE, check=True).stdout
    raise SystemExit(f"extract-vmlinux: unknown compression, starts with {data[:6].hex()}")


def main() -> None:
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        kernel = decompress(payload(file.read()))
    if not kernel.startswith(b"\x7fELF"):
        raise SystemExit("extract-vmlinux: the payload is no ELF file")
    with open(target, "wb") as file:
        file.write(kernel)


main()
