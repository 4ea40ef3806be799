"""Ways to spoil a file, shared by the tests of hostile input."""

import copy
import json
import os

SMALL_GRAPH = {
    "metadata": {"slug": "small", "scan": "probe", "prompt_tokens": ["a", "b"], "prompt": "ab",
                 "node_threshold": 0.8, "schema_version": 1},
    "qParams": {"pinnedIds": ["0_5_1"], "supernodes": [["pair", "0_5_1", "E_1_0"]]},
    "nodes": [
        {"node_id": "E_1_0", "feature": 1, "layer": "E", "ctx_idx": 0,
         "feature_type": "embedding", "token_prob": 0.0, "is_target_logit": False,
         "run_idx": 0, "reverse_ctx_idx": 0, "jsNodeId": "E_1-0", "clerp": "Emb: a"},
        {"node_id": "0_5_1", "feature": 5, "layer": "0", "ctx_idx": 1,
         "feature_type": "cross layer transcoder", "token_prob": 0.0,
         "is_target_logit": False, "run_idx": 0, "reverse_ctx_idx": 0, "jsNodeId": "0_5-1",
         "clerp": "", "influence": 0.5, "activation": 2.5},
        {"node_id": "27_7_1", "feature": 7, "layer": "27", "ctx_idx": 1,
         "feature_type": "logit", "token_prob": 0.75, "is_target_logit": True, "run_idx": 0,
         "reverse_ctx_idx": 0, "jsNodeId": "L_7-1", "clerp": "Output \"c\" (p=0.75)"},
    ],
    "links": [{"source": "E_1_0", "target": "0_5_1", "weight": 1.5},
              {"source": "0_5_1", "target": "27_7_1", "weight": -0.5},
              {"source": "E_1_0", "target": "27_7_1", "weight": 0.25}],
}

PARTS = 50


def truncations(data):
    """(name, bytes) of a file cut at every fiftieth of its length."""
    for part in range(1, PARTS):
        yield f"cut at {part}/{PARTS}", data[:len(data) * part // PARTS]


def with_member(document, path, value):
    """A copy of a JSON document with the member at @path replaced; value ... removes it."""
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


def as_bytes(document):
    return json.dumps(document).encode()


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def listing(folder):
    """Everything below a folder with its size, to see that nothing was left behind."""
    found = {}
    for place, _folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder)] = os.path.getsize(path)
    return found
