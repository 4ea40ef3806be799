"""tracery-cli trace: graphs of the sorting model and of the bundled one, figures, wrong usage."""

import json
import os

from harness import Skip, SOURCE, TempDir, case, main, ok, ok_json, refused, run, shared

MODEL = "data/models/gpt-nano-sort"
PAIR = ["--ids", "2,1,0,1,1,2", "--from-ids", "2,1,1,1,1,2", "--target", "#0", "--foil", "#1"]


def trace(folder, *args, name="t.json"):
    out = os.path.join(folder, name)
    return ok_json("trace", shared(MODEL), *args, "-o", out), out


@case("figures, file and trust of a trace")
def figures():
    with TempDir() as folder:
        facts, out = trace(folder, *PAIR)
        again = ok_json("info", out)
        for member in ("n_nodes", "n_links", "by_kind"):
            assert facts[member] == again[member], (member, facts, again)
        chosen = facts["trust"]["chosen"]
        assert facts["trust"]["estimators"][facts["estimator"]] == chosen
        assert set(facts["trust"]["estimators"]) == {"relp", "grad-act", "eap", "eap-ig"}
        assert chosen["pearson"] >= 0.95, chosen
        assert chosen["pearson_low"] <= chosen["pearson"] <= chosen["pearson_high"]
        assert abs(facts["trust"]["controls"]["shuffled"]["pearson"]) < 0.3
        assert facts["trust"]["linear_check"] < 1e-4
        assert facts["passes"]["sweeps"] == 1 and facts["bytes_read"] > 0
        assert facts["before_pruning"]["n_nodes"] > facts["n_nodes"]
        assert abs(facts["before_pruning"]["replacement"] - 1) < 1e-9  # every node is there
        assert os.listdir(folder) == ["t.json"]


@case("every estimator and both forms of the heads")
def estimators():
    with TempDir() as folder:
        for name in ("relp", "grad-act", "eap", "eap-ig"):
            facts, _ = trace(folder, *PAIR, "--estimator", name, "--sample", "40")
            assert facts["estimator"] == name
            assert list(facts["trust"]["estimators"]) == [name]
        facts, _ = trace(folder, "--ids", "2,1,0", "--heads", "transparent", "--estimator",
                         "grad-act", "--targets", "all", "--no-prune", "--sample", "0")
        assert "head" not in facts["by_kind"] or facts["by_kind"]["head"] == 0
        assert facts["n_nodes"] == facts["before_pruning"]["n_nodes"]
        facts, _ = trace(folder, "--ids", "2,1", "--estimator", "exact", "--sample", "0")
        assert facts["trust"]["linear_check"] is None
        assert facts["passes"]["patched_prompts"] > 1000


@case("fewer targets leave a rest node, and the sum of all stays")
def rest():
    with TempDir() as folder:
        facts, _ = trace(folder, *PAIR, "--targets", "30", "--no-prune", "--estimator", "relp")
        assert facts["by_kind"]["head"] + facts["by_kind"]["neuron"] == 30, facts
        assert facts["by_kind"]["error"] > 0
        assert 0 < facts["replacement"] < 1
        assert facts["trust"]["linear_check"] < 1e-4


@case("without a target the likeliest logits are explained")
def logits():
    with TempDir() as folder:
        _, out = trace(folder, "--ids", "2,1,0,1,1,2", "--logit-mass", "1", "--max-logits", "2",
                       "--sample", "0", "--estimator", "relp")
        with open(out, encoding="utf-8") as file:
            nodes = json.load(file)["nodes"]
        chances = [node["token_prob"] for node in nodes if node["feature_type"] == "logit"]
        assert len(chances) == 2 and chances[0] >= chances[1] > 0, chances


@case("the same call gives the same file")
def same():
    with TempDir() as folder:
        _, one = trace(folder, *PAIR, name="one.json")
        _, two = trace(folder, *PAIR, name="two.json")
        with open(one, "rb") as a, open(two, "rb") as b:
            assert a.read() == b.read()


@case("the bundled example, on the processor and on a software GPU")
def bundled():
    if not os.path.exists(os.path.join(SOURCE, "data", "models", "modadd-113", "config.json")):
        raise Skip("the bundled model is not there")
    env = {"TRACERY_DATA": os.path.join(SOURCE, "data")}
    with TempDir() as folder:
        files = []
        for device in ("cpu", "vulkan:llvmpipe"):
            files.append(os.path.join(folder, device.replace(":", "-") + ".json"))
            done = run("trace", "modadd-113", "--prompt", "37 + 95 =", "--device", device,
                       "--estimator", "relp", "--sample", "0", "--no-prune", "-o", files[-1],
                       env=env | {"TRACERY_VULKAN_VALIDATE": "1"})
            if done.status != 0 and device != "cpu" and "objects" not in done.err:
                raise Skip("no software GPU here")
            assert done.status == 0, str(done)
        graphs = []
        for path in files:
            with open(path, encoding="utf-8") as file:
                graphs.append(json.load(file))
        nodes = [[node["node_id"] for node in graph["nodes"]] for graph in graphs]
        assert nodes[0] == nodes[1]
        links = [{(link["source"], link["target"]): link["weight"] for link in graph["links"]}
                 for graph in graphs]
        largest = {}
        for (_source, target), weight in links[0].items():
            largest[target] = max(largest.get(target, 0), abs(weight))
        for pair in set(links[0]) | set(links[1]):
            gap = abs(links[0].get(pair, 0) - links[1].get(pair, 0))
            assert gap <= 1e-4 * largest.get(pair[1], 0) + 1e-7, (pair, gap)


