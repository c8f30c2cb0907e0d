#!/usr/bin/env python3
"""Tests the goldens: every output that a chapter's tests compare with is spoiled in turn, and some test has to fail.

    spoil_goldens.py MANIFEST 03-rmsnorm=TEST[,TEST…] …

An output is replaced by zeros, then by 1.1 times itself (tests/testing.cpp does that when CRIA_SPOIL_GOLDEN asks for
it). Where the tests still pass, no test reads that golden, or its tolerance is so wide that it says nothing. It leaves
out what numbers the goldens hold: data/golden/make.py --check makes them again.
"""

import concurrent.futures
import json
import os
import subprocess
import sys


def run(test, spoil):
    """True when the test program passes. One that crashes has not compared anything."""
    environment = dict(os.environ, CRIA_SPOIL_GOLDEN=spoil)
    done = subprocess.run([test, "--abort"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode < 0:
        raise RuntimeError(f"{test} ended by signal {-done.returncode} with CRIA_SPOIL_GOLDEN={spoil}")
    return done.returncode == 0


def problems_of(name, tests):
    problems = []
    for factor, what in (("0", "zeros"), ("1.1", "1.1 times its values")):
        if all(run(test, f"{factor}:{name}") for test in tests):
            problems.append(f"{name}: its tests pass with {what} in its place")
    return problems


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        manifest = json.load(file)
    tests = {chapter: paths.split(",") for chapter, _, paths in (part.partition("=") for part in sys.argv[2:])}
    outputs = [(chapter, name) for chapter, entry in manifest.items() for name, file in entry["files"].items()
               if file["role"] == "output"]
    problems = [f"{chapter}: has goldens, but no test program" for chapter in manifest if chapter not in tests]
    problems += [f"{chapter}: {test} fails with its goldens as they are" for chapter in tests for test in tests[chapter]
                 if not run(test, "")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(lambda output: problems_of(output[1], tests.get(output[0], [])),
                        [output for output in outputs if output[0] in tests])
        for found in done:
            problems += found
    for problem in problems:
        print(problem)
    print(f"{len(outputs)} golden outputs spoiled in {2 * len(outputs)} ways, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
