"""tracery-cli coarsen: levels that refine each other, figures in range, wrong usage."""

from harness import case, main, ok, ok_json, refused, shared

RULES = ("directed", "role", "architecture", "paper")


@case("every rule cuts a real graph down to single nodes")
def every_rule():
    path = shared("graphs/haiku-clt-dallas-annotated.json")
    for rule in RULES:
        facts = ok_json("coarsen", path, "--rule", rule)
        sizes = [level["n_blocks"] for level in facts["levels"]]
        assert facts["rule"] == rule
        assert sizes[0] == 1 and sizes[-1] == 94, sizes
        assert sizes == sorted(sizes), sizes
        assert facts["levels"][-1]["defect"] < 1e-6, facts["levels"][-1]
        assert all(0 <= level["defect"] <= 1.5 for level in facts["levels"][1:])
        assert abs(sum(block["influence"] for block in facts["blocks"]) - 1) < 1e-6
        assert sum(block["n_nodes"] for block in facts["blocks"]) == 94
        assert all(block["label"] for block in facts["blocks"])


@case("the same command gives the same blocks")
def deterministic():
    path = shared("graphs/gemma2-clt-bee.json")
    assert ok_json("coarsen", path) == ok_json("coarsen", path)
    assert "defect" in str(ok("coarsen", path))


@case("rules and branchings that are none are wrong usage")
def wrong():
    assert "--rule" in refused("coarsen", "x.json", "--rule", "magic", status=2)
    assert "--branching" in refused("coarsen", "x.json", "--branching", "1", status=2)
    assert "x.json" in refused("coarsen", "x.json")


main()
