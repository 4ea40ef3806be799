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


@case("a text to ids, and the ids to the same text; spans cover it in order")
def there_and_back():
    for text in (" naïve 東京 🙂\n\n  x", "The capital of Texas is Austin"):
        facts = ok_json("tokenize", shared("data/tokenizers/gpt2"), "--text", text)
        at = 0
        for start, end in facts["spans"]:
            assert start <= at <= end, facts["spans"]
            at = end
        assert at == len(text.encode()), facts["spans"]
        back = ok_json("tokenize", shared("data/tokenizers/gpt2"), "--ids",
                       ",".join(map(str, facts["ids"])))
        assert back["text"] == text, back


@case("what cannot be cut is a sentence")
def sentences():
    assert "200" in refused("tokenize", "modadd-113", "--text", "1 + 200 =")
    assert "1;2" in refused("tokenize", "modadd-113", "--ids", "1;2", status=2)
    assert "114" in refused("tokenize", "modadd-113", "--ids", "1,114")
    assert "--text" in refused("tokenize", "modadd-113", status=2)
    with TempDir() as empty:
        assert "tokeniser" in refused("tokenize", empty, "--text", "x")


main()
