"""circuit-tracer's .pt graphs: files pickled by Python itself are read, and what is written is
unpickled by Python. torch is not needed: its classes are stood in for by name."""

import collections
import io
import os
import pickle
import struct
import sys
import types
import zipfile

from harness import TempDir, case, main, ok, ok_json, refused, shared


def module(name):
    made = types.ModuleType(name)
    sys.modules[name] = made
    return made


torch = module("torch")
torch_utils = module("torch._utils")
mapping = module("circuit_tracer.utils.tl_nnsight_mapping")
targets = module("circuit_tracer.attribution.targets")
lens = module("transformer_lens.HookedTransformerConfig")
for package in ("circuit_tracer", "circuit_tracer.utils", "circuit_tracer.attribution",
                "transformer_lens"):
    module(package)
FORMATS = {"FloatStorage": "f", "DoubleStorage": "d", "LongStorage": "q", "IntStorage": "i",
           "HalfStorage": "e"}


def place(home, made):
    made.__module__ = home.__name__
    made.__qualname__ = made.__name__
    setattr(home, made.__name__, made)
    return made


for storage in FORMATS:
    place(torch, type(storage, (), {}))


class Storage:
    def __init__(self, kind, key, numbers):
        self.kind, self.key, self.numbers = kind, key, numbers


def _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks):
    return Tensor(storage, size, stride, offset)


place(torch_utils, _rebuild_tensor_v2)


class Tensor:
    def __init__(self, storage, size, stride, offset=0):
        self.storage, self.size, self.stride, self.offset = storage, size, stride, offset

    def __reduce__(self):
        return (_rebuild_tensor_v2, (self.storage, self.offset, self.size, self.stride, False,
                                     collections.OrderedDict()))


class HookedTransformerConfig:
    def __init__(self, n_layers):
        self.n_layers, self.act_fn, self.device = n_layers, "gelu", None


class UnifiedConfig:
    pass


place(lens, HookedTransformerConfig)
place(mapping, UnifiedConfig)
LogitTarget = place(targets, collections.namedtuple("LogitTarget", "token_str vocab_idx"))


class Writer:
    """As torch.save(): the structure in data.pkl, each storage in a member of its own."""

    def __init__(self):
        self.storages = []

    def tensor(self, rows, kind="FloatStorage"):
        deep = bool(rows) and isinstance(rows[0], (list, tuple))
        numbers = [x for row in rows for x in row] if deep else list(rows)
        storage = Storage(kind, str(len(self.storages)), numbers)
        self.storages.append(storage)
        size = (len(rows), len(rows[0])) if deep else (len(rows),)
        return Tensor(storage, size, (size[1], 1) if deep else (1,))

    def save(self, document, path, protocol=2):
        text = io.BytesIO()
        pickler = pickle.Pickler(text, protocol=protocol)
        pickler.persistent_id = lambda value: (
            ("storage", getattr(torch, value.kind), value.key, "cpu", len(value.numbers))
            if isinstance(value, Storage) else None)
        pickler.dump(document)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
            out.writestr("saved/data.pkl", text.getvalue())
            out.writestr("saved/byteorder", "little")
            for s in self.storages:
                out.writestr(f"saved/data/{s.key}",
                             struct.pack(f"<{len(s.numbers)}{FORMATS[s.kind]}", *s.numbers))
            out.writestr("saved/version", "3\n")


class Reader(pickle.Unpickler):
    def __init__(self, path):
        self.zip = zipfile.ZipFile(path)
        assert self.zip.testzip() is None
        self.home = self.zip.namelist()[0].split("/")[0]
        super().__init__(io.BytesIO(self.zip.read(f"{self.home}/data.pkl")))

    def persistent_load(self, name):
        _word, kind, key, _device, length = name
        code = FORMATS[kind.__name__]
        return struct.unpack(f"<{length}{code}", self.zip.read(f"{self.home}/data/{key}"))


LAYERS, TOKENS = 2, 2
FEATURES = [(0, 1, 163839), (1, 1, 7)]
SIZE = len(FEATURES) + LAYERS * TOKENS + TOKENS + 2


def small(writer, **changes):
    """Two features at token 1; rows are targets."""
    matrix = [[0.0] * SIZE for _ in range(SIZE)]
    matrix[0][7] = 1.5  # token 1 -> feature 0
    matrix[1][0] = -0.5
    matrix[1][3] = 0.25  # error of layer 0 at token 1
    matrix[8][1] = 2.0
    matrix[9][6] = 0.125
    active = [(0, 0, 3), FEATURES[0], FEATURES[1]]
    document = {
        "input_string": "a b", "adjacency_matrix": writer.tensor(matrix),
        "cfg": HookedTransformerConfig(LAYERS),
        "active_features": writer.tensor(active, "LongStorage"),
        "logit_targets": [LogitTarget(" c", 7), LogitTarget("d", 9)],
        "logit_probabilities": writer.tensor([0.75, 0.125]),
        "vocab_size": 100, "input_tokens": writer.tensor([1, 5], "LongStorage"),
        "selected_features": writer.tensor([1, 2], "LongStorage"),
        "activation_values": writer.tensor([9.0, 2.5, 3.5]), "scan_name": "made/up",
    }
    document.update(changes)
    return {key: value for key, value in document.items() if value is not ...}


def info_of(folder, changes=None, protocol=2):
    writer = Writer()
    changes = changes(writer) if changes else {}
    path = os.path.join(folder, "g.pt")
    writer.save(small(writer, **changes), path, protocol)
    return path


