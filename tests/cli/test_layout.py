"""tracery-cli layout: where the boxes of a graph stand."""

import json
import os

from harness import TempDir, case, main, ok, ok_json, shared

TINY = "graphs/gemma2-clt-meow-tiny.json"


def nodes(places):
    return [box for box in places["boxes"] if box["kind"] == "node"]


@case("every shown node has a place of its own inside the bounds")
def places():
    facts = ok_json("layout", shared(TINY), "--groups", "flat")
    bounds, boxes = facts["bounds"], nodes(facts)
    assert len(boxes) == 43, len(boxes)
    assert len({(box["x"], box["y"]) for box in boxes}) == len(boxes)
    for box in boxes:
        assert bounds["x"] <= box["x"] <= bounds["x"] + bounds["w"], box
        assert bounds["y"] <= box["y"] <= bounds["y"] + bounds["h"], box


@case("later layers stand higher")
def layers():
    with open(shared(TINY), encoding="utf-8") as file:
        layer = {node["node_id"]: int(node["layer"]) for node in json.load(file)["nodes"]
                 if node["feature_type"] == "cross layer transcoder"}
    rows = {}
    for box in nodes(ok_json("layout", shared(TINY), "--groups", "flat")):
        if box["id"] in layer:
            rows.setdefault(layer[box["id"]], []).append(box["y"])
    heights = [sum(ys) / len(ys) for _layer, ys in sorted(rows.items())]
    assert len(heights) > 3 and heights == sorted(heights, reverse=True), heights


@case("both layouts place the same nodes")
def same_nodes():
    own, dot = (ok_json("layout", shared(TINY), "--layout", kind) for kind in ("own", "dot"))
    assert dot["fell_back"] is False
    assert {box["id"] for box in nodes(own)} == {box["id"] for box in nodes(dot)}
    assert own["boxes"] != dot["boxes"]


@case("too large a graph for dot falls back and says so")
def fall_back():
    result = ok("layout", shared("graphs/llama32-clt-puppy-dense.json"), "--layout", "dot",
                "--node-share", "1", "--edge-share", "1", "--json")
    assert result.json()["fell_back"] is True


@case("the file written holds what is printed")
def written():
    with TempDir() as folder:
        out = os.path.join(folder, "out.json")
        ok("layout", shared(TINY), "-o", out)
        with open(out, encoding="utf-8") as file:
            assert json.load(file) == ok_json("layout", shared(TINY))


main()
