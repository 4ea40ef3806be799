#!/usr/bin/env python3
"""Writes the C file that holds all compiled kernels.

usage: embed.py OUTPUT.c NAME.spv...

The table is in the order of the arguments; a kernel is called by the base name of its
file. A hash over names and code becomes part of the name of the pipeline cache.
"""

import hashlib
import os
import struct
import sys

MAGIC = 0x07230203


def words_of(path):
    with open(path, 'rb') as file:
        data = file.read()
    if len(data) < 20 or len(data) % 4 != 0:
        sys.exit(f'{path} is not SPIR-V: {len(data)} bytes')
    words = struct.unpack(f'<{len(data) // 4}I', data)
    if words[0] != MAGIC:
        sys.exit(f'{path} is not SPIR-V: it starts with {words[0]:#x}')
    return words


def array_lines(words):
    for i in range(0, len(words), 8):
        yield '  ' + ' '.join(f'{word:#010x},' for word in words[i:i + 8])


def main():
    output, *paths = sys.argv[1:]
    total = hashlib.sha256()
    lines = ['/* Made by shaders/tools/embed.py. */', '#include "compute/vk/vk_pipeline.h"', '']
    rows = []
    for number, path in enumerate(paths):
        name = os.path.splitext(os.path.basename(path))[0]
        words = words_of(path)
        total.update(name.encode() + b'\0' + struct.pack(f'<{len(words)}I', *words))
        lines += [f'static const guint32 words_{number}[] = {{', *array_lines(words), '};', '']
        rows.append(f'  {{ "{name}", words_{number}, G_N_ELEMENTS (words_{number}) }},')
    lines += ['const TrcVkShader trc_vk_shaders[] = {', *rows, '};',
              'const guint trc_vk_n_shaders = G_N_ELEMENTS (trc_vk_shaders);',
              f'const char trc_vk_shaders_hash[] = "{total.hexdigest()}";', '']
    with open(output, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines))


if __name__ == '__main__':
    main()
