#!/usr/bin/env python3
"""Compiles one GLSL kernel to SPIR-V and checks the result.

usage: compile.py GLSLC SPIRV_VAL|- SOURCE OUTPUT DEPFILE [GLSLC-OPTION...]
"""

import subprocess
import sys


def main():
    glslc, validator, source, output, depfile, *options = sys.argv[1:]
    env = '--target-env=vulkan1.2'
    done = subprocess.run([glslc, '-O', env, '-fshader-stage=compute', '-MD', '-MF', depfile,
                           '-MT', output, '-o', output, *options, source])
    if done.returncode == 0 and validator != '-':
        done = subprocess.run([validator, '--target-env', 'vulkan1.2', output])
    return done.returncode


if __name__ == '__main__':
    sys.exit(main())
