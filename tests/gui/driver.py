"""Drives the real window headless: D-Bus actions, AT-SPI, xdotool.

Everything waits for a state with a deadline; nothing sleeps for luck. Coordinates are
relative to the window, as GTK 4.8 tells them.
"""

import os
import subprocess
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

APP_ID = "org.tracery.Tracery"
DEADLINE_S = float(os.environ.get("TRACERY_GUI_DEADLINE", "60"))


class Failure(Exception):
    """An expectation that did not come true in time."""


def wait_for(what, condition, deadline_s=None):
    """Calls condition() until it returns something true, and returns that."""
    end = time.monotonic() + (deadline_s or DEADLINE_S)
    while True:
        try:
            value = condition()
        except GLib.Error:
            value = None
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not in time: {what}")
        time.sleep(0.05)


class App:
    """One running tracery."""

    def __init__(self, program, *args, env=None):
        full_env = dict(os.environ, **(env or {}))
        self.log = open(os.environ.get("TRACERY_GUI_LOG", os.devnull), "ab")
        self.process = subprocess.Popen(
            [program, *args], env=full_env, stdout=self.log, stderr=subprocess.STDOUT
        )
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        self.path = "/org/tracery/Tracery/window/1"
        wait_for("the window's actions on the bus", lambda: self.state("graph") is not None)

    # ---- actions over D-Bus ----

    def _call(self, method, args, reply):
        return self.bus.call_sync(
            APP_ID, self.path, "org.gtk.Actions", method, args, GLib.VariantType(reply),
            Gio.DBusCallFlags.NO_AUTO_START, int(1000 * DEADLINE_S), None,
        )

    def _describe(self, name):
        return self._call("Describe", GLib.Variant("(s)", (name,)), "((bgav))").unpack()[0]

    def state(self, name):
        """State of the window's action `name`, as a Python value."""
        state = self._describe(name)[2]
        return state[0] if state else None

    def enabled(self, name):
        return self._describe(name)[0]

    def activate(self, name, argument=None):
        """Activates the window's action `name`."""
        args = [argument] if argument is not None else []
        self._call("Activate", GLib.Variant("(sava{sv})", (name, args, {})), "()")

    def set_state(self, name, value):
        self._call("SetState", GLib.Variant("(sva{sv})", (name, value, {})), "()")

    def wait_state(self, name, wanted, deadline_s=None):
        """Waits until the state is `wanted`, or until wanted(state) is true."""
        test = wanted if callable(wanted) else (lambda state: state == wanted)
        seen = []

        def look():
            value = self.state(name)
            seen[:] = [value]
            return (value,) if test(value) else None

        try:
            return wait_for(name, look, deadline_s)[0]
        except Failure:
            raise Failure(f"state of {name} is {seen[0]!r}") from None

    # ---- AT-SPI ----

    def accessible(self):
        """The program's root for assistive technology."""
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(i)
            if child is not None and child.get_process_id() == self.process.pid:
                child.clear_cache()
                return child
        return None

    def find(self, role, name, deadline_s=None):
        """The showing accessible with this role name whose name begins with `name`."""

        def look():
            root = self.accessible()
            if root is None:
                return None
            for item in walk(root):
                if item.get_role_name() == role and (item.get_name() or "").startswith(name):
                    return item
            return None

        return wait_for(f"{role} called {name!r}", look, deadline_s)

    def click(self, role, name, deadline_s=None):
        action = self.find(role, name, deadline_s).get_action_iface()
        action.do_action(0)

    def set_text(self, role, name, text):
        self.find(role, name).get_editable_text_iface().set_text_contents(text)

    def do_action(self, role, name, action_name):
        """Does the named class action of a widget, such as canvas.zoom-in."""
        action = self.find(role, name).get_action_iface()
        for i in range(action.get_n_actions()):
            if action.get_action_name(i) == action_name:
                return action.do_action(i)
        raise Failure(f"{name!r} has no action {action_name}")

    # ---- end ----

    def close(self):
        """Closes the window and returns the exit status."""
        if self.process.poll() is None:
            try:
                self.activate("close")
            except GLib.Error:
                pass
        try:
            return self.process.wait(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("the window did not close") from None


def walk(item):
    """All accessibles below `item`, itself first; what goes away meanwhile is left out."""
    yield item
    try:
        children = [item.get_child_at_index(i) for i in range(item.get_child_count())]
    except GLib.Error:
        return
    for child in children:
        if child is not None:
            yield from walk(child)
