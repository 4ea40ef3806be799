"""tracery-cli tokenize: ids, pieces, places, and the way back."""

from harness import TempDir, case, main, ok, ok_json, refused, shared


@case("a bundled model's words")
def words():
    facts = ok_json("tokenize", "modadd-113", "--text", "37 + 95 =")
    assert facts["ids"] == [37, 95, 113] and facts["tokens"] == ["37", "95", "="], facts
    assert facts["spans"] == [[0, 2], [5, 7], [8, 9]], facts
    back = ok_json("tokenize", "modadd-113", "--ids", "37,95,113")
    assert back["text"] == "37 95 =" and "spans" not in back, back
    assert "      37  37" in ok("tokenize", "modadd-113", "--text", "37").out


@case("a folder with tokeniser files alone")
def folder():
    facts = ok_json("tokenize", shared("data/tokenizers/gpt2"), "--text", "Hello world")
    assert facts["ids"] == [15496, 995] and facts["text"] == "Hello world", facts
    facts = ok_json("tokenize", shared("data/tokenizers/llama2/tokenizer.model"), "--text", "Hello")
    bare = ok_json("tokenize", shared("data/tokenizers/llama2/tokenizer.model"), "--text", "Hello",
                   "--no-special")
    assert facts["ids"][1:] == bare["ids"] and facts["ids"][0] == 1, (facts, bare)


@case("what cannot be cut is a sentence")
def sentences():
    assert "200" in refused("tokenize", "modadd-113", "--text", "1 + 200 =")
    assert "1;2" in refused("tokenize", "modadd-113", "--ids", "1;2", status=2)
    assert "--text" in refused("tokenize", "modadd-113", status=2)
    with TempDir() as empty:
        assert "tokeniser" in refused("tokenize", empty, "--text", "x")


main()
