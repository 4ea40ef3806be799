"""tracery-cli bench forward: a small shape, once; the file stays and is read again."""

import os

from harness import TempDir, case, main, ok_json, refused


@case("a pass over a small random model is measured")
def forward():
    with TempDir() as folder:
        facts = ok_json("bench", "forward", "--shape", "pythia-70m", "--type", "q4_0", "--tokens",
                        "4", "--repeat", "1", "--folder", folder, "--device", "cpu")
        assert os.listdir(folder) == ["random-pythia-70m-q4_0.gguf"], os.listdir(folder)
        assert facts["tokens"] == 4 and facts["tokens_per_second"] > 0, facts
        assert 0 < facts["share_of_peak"] < 2, facts


@case("what cannot be measured is refused")
def wrong():
    assert "--shape" in refused("bench", "forward", "--shape", "mamba", status=2)
    assert "none" in refused("bench", "forward", "--shape", "pythia-70m", "--folder",
                             "/nonexistent/none")


main()
