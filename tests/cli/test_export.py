"""tracery-cli export: figures of real graphs in every format."""

import os
import struct
import xml.etree.ElementTree as ElementTree

from harness import TempDir, case, main, ok_json, refused, shared
from hostile import SMALL_GRAPH, as_bytes, write

SVG = "{http://www.w3.org/2000/svg}"
TINY = "graphs/gemma2-clt-meow-tiny.json"


def read(path):
    with open(path, "rb") as file:
        return file.read()


@case("an SVG is well-formed and holds the prompt as real text")
def svg():
    with TempDir() as folder:
        out = os.path.join(folder, "out.svg")
        facts = ok_json("export", shared(TINY), "-o", out)
        root = ElementTree.parse(out).getroot()
        words = " ".join("".join(node.itertext()) for node in root.iter(SVG + "text"))
        assert root.tag == SVG + "svg", root.tag
        for token in ("dog", "bark", "cat"):
            assert token in words, words
        assert facts["nodes_shown"] == 43 and facts["nodes_total"] == 76, facts
        assert facts["edges_shown"] == 206 and facts["edges_total"] == 374, facts


@case("outlines hold no text")
def outlines():
    with TempDir() as folder:
        out = os.path.join(folder, "out.svg")
        ok_json("export", shared(TINY), "-o", out, "--outlines")
        assert list(ElementTree.parse(out).getroot().iter(SVG + "text")) == []


@case("the same command gives the same bytes")
def repeatable():
    with TempDir() as folder:
        paths = [os.path.join(folder, name) for name in ("a.svg", "b.svg")]
        for path in paths:
            ok_json("export", shared(TINY), "-o", path)
        assert read(paths[0]) == read(paths[1])


@case("a PNG has the size asked for, a PDF is one")
def pictures():
    with TempDir() as folder:
        png, pdf = os.path.join(folder, "out.png"), os.path.join(folder, "out.pdf")
        ok_json("export", shared(TINY), "-o", png, "--size", "640x480px", "--dpi", "96")
        data = read(png)
        assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
        assert struct.unpack(">II", data[16:24]) == (640, 480), data[16:24]
        ok_json("export", shared(TINY), "-o", pdf)
        assert read(pdf).startswith(b"%PDF-") and b"%%EOF" in read(pdf)[-64:]


@case("dark differs from light")
def themes():
    with TempDir() as folder:
        drawn = []
        for theme in ("light", "dark"):
            out = os.path.join(folder, theme + ".svg")
            ok_json("export", shared(TINY), "-o", out, "--theme", theme)
            drawn.append(read(out))
        assert drawn[0] != drawn[1]
        assert b"#1b1c1f" in drawn[1] and b"#1b1c1f" not in drawn[0]


@case("shares of everything show everything")
def everything():
    with TempDir() as folder:
        facts = ok_json("export", shared(TINY), "-o", os.path.join(folder, "out.svg"),
                        "--node-share", "1", "--edge-share", "1")
        assert facts["nodes_shown"] == facts["nodes_total"] == 76, facts


@case("every reference graph can be drawn")
def all_graphs():
    names = [name for name in sorted(os.listdir(shared("graphs"))) if name.endswith(".json")]
    assert len(names) == 11, names
    with TempDir() as folder:
        for name in names:
            out = os.path.join(folder, name + ".svg")
            ok_json("export", shared("graphs/" + name), "-o", out)
            assert ElementTree.parse(out).getroot().tag == SVG + "svg", name


@case("a graph is drawn by dot in the helper, which never ends the program")
def dot():
    with TempDir() as folder:
        out = os.path.join(folder, "out.svg")
        facts = ok_json("export", shared(TINY), "-o", out, "--layout", "dot")
        assert facts["fell_back"] is False, facts
        assert os.listdir(folder) == ["out.svg"], os.listdir(folder)


@case("an ending that is no format, and no target at all, are refused")
def formats():
    with TempDir() as folder:
        graph = write(folder, "small.json", as_bytes(SMALL_GRAPH))
        for name in ("out.gif", "out", "out."):
            result = os.path.join(folder, name)
            sentence = refused("export", graph, "-o", result, status=2)
            assert ".svg" in sentence, sentence
        assert "--output" in refused("export", graph, status=2)
        assert os.listdir(folder) == ["small.json"], os.listdir(folder)


main()
