"""Drives the real tracery-cli and reports in TAP.

A test file is a set of functions marked with @case and a call of main() at its end. The
program under test is named by TRACERY_CLI, the reference data by TRACERY_SHARED.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

CLI = os.environ.get("TRACERY_CLI", "tracery-cli")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("TRACERY_SHARED") or os.path.join(SOURCE, "..", "shared")
REPORT = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehavior|runtime error:|"
                    r"CRITICAL \*\*|WARNING \*\*|GLib-|GLib:|Traceback")
CASES = []
NOBODY = 65534


class Skip(Exception):
    """Raised where a case cannot be tried on this machine."""


class Result:
    def __init__(self, args, done):
        self.args = args
        self.status = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return (f"{' '.join(map(str, self.args))}\nstatus {self.status}\n"
                f"stdout: {self.out[:2000]}\nstderr: {self.err[:4000]}")


def case(name):
    """Marks a function as a case. It fails by any exception, and skips by Skip."""
    def mark(function):
        CASES.append((name, function))
        return function
    return mark


def shared(rel):
    """Path of a piece of the reference data; the case skips where it is absent."""
    path = os.path.join(SHARED, rel)
    if not os.path.exists(path):
        raise Skip("reference data absent; TRACERY_SHARED names its folder")
    return path


def ordinary_user(folder):
    """Somebody to whom permissions apply and who may enter @folder: None is who runs this. Root
    borrows another user, or the case skips where that one cannot run the program."""
    if os.geteuid() != 0:
        return None
    os.chmod(folder, 0o755)
    try:
        done = subprocess.run([CLI, "--version"], user=NOBODY, group=NOBODY, extra_groups=[],
                              cwd="/", capture_output=True, check=False)
    except OSError:
        done = None
    if done is None or done.returncode != 0:
        raise Skip("root may read everything, and nobody else may run the program")
    return NOBODY


def run(*args, env=None, cwd=None, stdin=subprocess.DEVNULL, timeout=300, cli=CLI, user=None):
    """Runs the program with these arguments and waits for it."""
    who = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run([cli, *map(os.fspath, args)], env={**os.environ, **(env or {})},
                          cwd=cwd, stdin=stdin, capture_output=True, timeout=timeout,
                          check=False, **who)
    result = Result(args, done)
    if REPORT.search(result.err):
        raise AssertionError(f"a report on standard error:\n{result}")
    return result


def ok(*args, **options):
    """Runs the program and wants it to succeed."""
    result = run(*args, **options)
    assert result.status == 0, str(result)
    return result


def ok_json(*args, **options):
    """Runs the program with --json and returns the one document it prints."""
    return ok(*args, "--json", **options).json()


def refused(*args, status=1, **options):
    """Runs the program and wants one sentence on standard error and this status. Notes, which tell
    of a file that works though something is odd about it, may stand before it."""
    result = run(*args, **options)
    assert result.status == status, str(result)
    assert result.out == "", str(result)
    lines = [line for line in result.err.rstrip("\n").split("\n") if not line.startswith("Note: ")]
    assert len(lines) == 1, f"not one sentence:\n{result}"
    assert len(lines[0]) > 10 and lines[0].endswith("."), f"not a sentence:\n{result}"
    return lines[0]


class TempDir:
    """A folder that lives as long as a with-block."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="tracery-cli-")
        return self.path

    def __exit__(self, *exception):
        for folder, folders, _files in os.walk(self.path):
            for name in folders:
                os.chmod(os.path.join(folder, name), 0o700)
        shutil.rmtree(self.path)


def main():
    failed = False
    for number, (name, function) in enumerate(CASES, 1):
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed = True
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} - {name}", flush=True)
    print(f"1..{len(CASES)}")
    sys.exit(1 if failed else 0)
