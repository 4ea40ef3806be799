"""tracery-cli run: predictions, figures after interventions, and what is refused."""

import json
import os

from harness import TempDir, case, main, ok, ok_json, refused, shared

SUM = ("run", "modadd-113", "--device", "cpu", "--prompt", "37 + 95 =")


def close(got, wanted, share=1e-3):
    return abs(got - wanted) <= share * max(1.0, abs(wanted))


@case("the bundled model adds")
def adds():
    facts = ok_json(*SUM, "--target", "19", "--foil", "20")
    assert facts["ids"] == [37, 95, 113], facts
    assert facts["tokens"] == ["37", "95", "="], facts
    assert len(facts["top"]) == 10 and facts["top"][0][:2] == [19, "19"], facts
    assert facts["top"][0][3] > 0.99, facts
    assert facts["metric"] > 1 and "logits" not in facts, facts
    by_id = ok_json("run", "modadd-113", "--device", "cpu", "--ids", "37,95,113", "--target", "#19",
                    "--foil", "#20")
    assert by_id["top"] == facts["top"] and by_id["metric"] == facts["metric"], by_id


@case("all logits of the last position")
def all_logits():
    facts = ok_json(*SUM, "--all-logits", "--top", "3", "--target", "5")
    assert len(facts["logits"]) == 114 and len(facts["top"]) == 3, facts
    assert facts["logits"][19] == facts["top"][0][2] == max(facts["logits"]), facts
    assert facts["metric"] == facts["logits"][5], facts


@case("text output names the tokens")
def text():
    out = ok(*SUM, "--top", "1", "--target", "19").out
    assert "37 | 95 | =" in out and "Metric: " in out, out


@case("writing on")
def writing_on():
    facts = ok_json(*SUM, "--generate", "5")
    assert facts["ids"] == [37, 95, 113] and facts["generated"] == [19], facts
    assert "19" in facts["text"] and facts["stopped"] == "full", facts
    changed = ok_json(*SUM, "--generate", "1", "--ablate", "L0.mlp")
    assert changed["generated"] != [19] and changed["stopped"] == "count", changed
    assert ok(*SUM, "--generate", "1").out.strip() == "19"
    drawn = [ok_json(*SUM, "--generate", "1", "--temperature", "50", "--seed", "7") for _ in "12"]
    assert drawn[0] == drawn[1], drawn
    refused("run", "modadd-113", "--ids", "1,2", "--seed", "3", status=2)


@case("interventions change what they say")
def interventions():
    logits = {}
    for flags in ((), ("--steer", "L0.mlp=1"), ("--steer", "L0.mlp=0"), ("--ablate", "L0.mlp"),
                  ("--ablate", "L0.mlp=zero"), ("--set", "L0.mlp=0"), ("--ablate", "L0.mlp@0-1"),
                  ("--ablate", "L0.mlp@-1"), ("--ablate", "L0.mlp=mean"),
                  ("--patch", "L0.mlp", "--from", "1 + 2 ="),
                  ("--patch", "final", "--from-ids", "1,2,113")):
        logits[flags] = ok_json(*SUM, "--all-logits", *flags)["logits"]
    plain, zero = logits[()], logits["--ablate", "L0.mlp"]
    assert plain == logits["--steer", "L0.mlp=1"] == logits["--ablate", "L0.mlp@0-1"]
    assert zero == logits["--steer", "L0.mlp=0"] == logits["--set", "L0.mlp=0"]
    assert zero == logits["--ablate", "L0.mlp@-1"] == logits["--ablate", "L0.mlp=zero"]
    assert len({tuple(x) for x in logits.values()}) == 5, "five different outcomes"
    patched = logits["--patch", "final", "--from-ids", "1,2,113"]
    assert max(range(114), key=patched.__getitem__) == 3, "1 + 2"


@case("a trained Llama agrees with its float64 reference")
def reference():
    model = shared("data/models/tinystories-656k")
    with open(shared("data/reference/tinystories_656k_reference.json"), encoding="utf-8") as file:
        entries = json.load(file)
    for entry in entries["prompts"]:
        args = ("run", model, "--device", "cpu", "--prompt", entry["prompt"], "--target",
                f"#{entry['target']}", "--foil", f"#{entry['foil']}")
        facts = ok_json(*args)
        assert facts["ids"] == entry["ids"], (facts, entry)
        for got, wanted in zip(facts["top"], entry["last_logits_top10"]):
            assert got[0] == wanted[0] and close(got[2], wanted[1], 1e-4), (got, wanted)
        assert close(facts["metric"], entry["metric_logit_diff"]), facts
    for node, wanted in entry["zero_ablation_logit_diff"].items():
        name = f"{node[:2]}.{node[2:].lower() if node.endswith('MLP') else node[2:]}"
        facts = ok_json(*args, "--ablate", name)
        assert close(facts["metric"], wanted), (node, facts["metric"], wanted)


