"""tracery-cli prune, against the published figures of the reference graphs."""

import os

from harness import TempDir, case, main, ok_json, refused, shared
from hostile import SMALL_GRAPH, as_bytes, write

# nodes and links kept at 0.8 / 0.98, and at 0.6 / 0.9
KEPT = {
    "haiku-clt-dallas-annotated": ((53, 509), (31, 68)),
    "gemma2-plt-small-big-annotated": ((210, 6216), (80, 745)),
    "gemma2-plt-ngsa": ((120, 1592), (50, 145)),
    "gemma2-plt-dallas-raw-influence": ((62, 482), (30, 88)),
    "gemma2-clt-bee": ((77, 969), (34, 150)),
    "gemma2-clt-meow-tiny": ((43, 206), (29, 72)),
    "llama32-clt-dallas": ((108, 2130), (46, 282)),
    "llama32-clt-puppy-dense": ((185, 5407), (78, 699)),
}
TIE = 2  # other precision may move a count by one or two


def near(facts, wanted):
    return abs(facts["n_nodes"] - wanted[0]) <= TIE and abs(facts["n_links"] - wanted[1]) <= TIE


@case("what is kept agrees with the published counts")
def kept():
    for name, (usual, strict) in KEPT.items():
        path = shared(f"graphs/{name}.json")
        assert near(ok_json("prune", path), usual), name
        facts = ok_json("prune", path, "--node-share", "0.6", "--edge-share", "0.9")
        assert near(facts, strict), (name, facts)


@case("the file written holds what the figures say")
def written():
    with TempDir() as folder:
        out = os.path.join(folder, "out.json")
        facts = ok_json("prune", shared("graphs/gemma2-clt-bee.json"), "-o", out)
        again = ok_json("info", out)
        for member in ("n_nodes", "n_links", "by_kind"):
            assert facts[member] == again[member], (member, facts, again)
        for member in ("replacement", "completeness"):
            assert abs(facts[member] - again[member]) < 1e-6, (member, facts, again)
        assert os.listdir(folder) == ["out.json"], os.listdir(folder)


@case("shares of everything keep everything")
def everything():
    with TempDir() as folder:
        path = write(folder, "small.json", as_bytes(SMALL_GRAPH))
        facts = ok_json("prune", path, "--node-share", "1", "--edge-share", "1")
        assert (facts["n_nodes"], facts["n_links"]) == (3, 3), facts


@case("shares that are none are wrong usage")
def wrong_shares():
    for share in ("1.5", "-0.1", "nan", "most"):
        assert "--node-share" in refused("prune", "x.json", "--node-share", share, status=2)


main()
