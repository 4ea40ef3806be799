"""tracery-cli train toy: the same bytes for a seed, stopping by Ctrl-C, resuming."""

import json
import os
import signal
import struct
import subprocess

from harness import CLI, TempDir, case, main, ok, ok_json, refused

SMALL = ("train", "toy", "--task", "modadd", "--p", "7", "--width", "16", "--heads", "2",
         "--neurons", "32", "--device", "cpu", "--seed", "5")


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


@case("a model comes out, and the same one twice")
def twice():
    with TempDir() as folder:
        first, second = os.path.join(folder, "a"), os.path.join(folder, "b")
        facts = ok_json(*SMALL, "--epochs", "40", "-o", first)
        ok(*SMALL, "--epochs", "40", "-o", second)
        assert facts["epoch"] == 40 and 0 <= facts["accuracy"] <= 1, facts
        assert read(first, "model.safetensors") == read(second, "model.safetensors")
        assert sorted(os.listdir(first)) == ["checkpoint.safetensors", "config.json",
                                             "model.safetensors", "vocab.json"]
        assert ok_json("run", first, "--prompt", "3 + 4 =")["ids"] == [3, 4, 7]
        assert "already holds" in refused(*SMALL, "--epochs", "80", "-o", first)


def step_of(folder):
    """The steps done by the run in this folder, as its checkpoint says."""
    data = read(folder, "checkpoint.safetensors")
    length = int.from_bytes(data[:8], "little")
    begin = json.loads(data[8:8 + length])["state"]["data_offsets"][0]
    return struct.unpack_from("<q", data, 8 + length + begin + 8)[0]


@case("stopped by Ctrl-C and resumed: as if in one go")
def resumed():
    with TempDir() as folder:
        whole, parts = os.path.join(folder, "whole"), os.path.join(folder, "parts")
        with subprocess.Popen([CLI, *SMALL, "--epochs", "10000000", "--report-every", "50", "-o",
                               parts], stderr=subprocess.PIPE) as process:
            process.stderr.readline()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=100)
            assert process.returncode == 130, process.returncode
        before = read(parts, "checkpoint.safetensors")
        epochs = str(step_of(parts) + 70)
        ok(*SMALL, "--epochs", epochs, "--resume", "-o", parts)
        ok(*SMALL, "--epochs", epochs, "-o", whole)
        after = read(parts, "checkpoint.safetensors")
        assert before != after and after == read(whole, "checkpoint.safetensors")
        assert read(parts, "model.safetensors") == read(whole, "model.safetensors")


@case("wrong settings")
def wrong():
    with TempDir() as folder:
        for flags in (("--p", "1"), ("--epochs", "0"), ("--task", "chess"), ("--train-share", "2")):
            assert flags[0] in refused(*SMALL, *flags, "-o", folder, status=2)
        assert "heads" in refused(*SMALL, "--heads", "3", "-o", os.path.join(folder, "x"))
        assert "checkpoint" in refused(*SMALL, "--resume", "-o", os.path.join(folder, "none"))
        assert "cannot be made" in refused(*SMALL, "--epochs", "1", "-o", "/proc/none/x")


main()