@case("patching pairs agree with the reference")
def patching():
    model = shared("data/models/tinystories-656k")
    with open(shared("data/reference/tinystories_656k_reference.json"), encoding="utf-8") as file:
        pair = json.load(file)["patching"][0]
    args = ("run", model, "--device", "cpu", "--prompt", pair["corrupted"], "--from", pair["clean"],
            "--target", f"#{pair['target']}", "--foil", f"#{pair['foil']}")
    nodes = [(f"{k[:2]}.{k[2:]}", v) for k, v in list(pair["denoise_head_z"].items())[::5]]
    nodes += [(f"{k}.mlp", v) for k, v in pair["denoise_mlp"].items()]
    nodes += [(f"{k[:2]}.resid_post@{k[3:]}", v)
              for k, v in list(pair["denoise_resid_by_position"].items())[2::3]]
    for node, wanted in nodes:
        metric = ok_json(*args, "--patch", node)["metric"]
        assert close(metric, wanted), (node, metric, wanted)


@case("setting the logits sets the metric")
def set_logits():
    facts = ok_json(*SUM, "--target", "19", "--foil", "20", "--set", "logits@-1=2.5")
    assert abs(facts["metric"]) < 1e-6, facts


@case("the processor and every other device agree")
def devices():
    specs = [device["spec"] for device in ok_json("devices")["devices"]]
    metrics = [ok_json("run", "modadd-113", "--prompt", "37 + 95 =", "--target", "19", "--foil",
                       "20", "--device", spec)["metric"] for spec in specs]
    for metric in metrics:
        assert close(metric, metrics[0], 1e-4), dict(zip(specs, metrics))


@case("a file that lost some of its biases is run with a note")
def lost_biases():
    result = ok("run", shared("data/models/gpt-nano-sort"), "--device", "cpu", "--ids", "2,1,0")
    assert "lost them" in result.err, result
    assert "Note" not in ok(*SUM).err


@case("wrong usage is told apart")
def usage():
    base = ("run", "modadd-113", "--device", "cpu")
    for flags, says in (((), "--prompt"), (("--prompt", "1 + 2 =", "--ids", "1"), "--ids"),
                        (("--ids", "1,x"), "1,x"), (("--ids", "1", "--foil", "2"), "--target"),
                        (("--prompt", "1 + 2 =", "--ablate", "L0"), "L0"),
                        (("--prompt", "1 + 2 =", "--ablate", "L0.mlp=one"), "zero"),
                        (("--prompt", "1 + 2 =", "--steer", "L0.mlp"), "NUMBER"),
                        (("--prompt", "1 + 2 =", "--set", "L0.mlp=nan"), "NUMBER"),
                        (("--prompt", "1 + 2 =", "--patch", "L0.mlp=3"), "alone"),
                        (("--prompt", "1 + 2 =", "--patch", "L0.mlp"), "--from"),
                        (("--prompt", "1 + 2 =", "--top", "0"), "--top")):
        assert says in refused(*base, *flags, status=2), flags


@case("what cannot be done is a sentence")
def sentences():
    base = ("run", "modadd-113", "--device", "cpu")
    for flags, says in ((("--prompt", "1 + 200 ="), "200"), (("--ids", "114"), "114"),
                        (("--ids", "1,2,3,4"), "at most 3"), (("--prompt", ""), "no tokens"),
                        (("--prompt", "1 + 2 =", "--ablate", "L1.mlp"), "layer 1"),
                        (("--prompt", "1 + 2 =", "--ablate", "L0.H4"), "head 4"),
                        (("--prompt", "1 + 2 =", "--ablate", "L0.mlp@3"), "position 3"),
                        (("--prompt", "1 + 2 =", "--target", "200"), "200"),
                        (("--prompt", "1 + 2 =", "--patch", "L0.mlp", "--from", "1 ="), "tokens"),
                        (("--prompt", "1 + 2 =", "--set", "final=1e38"), "not finite")):
        assert says in refused(*base, *flags), flags
    assert "no bundled model" in refused("run", "no-such-model", "--ids", "1")


@case("damaged model folders")
def damaged():
    source = os.path.join(os.path.dirname(__file__), "..", "..", "data", "models", "modadd-113")
    with open(os.path.join(source, "model.safetensors"), "rb") as file:
        weights = file.read()
    with open(os.path.join(source, "config.json"), encoding="utf-8") as file:
        config = file.read()
    with TempDir() as folder:
        def model(config_text, weight_bytes):
            for name, data in (("config.json", config_text.encode()),
                               ("model.safetensors", weight_bytes)):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
            return ("run", folder, "--device", "cpu", "--ids", "37,95,113")

        ok(*model(config, weights))
        for step in range(50):
            assert "model.safetensors" in refused(*model(config, weights[:len(weights) * step // 50]))
        for wrong in ("", "{", "[]", "{}", config.replace("gpt2", "mamba"),
                      config.replace("128", "129"), config.replace("128", "-1"),
                      config.replace("128", "1e99"), config.replace("relu", "sine"), "[" * 100000):
            refused(*model(wrong, weights))
    refused("run", "/", "--ids", "1")


main()
