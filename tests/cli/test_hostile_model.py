"""Model folders that are cut, wrong, huge or absent: one sentence, status 1."""

import json
import os
import shutil
import struct

from harness import TempDir, case, main, ok, ordinary_user, refused, shared
from hostile import as_bytes, truncations, with_member, write

RUN = ("--ids", "1,0,2")


def copy_model(folder):
    """A fresh copy of the small reference model; returns its path."""
    target = os.path.join(folder, "model")
    source = shared("data/models/gpt-nano-sort")
    os.mkdir(target)
    for name in ("config.json", "model.safetensors", "vocab.json"):
        shutil.copyfile(os.path.join(source, name), os.path.join(target, name))
    return target


def read(path):
    with open(path, "rb") as file:
        return file.read()


def split(data):
    """Header (a dictionary) and payload of a safetensors file."""
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), data[8 + size:]


def join(header, payload):
    text = as_bytes(header)
    return struct.pack("<Q", len(text)) + text + payload


def first_weight(header):
    return next(name for name in header if name != "__metadata__")


def refused_model(model, name, said):
    """Both looking at the model and running it refuse it and name the file."""
    for arguments in (("info", model), ("run", model, *RUN)):
        try:
            sentence = refused(*arguments)
        except AssertionError as problem:
            raise AssertionError(f"{name}: {problem}") from problem
        assert said in sentence, f"{name}: {said} is not named: {sentence}"


@case("the model itself is read and run")
def good():
    with TempDir() as folder:
        model = copy_model(folder)
        ok("info", model, "--json")
        ok("run", model, *RUN, "--json")


@case("weights cut at every fiftieth are refused")
def cut_weights():
    with TempDir() as folder:
        model = copy_model(folder)
        path = os.path.join(model, "model.safetensors")
        for name, data in truncations(read(path)):
            write(model, "model.safetensors", data)
            assert "model.safetensors" in refused("info", model), name


@case("a configuration cut at every fiftieth is refused")
def cut_config():
    with TempDir() as folder:
        model = copy_model(folder)
        for name, data in truncations(read(os.path.join(model, "config.json")).rstrip()):
            write(model, "config.json", data)
            assert "config.json" in refused("info", model), name


@case("a configuration with wrong members is refused")
def wrong_config():
    with TempDir() as folder:
        model = copy_model(folder)
        config = json.loads(read(os.path.join(model, "config.json")))
        for member in ("n_layer", "n_head", "n_embd", "vocab_size"):
            for value in ("six", [6], None, -1, 0, 10 ** 18, 1e300, 0.5, ...):
                write(model, "config.json", as_bytes(with_member(config, (member,), value)))
                refused_model(model, f"{member} = {value}", "config.json")
        for member, value in (("model_type", "llama9"), ("model_type", 3), ("n_head", 7),
                              ("activation_function", "sin")):
            write(model, "config.json", as_bytes(with_member(config, (member,), value)))
            refused_model(model, f"{member} = {value}", "config.json")
        for data in (b"", b"[]", b"null", b"\xff\xfe", b"[" * 100000):
            write(model, "config.json", data)
            refused_model(model, f"{data[:9]}", "config.json")


@case("a configuration that does not fit the weights is refused")
def unfit_config():
    with TempDir() as folder:
        model = copy_model(folder)
        config = json.loads(read(os.path.join(model, "config.json")))
        for member in ("n_layer", "vocab_size"):
            write(model, "config.json",
                  as_bytes(with_member(config, (member,), config[member] + 1)))
            sentence = refused("run", model, *RUN)
            assert "model" in sentence, sentence


