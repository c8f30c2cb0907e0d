#!/usr/bin/env python3
"""Makes the goldens: runs each chapter's program NN_name.py and lists what it saved in manifest.json.

    make.py [NN ...]            write the .npy files of all chapters, or of those named, and their part of the manifest
    make.py --check [NN ...]    make them again in a temporary folder and compare with the files here
    make.py --verify            compare the files with the manifest: needs neither NumPy nor PyTorch

It ends with 1 when a comparison fails, and says which file differs and how. --check allows 1e-12 of an array's largest
entry, since another version of PyTorch may sum in another order; --verify compares every byte.
"""

import argparse
import hashlib
import importlib.util
import json
import pathlib
import platform
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MANIFEST = HERE / "manifest.json"
TOLERANCE = 1e-12


def programs(numbers):
    found = sorted(HERE.glob("[0-9][0-9]_*.py"))
    unknown = set(numbers) - {path.name[:2] for path in found}
    if unknown:
        sys.exit(f"make.py: no program for chapter {', '.join(sorted(unknown))}; there are "
                 + ", ".join(path.name for path in found))
    return [path for path in found if not numbers or path.name[:2] in numbers]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(program, root):
    """Runs one program with its files going to root/NN-name; returns its entry of the manifest."""
    import numpy
    import torch
    from common import Goldens

    spec = importlib.util.spec_from_file_location(program.stem, program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    chapter = program.stem.replace("_", "-")
    goldens = Goldens(root / chapter, module.SEED)
    module.make(goldens)
    files = {}
    for name, role in sorted(goldens.roles.items()):
        path = root / chapter / f"{name}.npy"
        array = numpy.load(path)
        files[f"{chapter}/{name}.npy"] = {"role": role, "dtype": str(array.dtype), "shape": list(array.shape),
                                          "sha256": sha256(path)}
    versions = {"python": platform.python_version(), "numpy": numpy.__version__, "torch": torch.__version__}
    return {"program": program.name, "seed": module.SEED, "versions": versions, "files": files}


def read_manifest():
    return json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}


def write_manifest(manifest):
    text = json.dumps(manifest, indent=1, sort_keys=True)
    # The innermost objects on one line each, so that a changed file shows as one changed line.
    text = re.sub(r"\{[^{}]*\}", lambda match: re.sub(r"\s+", " ", match[0]), text)
    temporary = MANIFEST.with_suffix(".tmp")
    temporary.write_text(text + "\n")
    temporary.replace(MANIFEST)


def make(numbers):
    for program in programs(numbers):
        entry = run(program, HERE)
        chapter = program.stem.replace("_", "-")
        for path in (HERE / chapter).glob("*.npy"):
            if f"{chapter}/{path.name}" not in entry["files"]:
                path.unlink()  # left by an earlier form of the program
        manifest = read_manifest()
        manifest[chapter] = entry
        write_manifest(manifest)
        size = sum((HERE / name).stat().st_size for name in entry["files"])
        print(f"{chapter}: {len(entry['files'])} files, {size} bytes")


def difference(made, kept):
    """What sets two arrays apart, or None."""
    import numpy

    if made.dtype != kept.dtype or made.shape != kept.shape:
        return f"made as {made.dtype} {made.shape}, here it is {kept.dtype} {kept.shape}"
    if made.size == 0:
        return None
    largest = numpy.max(numpy.abs(kept), where=numpy.isfinite(kept), initial=0)
    if numpy.allclose(made, kept, rtol=0, atol=TOLERANCE * largest, equal_nan=True):
        return None
    with numpy.errstate(invalid="ignore"):
        return f"differs by up to {numpy.nanmax(numpy.abs(made - kept)):.3g}, the largest entry is {largest:.3g}"


def check(numbers):
    """Makes everything again and returns one line for every file that differs."""
    import numpy

    problems = []
    manifest = read_manifest()
    chosen = programs(numbers)
    with tempfile.TemporaryDirectory() as folder:
        for program in chosen:
            chapter = program.stem.replace("_", "-")
            made = run(program, pathlib.Path(folder))["files"]
            listed = manifest.get(chapter, {}).get("files", {})
            problems += [f"{name}: listed, but {program.name} does not make it" for name in listed.keys() - made.keys()]
            for name in made:
                if name not in listed or not (HERE / name).exists():
                    problems.append(f"{name}: made by {program.name}, but missing here or in the manifest")
                    continue
                gap = difference(numpy.load(pathlib.Path(folder) / name), numpy.load(HERE / name))
                if gap:
                    problems.append(f"{name}: {gap}")
    if not numbers:
        names = {path.name for path in chosen}
        problems += [f"{chapter}: listed, but {entry['program']} is missing" for chapter, entry in manifest.items()
                     if entry["program"] not in names]
    return problems


def verify():
    """Returns one line for every file that is not what the manifest says."""
    problems = []
    listed = {name: entry for chapter in read_manifest().values() for name, entry in chapter["files"].items()}
    for name, entry in listed.items():
        if not (HERE / name).exists():
            problems.append(f"{name}: missing")
        elif sha256(HERE / name) != entry["sha256"]:
            problems.append(f"{name}: its sha256 is not the manifest's")
    here = {path.relative_to(HERE).as_posix() for path in HERE.glob("[0-9][0-9]-*/*.npy")}
    problems += [f"{name}: not in the manifest" for name in here - listed.keys()]
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", metavar="NN")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args()
    if not (options.check or options.verify):
        return make(options.chapters)
    problems = verify() if options.verify else check(options.chapters)
    for problem in sorted(problems):
        print(problem)
    print(f"goldens: {len(problems)} problems" if problems else "goldens: all as listed")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
