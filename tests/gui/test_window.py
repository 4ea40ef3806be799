#!/usr/bin/env python3
"""The real window, driven as a person or a script would, looking at state.

Usage: test_window.py PROGRAM SOURCE_ROOT. Runs itself again below an X server of its own.
"""

import json
import os
import re
import subprocess
import sys
import traceback
import xml.etree.ElementTree as ElementTree

import headless

if not headless.is_inside():
    if headless.missing():
        print(f"1..0 # SKIP {headless.missing()}")
        sys.exit(0)
    sys.exit(headless.rerun_inside(__file__))

import driver  # noqa: E402
from driver import App, Failure, GLib, wait_for, walk  # noqa: E402
from small_graph import write_small_graph  # noqa: E402

PROGRAM, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
FOLDER = os.environ["TRACERY_GUI_FOLDER"]
LOG = os.path.join(FOLDER, "log")
REPORT = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|CRITICAL \*\*|WARNING \*\*")
CASES = []
ASSISTIVE_CASES = []


def case(function):
    CASES.append(function)
    return function


def assistive_case(function):
    """A case that does a widget's own actions through AT-SPI. GTK 4.8 leaks the list of their
    names each time it is asked, so these run in a process whose leaks are not looked at."""
    ASSISTIVE_CASES.append(function)
    return function


def check(condition, words):
    if not condition:
        raise Failure(words)


def shown(app):
    """Nodes and links shown, and the number of the scene."""
    return app.state("shown")


def wait_scene(app, after):
    return app.wait_state("shown", lambda state: state[2] > after)


def open_small(app):
    path = os.path.join(FOLDER, "small.json")
    write_small_graph(path)
    before = shown(app)[2]
    app.activate("open-path", GLib.Variant("s", path))
    app.wait_state("graph", "The capital of Texas is")
    wait_scene(app, before)


@case
def opens_on_the_example(app):
    app.wait_state("graph", "37 + 95 =")
    app.wait_state("pictures", lambda count: count > 0)
    nodes, links, _ = shown(app)
    check(nodes > 5 and links > 5, f"{nodes} nodes and {links} links are shown")
    check(app.state("message") == "", app.state("message"))


