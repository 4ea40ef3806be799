"""The paths of tracery-cli under valgrind: no wrong access, no unset value, no lost memory.

A program built with sanitizers cannot run under valgrind, so this takes the optimised build
named by TRACERY_RELEASE_BUILD, or skips.
"""

import os
import shutil
import subprocess

from harness import CLI, SOURCE, Skip, TempDir, case, main
from hostile import SMALL_GRAPH, as_bytes, write

WORDS = ("valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
         "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
         "--suppressions=" + os.path.join(SOURCE, "tests/support/valgrind.supp"))


def program():
    """The tracery-cli to test: one without sanitizers."""
    if shutil.which("valgrind") is None:
        raise Skip("valgrind is not installed")
    build = os.environ.get("TRACERY_RELEASE_BUILD")
    if build is not None:
        return os.path.join(build, "app/cli/tracery-cli")
    if os.environ.get("TRACERY_SANITIZED") == "1":
        raise Skip("built with sanitizers; TRACERY_RELEASE_BUILD names a build without")
    return CLI


def clean(*args, status=0):
    """Runs the command under valgrind and wants this status and no report."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "TRACERY_THREADS": "1",
                   "VK_ICD_FILENAMES": "/nonexistent.json", "G_SLICE": "always-malloc"}
    done = subprocess.run([*WORDS, program(), *args], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == status, done.stdout[:1000] + done.stderr[-6000:]


@case("help, devices and wrong usage")
def frame():
    clean("--help")
    clean("devices", "--json")
    clean("devices", "--no-such-option", status=2)


@case("reading, pruning and drawing a graph")
def graphs():
    with TempDir() as folder:
        graph = write(folder, "graph.json", as_bytes(SMALL_GRAPH))
        clean("info", graph, "--json")
        clean("prune", graph, "-o", os.path.join(folder, "pruned.json"))
        clean("export", graph, "-o", os.path.join(folder, "graph.svg"))
        write(folder, "graph.json", as_bytes(SMALL_GRAPH)[:400])
        clean("info", graph, status=1)


@case("tracing the bundled model")
def trace():
    with TempDir() as folder:
        clean("trace", "modadd-113", "--prompt", "37 + 95 =", "-o",
              os.path.join(folder, "trace.json"))


main()
