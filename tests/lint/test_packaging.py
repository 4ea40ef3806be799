"""What a desktop and a packager read: desktop entry, metainfo, file types, icons, flatpak.

usage: test_packaging.py SOURCE_ROOT
"""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

APP_ID = "org.tracery.Tracery"
CASES = []


class Skip(Exception):
    pass


def case(name):
    def mark(function):
        CASES.append((name, function))
        return function
    return mark


def tool(*words, cwd=None):
    """Runs a checker of this machine; its absence skips the case."""
    if shutil.which(words[0]) is None:
        raise Skip(f"{words[0]} is not installed")
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def xml(root, path):
    return ElementTree.fromstring(read(root, path))


@case("the desktop entry is valid")
def desktop_entry(root):
    tool("desktop-file-validate", os.path.join(root, f"data/desktop/{APP_ID}.desktop"))


@case("the metainfo is valid")
def metainfo(root):
    tool("appstreamcli", "validate", "--no-net",
         os.path.join(root, f"data/desktop/{APP_ID}.metainfo.xml"))


@case("metainfo and desktop entry name the same file types, which exist")
def file_types(root):
    entry = read(root, f"data/desktop/{APP_ID}.desktop")
    listed = set(re.search(r"^MimeType=(.*)$", entry, re.MULTILINE).group(1).strip(";").split(";"))
    described = {node.get("type") for node in xml(root, f"data/desktop/{APP_ID}.mime.xml")}
    provided = {node.text for node in
                xml(root, f"data/desktop/{APP_ID}.metainfo.xml").iter("mediatype")}
    assert listed == described == provided, (listed, described, provided)


@case("the newest release in the metainfo is the version of the build")
def release(root):
    version = re.search(r"version: '([0-9.]+)'", read(root, "meson.build")).group(1)
    newest = next(xml(root, f"data/desktop/{APP_ID}.metainfo.xml").iter("release"))
    assert newest.get("version") == version, newest.get("version")


@case("the icons are square drawings of their own")
def icons(root):
    for name, size in ((APP_ID, "128"), (APP_ID + "-symbolic", "16")):
        drawing = xml(root, f"data/icons/{name}.svg")
        assert drawing.get("width") == drawing.get("height") == size, name
        assert drawing.get("viewBox") == f"0 0 {size} {size}", name


def modules(root):
    """Every module of the manifest, files resolved."""
    manifest = json.loads(read(root, f"flatpak/{APP_ID}.json"))
    for module in manifest["modules"]:
        yield json.loads(read(root, "flatpak/" + module)) if isinstance(module, str) else module


@case("the flatpak manifest has what flatpak-builder asks for")
def manifest_keys(root):
    manifest = json.loads(read(root, f"flatpak/{APP_ID}.json"))
    assert manifest["app-id"] == APP_ID and manifest["command"] == "tracery"
    for key in ("runtime", "runtime-version", "sdk", "finish-args", "modules"):
        assert manifest[key], key
    for module in modules(root):
        assert module["name"] and module["sources"], module
        assert module.get("buildsystem") in ("meson", "autotools", "cmake-ninja", "simple")
        assert (module["buildsystem"] == "simple") == ("build-commands" in module), module


@case("every flatpak source from outside is pinned by its contents")
def pinned(root):
    for module in modules(root):
        for source in module["sources"]:
            if source["type"] == "archive":
                assert re.fullmatch(r"[0-9a-f]{64}", source["sha256"]), source
            elif source["type"] == "git":
                assert re.fullmatch(r"[0-9a-f]{40}", source["commit"]), source
            else:
                assert source["type"] == "dir" and source["path"] == "..", source


@case("the sandbox gives no network")
def no_network(root):
    arguments = json.loads(read(root, f"flatpak/{APP_ID}.json"))["finish-args"]
    assert not any("network" in argument for argument in arguments), arguments


@case("flatpak-builder reads the manifest")
def builder(root):
    shown = tool("flatpak-builder", "--show-manifest", f"flatpak/{APP_ID}.json", cwd=root)
    assert len(json.loads(shown)["modules"]) == len(list(modules(root)))


@case("the list of packages has a column for every manager in every row")
def packages(root):
    lines = [line for line in read(root, "data/setup/packages.tsv").splitlines()
             if not line.startswith("#")]
    titles = lines[0].split("\t")
    assert titles[:2] == ["for", "need"] and len(titles) == 7, titles
    for line in lines[1:]:
        cells = line.split("\t")
        assert len(cells) == len(titles) and all(cells), line
        assert cells[0] in ("run", "check"), line


@case("the scripts are well-formed")
def scripts(root):
    for path in ("run", "check", ".ci/run", "data/setup/install.sh"):
        tool("bash", "-n", os.path.join(root, path))


@case("what the build asks for is in the list of packages")
def needs(root):
    listed = read(root, "data/setup/packages.tsv")
    wanted = re.findall(r"= dependency\('([a-z0-9-]+)'", read(root, "meson.build"))
    assert len(wanted) > 8
    words = {"glib-2.0": "gtk", "gio-2.0": "gtk", "gio-unix-2.0": "gtk", "gtk4": "gtk4",
             "json-glib-1.0": "json-glib", "sqlite3": "sqlite", "pangocairo": "pango",
             "libgvc": "graphviz"}
    for name in wanted:
        assert words.get(name, name) in listed, name


def main(root):
    failed = False
    for number, (name, function) in enumerate(CASES, 1):
        try:
            function(root)
            print(f"ok {number} - {name}")
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
        except Exception as problem:  # pylint: disable=broad-except
            failed = True
            print("# " + f"{type(problem).__name__}: {problem}".replace("\n", "\n# "))
            print(f"not ok {number} - {name}")
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