@case
def a_wrong_file_is_one_sentence(app):
    path = os.path.join(FOLDER, "wrong.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"nodes": [')
    app.activate("open-path", GLib.Variant("s", path))
    said = app.wait_state("message", lambda words: "wrong.json" in words)
    check(said.endswith(".") and "\n" not in said, said)
    check(app.state("graph") == "37 + 95 =", "the old graph is gone")
    app.click("push button", "Close this message")


@case
def opens_a_file(app):
    open_small(app)
    nodes, links, _ = shown(app)
    check((nodes, links) == (12, 12) or nodes <= 12, f"{nodes} nodes, {links} links")
    app.find("label", "tiny-model · 12 nodes, 12 links")


def fit(app):
    """Shows everything; returns the zoom, once it is told (some times a second) and stays."""
    app.wait_state("pictures", lambda count: count > 0)
    app.activate("zoom-fit")
    seen = []

    def stays():
        seen.append(app.state("zoom"))
        return len(seen) > 10 and len(set(seen[-10:])) == 1

    wait_for("the zoom to stay", stays)
    return seen[-1]


@assistive_case
def zooms(app):
    name = "Attribution graph"
    start = fit(app)
    app.do_action("image", name, "canvas.zoom-in")
    app.wait_state("zoom", lambda zoom: zoom > 1.2 * start)
    app.activate("zoom-out")
    app.wait_state("zoom", lambda zoom: abs(zoom / start - 1) < 1e-6)
    app.activate("zoom-in")
    app.activate("zoom-fit")
    app.wait_state("zoom", lambda zoom: abs(zoom / start - 1) < 1e-6)
    wait_for("a way back", lambda: app.enabled("back"))


@case
def wheel_zooms_and_drag_pans(app):
    start = fit(app)
    subprocess.run(["xdotool", "mousemove", "700", "450", "click", "4", "click", "4"], check=True)
    app.wait_state("zoom", lambda zoom: zoom > 1.4 * start)
    before = app.state("camera")
    subprocess.run(["xdotool", "mousemove", "700", "600", "mousedown", "1", "mousemove", "760",
                    "640", "mousemove", "800", "660", "mouseup", "1"], check=True)
    app.wait_state("camera", lambda place: abs((before[0] - place[0]) * app.state("zoom")
                                               * 96 / 72 - 100) < 2)
    check(app.state("selection") == "", "a drag has selected something")
    app.activate("zoom-fit")
    app.wait_state("zoom", lambda zoom: abs(zoom / start - 1) < 1e-6)


@assistive_case
def selects(app):
    app.activate("select", GLib.Variant("s", "node:9"))
    app.wait_state("selection", "node:9")
    app.find("label", "Strongest inputs")
    app.activate("zoom-selection")
    app.activate("select", GLib.Variant("s", ""))
    app.wait_state("selection", "")
    app.do_action("image", "Attribution graph", "canvas.select-next")
    first = app.wait_state("selection", lambda words: words != "")
    wait_for("the canvas tells what is selected",
             lambda: "Selected: " in app.find("image", "Attribution graph").get_name())
    app.do_action("image", "Attribution graph", "canvas.select-next")
    app.wait_state("selection", lambda words: words not in ("", first))
    app.do_action("image", "Attribution graph", "canvas.clear")
    app.wait_state("selection", "")


@case
def the_inspector_leads_on(app):
    """A strongest input is a button that selects it."""
    app.activate("select", GLib.Variant("s", "node:10"))
    app.wait_state("selection", "node:10")
    app.click("push button", "Texas raises by")
    app.wait_state("selection", lambda words: words not in ("", "node:10"))
    app.activate("select", GLib.Variant("s", ""))


@assistive_case
def blocks_open(app):
    scene = shown(app)[2]
    app.activate("select", GLib.Variant("s", "group:0"))
    app.wait_state("selection", "group:0")
    app.do_action("image", "Attribution graph", "canvas.activate")
    wait_scene(app, scene)
    check(app.enabled("undo"), "opening a block cannot be undone")
    app.activate("undo")
    app.wait_state("shown", lambda state: state[2] > scene + 1)
    app.activate("select", GLib.Variant("s", ""))


@case
def sliders_change_the_view(app):
    whole = shown(app)
    slider = app.find("slider", "Share of the influence that nodes carry")
    check(driver.Atspi.Value.set_current_value(slider, 0.4), "the slider does not move")
    app.wait_state("node-share", lambda share: abs(share - 0.4) < 0.011)
    fewer = wait_scene(app, whole[2])
    check(fewer[0] < whole[0], f"{fewer[0]} of {whole[0]} nodes are shown")
    app.activate("undo")
    app.wait_state("node-share", lambda share: abs(share - 1) < 1e-9)
    app.wait_state("shown", lambda state: state[0] == whole[0])
    app.activate("redo")
    app.wait_state("node-share", lambda share: abs(share - 0.4) < 0.011)
    app.activate("undo")
    app.wait_state("shown", lambda state: state[0] == whole[0])


@case
def a_node_is_renamed(app):
    app.activate("select", GLib.Variant("s", "node:8"))
    before = app.wait_state("name", lambda words: words != "")
    scene = shown(app)[2]
    app.activate("rename")
    app.set_text("text", "Name of the node", "the state")
    subprocess.run(["xdotool", "key", "Return"], check=True)
    app.wait_state("name", "the state")
    wait_scene(app, scene)
    app.find("label", "the state")
    app.activate("undo")
    app.wait_state("name", before)
    app.activate("redo")
    app.wait_state("name", "the state")
    app.activate("undo")
    app.wait_state("name", before)


@case
def a_node_is_pinned_with_its_key(app):
    app.activate("select", GLib.Variant("s", "node:9"))
    before = app.state("pin")
    app.activate("focus-canvas")
    subprocess.run(["xdotool", "key", "p"], check=True)
    app.wait_state("pin", not before)
    app.activate("undo")
    app.wait_state("pin", before)


@case
def names_and_pins_are_saved(app):
    path = os.path.join(FOLDER, "marked.json")
    app.activate("select", GLib.Variant("s", "node:9"))
    app.activate("rename-to", GLib.Variant("s", "mine"))
    app.activate("select", GLib.Variant("s", "node:2"))
    app.activate("pin")
    app.wait_state("pin", True)
    app.activate("export-path", GLib.Variant("s", path))
    app.wait_state("message", "Exported marked.json.")
    app.activate("undo")
    app.activate("undo")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    check('"mine"' in text and "E_2_2" in json.loads(text)["qParams"]["pinnedIds"], text[:2000])
    app.activate("select", GLib.Variant("s", ""))
    app.wait_state("name", "")


@case
def searches(app):
    app.set_text("entry", "Search nodes, tokens, ids", "texas")
    app.wait_state("hits", lambda count: count >= 2)
    app.set_text("entry", "Search nodes, tokens, ids", "")
    app.wait_state("hits", -1)


@case
def panes_hide(app):
    app.set_state("left-pane", GLib.Variant("b", False))
    app.wait_state("left-pane", False)
    app.set_state("right-pane", GLib.Variant("b", False))
    app.wait_state("right-pane", False)
    app.set_state("left-pane", GLib.Variant("b", True))
    app.set_state("right-pane", GLib.Variant("b", True))
    app.wait_state("right-pane", True)


@case
def exports(app):
    magic = {"svg": b"<?xml", "pdf": b"%PDF-", "png": b"\x89PNG"}
    for suffix, start in magic.items():
        path = os.path.join(FOLDER, "figure." + suffix)
        app.activate("export-path", GLib.Variant("s", path))
        app.wait_state("message", f"Exported figure.{suffix}.")
        with open(path, "rb") as file:
            check(file.read(len(start)) == start, f"{suffix} does not begin as one")
    root = ElementTree.parse(os.path.join(FOLDER, "figure.svg")).getroot()
    words = " ".join("".join(item.itertext()) for item in root.iter()
                     if item.tag.endswith("text"))
    check("Austin" in words, "the figure has no text")


@case
def the_export_dialog_works(app):
    path = os.path.join(FOLDER, "dialog.svg")
    app.activate("export")
    app.set_text("text", "File", path)
    app.click("push button", "Export the chosen figure")
    wait_for("the exported file", lambda: os.path.exists(path))
    app.wait_state("message", "Exported dialog.svg.")


@case
def an_export_that_fails_says_so(app):
    path = os.path.join(FOLDER, "no-such-folder", "figure.svg")
    app.activate("export-path", GLib.Variant("s", path))
    app.wait_state("message", lambda words: "figure.svg" in words and "Exported" not in words)
    check(not os.path.exists(os.path.dirname(path)), "a folder was made")


def start_trace(app, prompt):
    app.activate("trace")
    app.set_text("text", "Prompt", prompt)
    go = app.find("push button", "Start the trace")
    wait_for("the tokens of the prompt",
             lambda: go.get_state_set().contains(driver.Atspi.StateType.SENSITIVE))
    return go


def press_and_wait_for_job(app, button):
    """GTK presses a button for a while before it counts as clicked."""
    begun = app.state("jobs")
    button.get_action_iface().do_action(0)
    app.wait_state("jobs", begun + 1)


@case
def traces(app):
    go = start_trace(app, "21 + 34 =")
    app.find("label", "55")
    press_and_wait_for_job(app, go)
    app.wait_state("graph", "21 + 34 =", 2 * driver.DEADLINE_S)
    app.wait_state("job", "")
    check(shown(app)[0] > 5, "the traced graph is empty")


@case
def a_trace_can_be_cancelled(app):
    go = start_trace(app, "50 + 60 =")
    press_and_wait_for_job(app, go)
    app.activate("cancel-jobs")
    app.wait_state("message", "Cancelled: Trace “50 + 60 =”.")
    app.wait_state("job", "")
    check(app.state("graph") == "21 + 34 =", "the cancelled trace became the document")


@case
def a_wrong_target_is_one_sentence(app):
    go = start_trace(app, "1 + 2 =")
    app.set_text("text", "Target token", "no such token")
    press_and_wait_for_job(app, go)
    said = app.wait_state("message", lambda words: "no such token" in words)
    check(said.endswith("."), said)


@case
def the_shortcuts_are_told(app):
    app.activate("show-help-overlay")
    app.find("label", "Trace a prompt")
    wait_for("the window of shortcuts", lambda: [
        item for item in walk(app.accessible()) if item.get_name() == "Show everything"])
    subprocess.run(["xdotool", "key", "Escape"], check=True)


@case
def every_control_has_a_name(app):
    open_small(app)
    app.activate("select", GLib.Variant("s", "node:9"))
    app.activate("trace")
    app.find("text", "Prompt")
    app.activate("export")
    app.find("text", "File")
    nameless = []
    for item in walk(app.accessible()):
        states = item.get_state_set()
        if not states.contains(driver.Atspi.StateType.FOCUSABLE):
            continue
        name = item.get_name() or ""
        if name == "" or name.startswith(("Gtk", "Trc")):
            nameless.append(f"{item.get_role_name()} {name!r} in "
                            f"{item.get_parent().get_name()!r}")
    # Rows of GTK's own lists get their name from what they hold.
    allowed = [line for line in nameless
               if line.startswith(("list item", "window")) or "GtkListItemWidget" in line]
    bad = [line for line in nameless if line not in allowed]
    check(not bad, "; ".join(bad[:8]))


@case
def closes_cleanly(app):
    status = app.close()
    with open(LOG, encoding="utf-8", errors="replace") as file:
        text = file.read()
    report = REPORT.search(text)
    start = max(report.start() - 200, 0) if report else 0
    check(report is None, text[start:start + 4000])
    check(status == 0, f"exit status {status}")


@assistive_case
def closes_cleanly_again(app):
    closes_cleanly(app)


def run_cases(app, cases, first_number):
    failed = 0
    for number, function in enumerate(cases, first_number):
        try:
            function(app)
            print(f"ok {number} - {function.__name__}", flush=True)
        except Exception as error:  # each case reports for itself
            failed += 1
            print(f"not ok {number} - {function.__name__}")
            for line in "".join(traceback.format_exception(error)).splitlines()[-40:]:
                print("# " + line)
            sys.stdout.flush()
    if app.process.poll() is None:
        app.process.kill()
        app.process.wait()
    return failed


def run():
    os.environ["TRACERY_GUI_LOG"] = LOG
    env = {"TRACERY_DATA": os.environ.get("TRACERY_DATA", os.path.join(SOURCE, "data"))}
    print(f"1..{len(CASES) + len(ASSISTIVE_CASES)}")
    failed = run_cases(App(PROGRAM, env=env), CASES, 1)
    env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    app = App(PROGRAM, env=env)
    open_small(app)
    failed += run_cases(app, ASSISTIVE_CASES, len(CASES) + 1)
    return 1 if failed else 0


sys.exit(run())
