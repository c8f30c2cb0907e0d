#!/usr/bin/env python3
"""A run that is watched (`cria train --watch`), and the models that it kept, as `cria look` shows them.

    watch.py PROGRAM

What a page gets is what the log has; the weights are those of a run that nobody watches; who may ask; how runs end; what
the page says of kept models is what `cria trace` computes. What a browser makes of it is watch_page.py's.
"""
import argparse
import http.client
import json
import math
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

RECIPE = """
model:
  dim: 32
  hidden_dim: 64
  layers: 1
  heads: 2
  kv_heads: 1
  head_dim: 16
tokenizer:
  vocabulary: 400
data:
  context: 256
  batch: 2
"""
TEXT = "Once a rabbit"
problems = []


def expect(name, truth, shown=""):
    if not truth:
        problems.append(f"{name}: {shown}")


def near(a, b):
    """The log has 6 digits."""
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-9)


class Run:
    """A run that is watched at a free port."""

    def __init__(self, program, folder, *options):
        recipe = folder.parent / "recipe.yaml"
        recipe.write_text(RECIPE)
        self.folder = folder
        self.process = subprocess.Popen(
            [program, "train", "--recipe", recipe, "--threads", "1", "--out", folder, "--watch", "0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"Watch this run at http://127\.0\.0\.1:(\d+)/\n", line)
        if not found:
            sys.exit(f"no address: {line!r} {self.process.communicate(timeout=60)}")
        self.port = int(found[1])

    def ask(self, path, method="GET", headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, headers=headers)
        return connection.getresponse()

    def events(self):
        answer = self.ask("/training")
        expect("events have their type", answer.headers["Content-Type"] == "text/event-stream")
        try:
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        except (http.client.IncompleteRead, ConnectionError):
            pass

    def log(self):
        return [json.loads(line) for line in (self.folder / "log.jsonl").read_text().splitlines()]

    def end(self):
        said, complaint = self.process.communicate(timeout=60)
        return self.process.returncode, said, complaint


def check_equal(name, lines, log):
    """Lines of a page are rows of the log."""
    expect(f"{name}: every step is there", [line["step"] for line in lines] == [row["step"] for row in log],
           f"{len(lines)} and {len(log)}")
    for line, row in zip(lines, log):
        wrong = [key for key in ("loss", "bits_per_byte", "val_loss", "lr", "grad_norm")
                 if (row[key] is None) != (key not in line) or (key in line and not near(line[key], row[key]))]
        expect(f"{name}: step {row['step']} is as in the log", not wrong, f"{wrong}: {line} {row}")
        expect(f"{name}: what was measured is marked", line["measured"] == (row["val_loss"] is not None))


def followed(events):
    """All lines of a page, the states that it went through, and the last event."""
    lines, states, news = [], [], {}
    for news in events:
        lines = news["lines"] if news["whole"] else lines + news["lines"]
        states.append(news["state"])
    return lines, states, news


def check_paths(run):
    page = run.ask("/")
    expect("the page is there", b"<title>" in page.read() and "connect-src 'self'" in page.headers["Content-Security-Policy"])
    for path, type_of in (("/look.css", "text/css"), ("/training.js", "text/javascript"), ("/data.js", "text/javascript")):
        expect(f"{path} has its type", run.ask(path).headers["Content-Type"].startswith(type_of))
    for status, asked in ((404, {"path": "/log.jsonl"}), (404, {"path": "/../recipe.yaml"}), (405, {"path": "/", "method": "POST"}),
                          (403, {"path": "/training", "headers": {"Host": "evil.example"}}),
                          (403, {"path": "/training", "headers": {"Origin": "http://evil.example"}})):
        expect(f"{asked} is refused", run.ask(**asked).status == status)


def check_watched(program, work):
    run = Run(program, work / "watched", "--steps", "300", "--keep-every", "100")
    lines, states, news = followed(run.events())
    code, said, complaint = run.end()
    expect("the run ends well", code == 0 and not complaint, f"{code} {complaint}")
    expect("it says so to the page", states[-1] == "ended" and "ended" not in states[:-1], states)
    expect("with its last step", news["steps"] == 300 and news["share"] == 1)
    expect("and its name, title and floor", news["name"] == "watched" and news["title"] in said and near(news["floor"], run.log()[-1]["floor"]), news)
    check_equal("watched", lines, run.log())
    check_equal("the latest", [news["latest"]], run.log()[-1:])

    subprocess.run([program, "train", "--recipe", work / "recipe.yaml", "--threads", "1", "--out", work / "unwatched", "--steps", "300"],
                   check=True, stdout=subprocess.DEVNULL)
    expect("a run that nobody watches has the same weights",
           (work / "watched/model.safetensors").read_bytes() == (work / "unwatched/model.safetensors").read_bytes())
    return run.folder


def check_ends(program, work):
    run = Run(program, work / "stopped", "--steps", "1000000")
    check_paths(run)
    events = run.events()
    while next(events)["steps"] < 5:
        pass
    run.process.send_signal(signal.SIGINT)
    last = list(events)[-1]
    expect("a run that is stopped ends well", run.end()[0] == 0)
    expect("and says so", last["state"] == "stopped" and last["steps"] == run.log()[-1]["step"], last["state"])

    done = last["steps"]
    with open(run.folder / "log.jsonl", "a") as log:
        log.write('{"step": ')  # as of a process that was killed
    resumed = Run(program, work / "stopped", "--resume", "--steps", str(done + 20))
    lines = followed(resumed.events())[0]
    resumed.end()
    expect("a run that goes on shows its beginning, too", lines and lines[0]["step"] <= 2, lines[:1])
    expect("to its own end", resumed.log()[-1]["step"] == done + 20)

    broken = Run(program, work / "broken", "--steps", "1000000", "--save-minutes", "0.01")
    states = []
    for news in broken.events():
        if news["steps"] > 0:
            shutil.rmtree(broken.folder, ignore_errors=True)  # so it cannot be saved
        states.append(news["state"])
    expect("a run that breaks off says so", states[-1] == "failed", states)
    expect("and has its own exit code", broken.end()[0] == 2)


def check_port(program, work):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run([program, "train", "--steps", "5", "--out", work / "none", "--watch", str(port)], capture_output=True, text=True)
    expect("a port in use is refused", ended.returncode == 2 and not ended.stdout, ended)
    expect("in one line", ended.stderr == f"cria: cannot listen on 127.0.0.1 port {port}: Address already in use\n", ended.stderr)
    expect("and nothing was begun", not (work / "none").exists())
    for given in ("65536", "-1", "x"):
        ended = subprocess.run([program, "train", "--watch", given, "--out", work / "none"], capture_output=True, text=True)
        expect(f"--watch {given} is refused", ended.returncode == 2 and "--watch" in ended.stderr, ended)


def read_logits(file):
    """The rows of an .npy of float32."""
    data = file.read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    shape = [int(n) for n in re.search(rb"\(([\d, ]+)\)", data[10:10 + size])[1].split(b",") if n.strip()]
    numbers = struct.unpack(f"<{math.prod(shape)}f", data[10 + size:])
    return [numbers[i:i + shape[-1]] for i in range(0, len(numbers), shape[-1])]


def look_at(program, out, *arguments):
    ended = subprocess.run([program, "look", "--out", out, *arguments], capture_output=True, text=True)
    expect("look ends well", ended.returncode == 0, ended.stderr)
    script = (out / "data.js").read_text()
    return json.loads(script[script.index("{"):script.rindex("}") + 1]), ended.stderr


def check_kept(program, work, folder):
    data, complaint = look_at(program, work / "page", folder, "-p", TEXT, "--run", folder)
    kept, tokens = data["checkpoints"], data["tokenizers"][0]["tokens"]
    expect("the kept models are in the page", [model["step"] for model in kept["list"]] == [100, 200, 300] and kept["left_out"] == 0 and not complaint)
    for model in kept["list"]:
        at = folder / "steps" / f"{model['step']:06}"
        subprocess.run([program, "trace", at, "-p", TEXT, "--out", work / "trace"], check=True, stdout=subprocess.DEVNULL)
        rows = read_logits(work / "trace" / "logits.npy")
        for t, row in enumerate(rows):
            total = math.log(math.fsum(math.exp(x - max(row)) for x in row)) + max(row)
            if t + 1 < len(tokens):
                bits = (total - row[tokens[t + 1]]) / math.log(2)
                expect("bits are those of the model's logits", math.isclose(model["bits"][t], bits, rel_tol=1e-9), (model["bits"][t], bits))
            best = sorted(range(len(row)), key=lambda i: (-row[i], i))[:5]
            expect("the likeliest are those of its logits", [i for i, _ in model["top"][t]] == best)
            expect("with their probabilities", all(math.isclose(p, math.exp(row[i] - total), rel_tol=1e-5) for i, p in model["top"][t]))
    costs = [sum(model["bits"]) for model in kept["list"]]
    expect("the text costs less from model to model", costs == sorted(costs, reverse=True), costs)
    expect("the last kept model is the run's", (folder / "steps/000300/model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes())

    data, complaint = look_at(program, work / "other", "--run", folder)
    expect("models with other tokens are left out", data["checkpoints"] is None and "it has another tokenizer" in complaint, complaint)
    subprocess.run([program, "train", "--recipe", work / "recipe.yaml", "--out", work / "many", "--steps", "40", "--keep-every", "1"],
                   check=True, stdout=subprocess.DEVNULL)
    data, complaint = look_at(program, work / "some", work / "many", "-p", TEXT, "--run", work / "many")
    steps = [model["step"] for model in data["checkpoints"]["list"]]
    expect("of many models there are 32", len(steps) == 32 and steps[0] == 1 and steps[-1] == 40 and data["checkpoints"]["left_out"] == 8, steps)
    expect("which is said", complaint == "cria: the run has kept 40 models, and the page has 32 of them\n", complaint)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    program = str(pathlib.Path(parser.parse_args().program).resolve())
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder).resolve()
        watched = check_watched(program, work)
        check_ends(program, work)
        check_port(program, work)
        check_kept(program, work, watched)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