def check(facts):
    assert (facts["n_nodes"], facts["n_links"]) == (SIZE, 5), facts
    assert facts["by_kind"]["feature"] == 2 and facts["by_kind"]["error"] == 4, facts
    assert abs(facts["logit_probability"] - 0.875) < 1e-6, facts


@case("a file of Python's own pickler, protocols 2 to 5")
def protocols():
    for protocol in (2, 3, 4, 5):
        with TempDir() as folder:
            path = info_of(folder, protocol=protocol)
            facts = ok_json("info", path)
            check(facts)
            assert (facts["prompt"], facts["scan"], facts["slug"]) == ("a b", "made/up", "g")


@case("what is in it stands in the graph: ids, numbers, labels")
def contents():
    with TempDir() as folder:
        path = info_of(folder)
        out = os.path.join(folder, "g.json")
        ok("export", path, "-o", out)
        import json
        with open(out, encoding="utf-8") as file:
            graph = json.load(file)
        nodes = {node["node_id"]: node for node in graph["nodes"]}
        assert nodes["0_163839_1"]["activation"] == 2.5, nodes
        assert nodes["3_7_1"]["clerp"] == 'Output " c" (p=0.750)', nodes
        assert nodes["3_7_1"]["is_target_logit"] is True and nodes["E_5_1"], nodes
        links = {(link["source"], link["target"]): link["weight"] for link in graph["links"]}
        assert links[("E_5_1", "0_163839_1")] == 1.5 and links[("0_-1_1", "1_7_1")] == 0.25
        assert graph["metadata"]["schema_version"] == 1


@case("older files: ids of logits as a tensor, no selection, another configuration")
def older():
    with TempDir() as folder:
        path = info_of(folder, lambda w: {
            "logit_targets": ..., "logit_tokens": w.tensor([7, 9], "LongStorage"),
            "selected_features": ..., "active_features": w.tensor(FEATURES, "LongStorage"),
            "activation_values": w.tensor([2.5, 3.5]), "cfg": {"num_hidden_layers": LAYERS},
            "scan_name": ["x", "y"]})
        facts = ok_json("info", path)
        check(facts)
        assert facts["scan"] == "x", facts


@case("half precision, and a list of ids")
def half():
    with TempDir() as folder:
        path = info_of(folder, lambda w: {
            "logit_probabilities": w.tensor([0.75, 0.125], "HalfStorage"),
            "input_tokens": [1, 5]})
        check(ok_json("info", path))


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@case("nothing in a pickle is run")
def inert():
    with TempDir() as folder:
        trap = os.path.join(folder, "trap")
        path = info_of(folder, lambda _w: {"cfg": Evil(trap)})
        check(ok_json("info", path))
        assert not os.path.exists(trap)


@case("wrong files: one sentence each")
def wrong():
    changes = {
        "input_string": lambda w: {"adjacency_matrix": ...},
        "square": lambda w: {"adjacency_matrix": w.tensor([[1.0, 2.0]])},
        "size": lambda w: {"input_tokens": w.tensor([1, 5, 6], "LongStorage")},
        "layers": lambda w: {"cfg": HookedTransformerConfig(3)},
        "columns": lambda w: {"active_features": w.tensor([[1, 2]], "LongStorage")},
        "range": lambda w: {"active_features": w.tensor([(0, 0, 3), (0, 9, 1), (1, 1, 1)],
                                                        "LongStorage")},
        "there": lambda w: {"selected_features": w.tensor([1, 3], "LongStorage")},
        "entry": lambda w: {"logit_probabilities": w.tensor([0.5])},
        "token": lambda w: {"logit_targets": [None, None]},
        "finite": lambda w: {"adjacency_matrix": w.tensor([[float("nan")] * SIZE] * SIZE)},
    }
    for name, change in changes.items():
        with TempDir() as folder:
            refused("info", info_of(folder, change), status=1), name


@case("cut anywhere: one sentence")
def cut():
    with TempDir() as folder:
        with open(info_of(folder), "rb") as file:
            data = file.read()
        path = os.path.join(folder, "cut.pt")
        for part in range(1, 25):
            with open(path, "wb") as file:
                file.write(data[:len(data) * part // 25])
            refused("info", path, status=1)


@case("what is written is what Python's unpickler and the reader find")
def written():
    with TempDir() as folder:
        out = os.path.join(folder, "bee.pt")
        ok("export", shared("graphs/gemma2-clt-bee.json"), "-o", out)
        saved = Reader(out).load()
        assert type(saved["cfg"]).__name__ == "UnifiedConfig" and saved["cfg"].n_layers == 26
        assert saved["logit_targets"][0] == LogitTarget(" insect", 35312), saved
        matrix = saved["adjacency_matrix"]
        assert matrix.size == (408, 408) and matrix.stride == (408, 1)
        assert sum(x != 0 for x in matrix.storage) == 2929
        assert saved["active_features"].size == (209, 3)
        assert saved["input_tokens"].storage[0] == 2
        before, after = ok_json("info", shared("graphs/gemma2-clt-bee.json")), ok_json("info", out)
        for score in ("replacement", "completeness"):
            assert abs(before[score] - after[score]) < 1e-6, (before, after)


@case("what a .pt has no room for is not written")
def no_room():
    with TempDir() as folder:
        out = os.path.join(folder, "x.pt")
        assert "head" in refused("export", shared("graphs/gpt2-eapig-ioi.json"), "-o", out,
                                 status=1)
        assert os.listdir(folder) == []


main()
