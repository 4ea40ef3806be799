"""A small graph file with two supernodes, written by the tests themselves."""

import json

TOKENS = ["The", " capital", " of", " Texas", " is"]


def small_graph():
    nodes, links = [], []

    def node(node_id, layer, position, kind, label, activation=None, **more):
        nodes.append(dict({
            "node_id": node_id, "jsNodeId": node_id + "-0", "layer": layer, "ctx_idx": position,
            "feature": len(nodes), "feature_type": kind, "clerp": label,
            "activation": activation, "influence": 0.1, "token_prob": 0.0,
            "is_target_logit": False, "run_idx": 0, "reverse_ctx_idx": 0,
        }, **more))
        return node_id

    tokens = [node(f"E_{i}_{i}", "E", i, "embedding", text) for i, text in enumerate(TOKENS)]
    capital = [node(f"{layer}_1{layer}_4", str(layer), 4, "cross layer transcoder",
                    f"say a capital {layer}", 3.0 + layer) for layer in (1, 2)]
    texas = [node(f"{layer}_2{layer}_3", str(layer), 3, "cross layer transcoder",
                  f"Texas {layer}", 5.0 + layer) for layer in (0, 1)]
    rest = node("1_9_4", "1", 4, "mlp reconstruction error", "")
    austin = node("3_50_4", "3", 4, "logit", 'Output " Austin" (p=0.9)', token_prob=0.9,
                  is_target_logit=True)
    dallas = node("3_51_4", "3", 4, "logit", 'Output " Dallas" (p=0.05)', token_prob=0.05)
    for source, target, weight in [
        (tokens[3], texas[0], 4.0), (texas[0], texas[1], 3.0), (tokens[1], capital[0], 2.0),
        (capital[0], capital[1], 2.5), (texas[1], austin, 6.0), (capital[1], austin, 3.0),
        (rest, austin, 0.4), (tokens[3], dallas, 1.0), (capital[1], dallas, -0.7),
        (tokens[0], capital[0], 0.1), (tokens[2], texas[0], 0.2), (tokens[4], rest, 0.3),
    ]:
        links.append({"source": source, "target": target, "weight": weight})
    return {
        "metadata": {"slug": "small", "scan": "tiny-model", "prompt": "The capital of Texas is",
                     "prompt_tokens": TOKENS, "schema_version": 1},
        "qParams": {"linkType": "both", "pinnedIds": texas + capital,
                    "supernodes": [["Texas"] + texas, ["say a capital"] + capital]},
        "nodes": nodes, "links": links,
    }


def write_small_graph(path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(small_graph(), file)
