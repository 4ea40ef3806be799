"""Runs a script again below an X server and a session bus of its own, in that order: a bus from
outside the display would know no window."""

import os
import shutil
import subprocess
import sys
import tempfile

INSIDE = "TRACERY_GUI_INSIDE"
SCREEN = "-screen 0 1440x900x24"


def missing():
    """Why the window cannot be driven here, or None."""
    for tool in ("xvfb-run", "dbus-run-session", "xdotool"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    try:
        import gi
        gi.require_version("Atspi", "2.0")
    except (ImportError, ValueError):
        return "the AT-SPI bindings of Python are not installed"
    return None


def is_inside():
    return INSIDE in os.environ


def rerun_inside(script):
    """Runs `script` with the same arguments inside; returns its exit status."""
    with tempfile.TemporaryDirectory(prefix="tracery-gui-") as folder:
        os.makedirs(os.path.join(folder, "config", "gtk-4.0"))
        with open(os.path.join(folder, "config", "gtk-4.0", "settings.ini"), "w",
                  encoding="utf-8") as file:
            file.write("[Settings]\ngtk-enable-animations=false\ngtk-cursor-blink=false\n")
        cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
        env = dict(os.environ, XDG_CONFIG_HOME=os.path.join(folder, "config"), HOME=folder,
                   XDG_CACHE_HOME=cache, GSK_RENDERER="cairo", LC_ALL="C.UTF-8",
                   TRACERY_GUI_FOLDER=folder)
        env[INSIDE] = "1"
        env.pop("GTK_A11Y", None)
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        command = ["xvfb-run", "-a", "-s", SCREEN, "dbus-run-session", "--",
                   sys.executable, os.path.abspath(script), *sys.argv[1:]]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        # The registry of assistive technology greets on the same standard output.
        sys.stdout.writelines(
            line for line in done.stdout.decode("utf-8", "replace").splitlines(keepends=True)
            if not line.startswith("SpiRegistry"))
        if done.returncode != 0:
            sys.stderr.write(done.stderr.decode("utf-8", "replace"))
        return done.returncode
