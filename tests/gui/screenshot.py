#!/usr/bin/env python3
"""Takes the pictures of the window that a person should look at.

Usage: screenshot.py PROGRAM SOURCE_ROOT OUT_FOLDER. Writes example-light.png, example-dark.png,
selected-light.png, trace-light.png, export-light.png and, where the reference data is, blocks-*
and dollar-*. data/screenshots/window-light.png is selected-light.png with fewer colours:
convert selected-light.png -colors 192 -depth 8 PNG8:window-light.png
"""

import os
import subprocess
import sys

import headless

if not headless.is_inside():
    if headless.missing():
        sys.exit(headless.missing())
    sys.exit(headless.rerun_inside(__file__))

from driver import App, GLib, wait_for  # noqa: E402

PROGRAM, SOURCE, OUT = (os.path.abspath(argument) for argument in sys.argv[1:4])
SHARED = os.environ.get("TRACERY_SHARED") or os.path.join(SOURCE, "..", "shared")


def settle(app):
    """Waits until nothing more is painted."""
    seen = [None, 0]

    def still():
        now = (app.state("pictures"), app.state("shown"), app.state("camera"))
        seen[1] = seen[1] + 1 if now == seen[0] else 0
        seen[0] = now
        return seen[1] > 12 and app.state("job") == ""

    wait_for("the picture to be painted", still)


def take(app, name):
    settle(app)
    subprocess.run(["import", "-window", "root", os.path.join(OUT, name + ".png")], check=True)


def session(theme, graph, steps):
    env = {"TRACERY_THEME": theme,
           "TRACERY_DATA": os.environ.get("TRACERY_DATA", os.path.join(SOURCE, "data"))}
    app = App(PROGRAM, *([graph] if graph else []), env=env)
    app.wait_state("pictures", lambda count: count > 0)
    steps(app, theme)
    app.close()


def example(app, theme):
    take(app, "example-" + theme)
    app.activate("select", GLib.Variant("s", "node:6"))
    take(app, "selected-" + theme)
    app.activate("trace")
    app.set_text("text", "Prompt", "52 + 70 =")
    app.find("label", "9")
    take(app, "trace-" + theme)
    app.click("push button", "Cancel")
    app.activate("export")
    app.find("text", "File")
    take(app, "export-" + theme)


def blocks(app, theme):
    take(app, "blocks-" + theme)
    app.activate("select", GLib.Variant("s", "group:2"))
    app.do_action("image", "Attribution graph", "canvas.activate")
    app.wait_state("shown", lambda state: state[2] > 1)
    take(app, "opened-" + theme)


def dollar(app, theme):
    take(app, "dollar-" + theme)
    app.activate("zoom-in")
    app.activate("zoom-in")
    app.activate("zoom-in")
    take(app, "dollar-near-" + theme)


def main():
    os.makedirs(OUT, exist_ok=True)
    for theme in ("light", "dark"):
        session(theme, None, example)
        for name, steps in (("haiku-clt-dallas-annotated.json", blocks),
                            ("gemma2-plt-dollar-duplicate-id.json", dollar)):
            path = os.path.join(SHARED, "graphs", name)
            if os.path.exists(path):
                session(theme, path, steps)
    print("\n".join(sorted(os.listdir(OUT))))


main()
