"""Checks the counting that ./check's last line rests on.

usage: test_summary.py
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import summary  # noqa: E402  (found through the line above)

CASES = (
    ("passes", {"result": "OK", "stdout": "1..2\nok 1 - a\nok 2 - b\n"}, (2, 0, 0)),
    ("one fails", {"result": "FAIL", "stdout": "ok 1 - a\nnot ok 2 - b\n1..2\n"}, (1, 1, 0)),
    ("one skips", {"result": "OK", "stdout": "ok 1 - a # SKIP none\nok 2\n"}, (1, 0, 1)),
    ("skipped whole", {"result": "SKIP", "stdout": "1..0 # SKIP no display\n"}, (0, 0, 1)),
    ("crashes after passing", {"result": "ERROR", "stdout": "1..2\nok 1 - a\n"}, (1, 1, 0)),
    ("runs out of time", {"result": "TIMEOUT", "stdout": ""}, (0, 1, 0)),
    ("leaks after passing all", {"result": "FAIL", "stdout": "1..1\nok 1\n"}, (1, 1, 0)),
    ("exit code only", {"result": "OK", "stdout": ""}, (1, 0, 0)),
    ("words that only look like cases", {"result": "OK", "stdout": "okay\nok 1\n"}, (1, 0, 0)),
    ("a subtest is no case", {"result": "OK", "stdout": "    ok 1 - x\nok 1\n"}, (1, 0, 0)),
)


def main():
    failed = False
    for number, (name, record, wanted) in enumerate(CASES, 1):
        counted = summary.judge(record)
        good = counted == wanted
        failed = failed or not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            print(f"# counted {counted} instead of {wanted}")
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
