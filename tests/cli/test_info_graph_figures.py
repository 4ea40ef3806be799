"""tracery-cli info on models and graph files; graphs against the published figures of the reference graphs."""

from harness import TempDir, case, main, ok, ok_json, refused, shared
from hostile import SMALL_GRAPH, as_bytes, write

# nodes, links, features, errors, tokens, logits, replacement, completeness, sum of probabilities
GRAPHS = {
    "haiku-clt-dallas-annotated": (94, 2205, 71, 11, 11, 1, 0.6947, 0.9342, 0.9842),
    "gemma2-plt-small-big-annotated": (694, 23559, 563, 112, 9, 10, 0.6025, 0.8754, 0.9317),
    "gemma2-plt-dollar-duplicate-id": (829, 40249, 705, 107, 7, 10, None, None, None),
    "gemma2-plt-ngsa": (600, 12548, 494, 89, 10, 7, 0.4922, 0.8279, 0.9525),
    "gemma2-plt-dallas-raw-influence": (352, 4564, 260, 73, 9, 10, 0.7195, 0.8979, 0.7350),
    "gemma2-clt-bee": (266, 2929, 209, 40, 7, 10, 0.7850, 0.9341, 0.8425),
    "gemma2-clt-meow-tiny": (76, 374, 44, 11, 11, 10, 0.7992, 0.9270, 0.6991),
    "llama32-clt-dallas": (258, 9603, 188, 52, 8, 10, 0.6339, 0.8823, 0.5619),
    "llama32-clt-puppy-dense": (472, 28310, 361, 88, 13, 10, 0.5649, 0.8590, 0.6840),
    "llama32-clt-subset-zero-weights": (16, 256, 16, 0, 0, 0, None, None, None),
}
KINDS = ("feature", "error", "embedding", "logit")


def check_graph(name):
    facts = ok_json("info", shared(f"graphs/{name}.json"))
    nodes, links, *rest = GRAPHS[name]
    assert (facts["n_nodes"], facts["n_links"]) == (nodes, links), facts
    assert [facts["by_kind"][kind] for kind in KINDS] == rest[:4], facts
    for member, wanted in zip(("replacement", "completeness", "logit_probability"), rest[4:]):
        if wanted is not None:
            assert abs(facts[member] - wanted) < 1e-4, (member, facts)


for graph in GRAPHS:
    case(f"{graph}: counts and scores")(lambda name=graph: check_graph(name))


@case("the EAP-IG dialect: components and links")
def eap_ig():
    facts = ok_json("info", shared("graphs/gpt2-eapig-ioi.json"))
    assert (facts["n_nodes"], facts["n_links"]) == (158, 32491), facts
    assert facts["by_kind"]["head"] == 144 and facts["by_kind"]["mlp"] == 12, facts


@case("a duplicate id is survived and told of")
def duplicate():
    facts = ok_json("info", shared("graphs/gemma2-plt-dollar-duplicate-id.json"))
    assert any("0_2_1" in warning for warning in facts["warnings"]), facts


@case("a graph without a logit has no scores, which is null and not a number")
def no_logit():
    facts = ok_json("info", shared("graphs/llama32-clt-subset-zero-weights.json"))
    assert facts["replacement"] is None and facts["completeness"] is None, facts


@case("the text says the same as the JSON")
def text():
    with TempDir() as folder:
        path = write(folder, "small.json", as_bytes(SMALL_GRAPH))
        shown = ok("info", path).out
        assert "3: embedding 1" in shown and "links" in shown, shown


@case("a bundled model: its shape, and that it is listed")
def model():
    facts = ok_json("info", "modadd-113")
    assert (facts["what"], facts["n_parameters"], facts["d_mlp"]) == ("model", 226816, 512), facts
    assert "226816" in ok("info", "modadd-113").out
    assert "modadd-113" in ok_json("info", "--bundled")


@case("a folder that is no model, a name that names nothing: one sentence each")
def no_model():
    with TempDir() as folder:
        assert folder in refused("info", folder, status=1)
    assert "nobody" in refused("info", "nobody", status=1)


@case("the file is asked for")
def missing():
    assert "--bundled" in refused("info", status=2)


main()
