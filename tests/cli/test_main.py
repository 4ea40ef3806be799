"""The frame of tracery-cli: finding commands, help, version, wrong usage."""

import os
import re

from harness import SOURCE, case, main, ok, refused, run


def commands():
    """The names of all commands, from the help itself."""
    block = ok("--help").out.split("Commands:\n")[1].split("\n\n")[0]
    return [re.match(r"  (\w+( \w+)?) ", line).group(1) for line in block.splitlines()]


@case("--version names the program and its version")
def version():
    with open(os.path.join(SOURCE, "meson.build"), encoding="utf-8") as file:
        wanted = re.search(r"version: '([0-9.]+)'", file.read()).group(1)
    assert ok("--version").out == f"tracery-cli {wanted}\n"


@case("--help lists every command of the table")
def help_lists():
    with open(os.path.join(SOURCE, "app/cli/commands.inc"), encoding="utf-8") as file:
        table = re.findall(r"^COMMAND \((\w+)\)", file.read(), re.MULTILINE)
    assert len(table) > 0
    assert [name.split()[0] for name in commands()] == [name.split("_")[0] for name in table]
    assert run("-h").out == run("help").out == run("--help").out


@case("no command at all is wrong usage, with the help on standard error")
def nothing():
    result = run()
    assert result.status == 2 and result.out == "" and "Usage:" in result.err, str(result)


@case("an unknown command is one sentence and status 2")
def unknown():
    assert "“frobnicate”" in refused("frobnicate", status=2)
    assert "“\ufffd”" in refused(b"\xff", status=2)


@case("every command has a help of its own")
def each_help():
    for name in commands():
        result = ok(*name.split(), "--help")
        assert f"tracery-cli {name} " in result.out, str(result)
        assert "--json" in result.out and "--progress" in result.out, str(result)
        assert result.err == "", str(result)


@case("every command refuses an unknown option with status 2")
def each_unknown_option():
    for name in commands():
        assert "--no-such-option" in refused(*name.split(), "--no-such-option", status=2)


@case("every command refuses an argument too many with status 2")
def each_too_many():
    for name in commands():
        sentence = refused(*name.split(), *(["x"] * 40), status=2)
        assert "too many" in sentence, sentence


@case("the first word of a pair asks for the second")
def half_a_pair():
    for name in {name.split()[0] for name in commands() if " " in name}:
        assert "second word" in refused(name, status=2)
        assert f"{name} " in ok(name, "--help").out


main()
