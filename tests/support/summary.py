"""Counts the single cases behind runs of meson's test runner.

usage: summary.py LOG.json...

Each log holds one JSON object a line, one for each test program, with its TAP output. What
failed is printed in full; the last line is "N passed, N failed, N skipped" and the exit status
is 0 only when nothing failed and something passed.
"""

import json
import re
import sys

LINE = re.compile(r"^(not ok|ok)\b(?P<rest>.*)$")
SKIP = re.compile(r"#\s*skip", re.IGNORECASE)
PLAN_SKIP = re.compile(r"^1\.\.0\b.*#\s*skip", re.IGNORECASE)


def count_cases(output):
    """Returns (passed, failed, skipped) of one program's TAP output."""
    passed = failed = skipped = 0
    for line in output.splitlines():
        if PLAN_SKIP.match(line):
            skipped += 1
            continue
        match = LINE.match(line)
        if match is None:
            continue
        if SKIP.search(match.group("rest")):
            skipped += 1
        elif match.group(1) == "ok":
            passed += 1
        else:
            failed += 1
    return passed, failed, skipped


def judge(record):
    """Counts one record; a program that ends badly counts as a failure of its own."""
    passed, failed, skipped = count_cases(record.get("stdout") or "")
    result = record.get("result", "ERROR")
    if result == "SKIP" and skipped == 0:
        skipped = 1
    elif result not in ("OK", "EXPECTEDFAIL", "SKIP") and failed == 0:
        failed = 1
    elif result == "OK" and passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def show(record):
    print(f"\n===== {record['name']}: {record.get('result')} =====")
    for stream in ("stdout", "stderr"):
        text = (record.get(stream) or "").rstrip()
        if text:
            lines = text.splitlines()
            if len(lines) > 400:
                lines = lines[:150] + ["[…]"] + lines[-250:]
            print("\n".join(lines))


def main(paths):
    totals = [0, 0, 0]
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as log:
                records = [json.loads(line) for line in log if line.strip()]
        except (OSError, ValueError) as problem:
            print(f"{path}: {problem}")
            records = []
        if not records:
            totals[1] += 1
        for record in records:
            counts = judge(record)
            totals = [total + n for total, n in zip(totals, counts)]
            if counts[1] > 0:
                show(record)
    sys.stdout.flush()
    print(f"{totals[0]} passed, {totals[1]} failed, {totals[2]} skipped")
    return 0 if totals[1] == 0 and totals[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