@case("weights with a wrong header are refused")
def wrong_header():
    with TempDir() as folder:
        model = copy_model(folder)
        header, payload = split(read(os.path.join(model, "model.safetensors")))
        name = first_weight(header)
        offsets = header[name]["data_offsets"]
        shape = header[name]["shape"]
        for member, value in (
                ("dtype", "F128"), ("dtype", 4), ("dtype", ...),
                ("shape", [2 ** 62, 4]), ("shape", [-1, 4]), ("shape", "4x4"), ("shape", ...),
                ("shape", [dim + 1 for dim in shape]), ("shape", [1] * 40),
                ("data_offsets", [offsets[0], offsets[1] - 1]),
                ("data_offsets", [offsets[1], offsets[0]]),
                ("data_offsets", [2 ** 63, 2 ** 63 + 16]), ("data_offsets", [-4, 12]),
                ("data_offsets", [len(payload), len(payload) + offsets[1] - offsets[0]]),
                ("data_offsets", [0]), ("data_offsets", "all"), ("data_offsets", ...)):
            write(model, "model.safetensors",
                  join(with_member(header, (name, member), value), payload))
            refused_model(model, f"{member} = {value}", "model.safetensors")


@case("weights with a header of a wrong length are refused")
def wrong_length():
    with TempDir() as folder:
        model = copy_model(folder)
        data = read(os.path.join(model, "model.safetensors"))
        for size in (0, 1, len(data), 2 ** 32, 2 ** 63, 2 ** 64 - 1):
            write(model, "model.safetensors", struct.pack("<Q", size) + data[8:])
            refused_model(model, f"length {size}", "model.safetensors")
        for junk in (b"", b"\x00" * 7, bytes(64), b"PK\x03\x04" + bytes(200)):
            write(model, "model.safetensors", junk)
            refused_model(model, f"{junk[:8]}", "model.safetensors")


@case("a weight that is absent is refused by name")
def absent_weight():
    with TempDir() as folder:
        model = copy_model(folder)
        header, payload = split(read(os.path.join(model, "model.safetensors")))
        name = first_weight(header)
        write(model, "model.safetensors", join(with_member(header, (name,), ...), payload))
        sentence = refused("run", model, *RUN)
        assert name in sentence or "model.safetensors" in sentence, sentence


@case("weights that are NaN are an error of the run, not a silent answer")
def nan_weights():
    with TempDir() as folder:
        model = copy_model(folder)
        header, payload = split(read(os.path.join(model, "model.safetensors")))
        nan = struct.pack("<f", float("nan")) * (len(payload) // 4)
        write(model, "model.safetensors", join(header, nan))
        sentence = refused("run", model, *RUN)
        assert "NaN" in sentence or "finite" in sentence, sentence


@case("a model that is a file, absent, or an empty folder is refused")
def places():
    with TempDir() as folder:
        write(folder, "file", b"x")
        os.mkdir(os.path.join(folder, "empty"))
        for name in ("file", "empty", "absent"):
            refused("run", os.path.join(folder, name), *RUN)
        assert "no-such-model" in refused("run", "no-such-model", *RUN)


@case("weights without permission are refused")
def no_permission():
    with TempDir() as folder:
        model = copy_model(folder)
        os.chmod(model, 0o755)
        os.chmod(os.path.join(model, "model.safetensors"), 0)
        assert "model.safetensors" in refused("info", model, user=ordinary_user(folder))


@case("ids and nodes that name nothing are refused")
def names():
    with TempDir() as folder:
        model = copy_model(folder)
        for ids in ("-1", "1,,2", "one", "1;2", "99999999999999999999", ","):
            refused("run", model, "--ids", ids, status=2)
        for ids in ("", "9999", ",".join(["1"] * 40)):
            refused("run", model, "--ids", ids)
        for node in ("attn", "", "L0.H0@", "L0.H0@x", "L0", "L-1.H0", "L0.H0.x"):
            refused("run", model, *RUN, "--ablate", node, status=2)
        for node in ("L99.H0", "L0.H99", "L0.n99999999", "L0.H0@99", "L0.H0@-99"):
            refused("run", model, *RUN, "--ablate", node)
        for change in ("L0.H0=nan", "L0.H0=inf", "L0.H0", "=1", "L0.H0=one"):
            refused("run", model, *RUN, "--steer", change, status=2)
        refused("run", model, *RUN, "--target", "#9999")


main()