@case("the file has what the tools that read such files ask for")
def members():
    with TempDir() as folder:
        _, out = trace(folder, *PAIR)
        with open(out, encoding="utf-8") as file:
            graph = json.load(file)
        assert {"metadata", "qParams", "nodes", "links"} <= set(graph)
        assert {"slug", "scan", "prompt_tokens", "prompt"} <= set(graph["metadata"])
        for node in graph["nodes"]:
            assert {"node_id", "feature", "layer", "ctx_idx", "feature_type", "jsNodeId",
                    "clerp"} <= set(node), node
            assert isinstance(node["layer"], str), node
        names = {node["node_id"] for node in graph["nodes"]}
        assert len(names) == len(graph["nodes"])
        for link in graph["links"]:
            assert {link["source"], link["target"]} <= names, link


@case("the bundled model answers 37 + 95 with 19")
def answer():
    if not os.path.exists(os.path.join(SOURCE, "data", "models", "modadd-113", "config.json")):
        raise Skip("the bundled model is not there")
    with TempDir() as folder:
        out = os.path.join(folder, "t.json")
        facts = ok_json("trace", "modadd-113", "--prompt", "37 + 95 =", "-o", out)
        with open(out, encoding="utf-8") as file:
            nodes = json.load(file)["nodes"]
        best = max((node for node in nodes if node["feature_type"] == "logit"),
                   key=lambda node: node["token_prob"])
        assert best["token_prob"] > 0.9 and "19" in best["clerp"], best
        assert facts["by_kind"]["neuron"] > 0 and facts["by_kind"]["head"] > 0, facts


@case("wrong usage gets one sentence")
def usage():
    model = shared(MODEL)
    with TempDir() as folder:
        out = os.path.join(folder, "x.json")
        refused("trace", model, "-o", out, status=2)
        refused("trace", model, "--ids", "1,2", status=2)
        refused("trace", model, "--ids", "1,x", "-o", out, status=2)
        refused("trace", model, "--ids", "1", "--targets", "many", "-o", out, status=2)
        refused("trace", model, "--ids", "1", "--foil", "#1", "-o", out, status=2)
        refused("trace", model, "--ids", "1", "--estimator", "magic", "-o", out, status=2)
        refused("trace", model, "--ids", "1,7", "-o", out)
        refused("trace", model, "--ids", "1,2", "--from-ids", "1", "-o", out)
        refused("trace", model, "--ids", "1", "--target", "#9", "-o", out)
        refused("trace", model, "--ids", "1", "--heads", "transparent", "--estimator", "eap",
                "-o", out)
        refused("trace", os.path.join(folder, "nothing"), "--ids", "1", "-o", out)
        refused("trace", model, "--ids", "1", "-o", os.path.join(folder, "no", "where.json"))
        assert os.listdir(folder) == []


@case("the text says what it did")
def text():
    with TempDir() as folder:
        out = os.path.join(folder, "t.json")
        said = ok("trace", shared(MODEL), *PAIR, "-o", out).out
        for words in ("Estimator", "Pearson", "Controls", "Linear check", "sweeps", out):
            assert words in said, said


@case("a task becomes a component graph that reads back as EAP-IG's")
def task():
    with TempDir() as folder:
        pairs = os.path.join(folder, "pairs.jsonl")
        with open(pairs, "w", encoding="utf-8") as file:
            for clean, corrupted in (([2, 1, 0, 1, 1, 2], [2, 1, 1, 1, 1, 2]),
                                     ([1, 0, 2, 2, 1, 1], [1, 1, 2, 2, 1, 1])):
                file.write(json.dumps({"clean": clean, "corrupted": corrupted,
                                       "answer": 0, "foil": "#1"}) + "\n")
        out = os.path.join(folder, "c.json")
        facts = ok_json("trace", shared(MODEL), "--task", pairs, "-o", out)
        assert facts["pairs"] == 2 and facts["metric_clean"] > 0 > facts["metric_corrupted"]
        assert facts["by_kind"]["head"] == 9 and facts["by_kind"]["mlp"] == 3, facts
        # 3 readers of 3 heads over 1, 5, 9 sources; MLPs over 4, 8, 12; logits over 13
        assert facts["n_links"] == 9 * (1 + 5 + 9) + 4 + 8 + 12 + 13, facts
        assert set(facts["trust"]) == {"pairs", "heads", "mlps", "neurons"}
        assert ok_json("info", out)["n_links"] == facts["n_links"]
        with open(out, encoding="utf-8") as file:
            written = json.load(file)
        assert written["cfg"]["n_layers"] == 3 and "a0.h0->m0" in written["edges"]
        assert "a1.h2->a2.h0<k>" in written["edges"]
        with open(pairs, "a", encoding="utf-8") as file:
            file.write("{}\n")
        assert "line 3" in refused("trace", shared(MODEL), "--task", pairs, "-o", out)
        refused("trace", shared(MODEL), "--task", pairs, "--ids", "1", "-o", out, status=2)


if __name__ == "__main__":
    main()
