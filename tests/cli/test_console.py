"""Standard output, progress and Ctrl-C of tracery-cli."""

import os
import signal
import subprocess
import time

from harness import CLI, REPORT, Skip, TempDir, case, main, ok, refused, run


@case("a full disk under standard output is an error")
def full_disk():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([CLI, "devices"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1, done
    assert b"standard output" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr


@case("without a terminal there is no progress, unless it is asked for")
def quiet():
    assert ok("devices").err == ""
    assert run("devices", "--progress").status == 0


@case("the language of the system does not change figures")
def locale():
    plain = ok("devices", "--json", env={"LC_ALL": "C"}).out
    assert plain == ok("devices", "--json", env={"LC_ALL": "de_DE.UTF-8"}).out


def start_training(folder):
    """A run that takes minutes, with its first line of progress already seen."""
    child = subprocess.Popen(  # pylint: disable=consider-using-with
        [CLI, "train", "toy", "--p", "23", "--epochs", "1000000", "-o",
         os.path.join(folder, "model"), "--progress"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = child.stderr.readline()
    assert b"%" in line or line != b"", line
    return child


@case("Ctrl-C cancels a long command, which ends with 130")
def interrupt():
    if run("train", "toy", "--help").status != 0:
        raise Skip("no long command in this build")
    with TempDir() as folder:
        child = start_training(folder)
        child.send_signal(signal.SIGINT)
        _out, err = child.communicate(timeout=60)
        assert child.returncode == 130, (child.returncode, err)
        assert not REPORT.search(err.decode()), err


@case("a second Ctrl-C does not wait")
def interrupt_twice():
    if run("train", "toy", "--help").status != 0:
        raise Skip("no long command in this build")
    with TempDir() as folder:
        child = start_training(folder)
        child.send_signal(signal.SIGINT)
        time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        assert child.returncode == 130, child.returncode




main()
