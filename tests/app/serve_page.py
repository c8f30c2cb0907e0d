#!/usr/bin/env python3
"""What the page of cria serve asks for, without a browser: its files, who may ask, and each end point of /look/ with what
is wrong.

    tests/app/serve_page.py PROGRAM
"""
import base64
import math
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from serving import Server, check, data, finish, program, raw, waits_until

text = "Once a rabbit named Ruby"


def numbers(encoded, kind):
    content = base64.b64decode(encoded)
    return struct.unpack(f"<{len(content) // 4}{kind}", content)


def pieces(answer, ids):
    return b"".join(bytes.fromhex(answer["pieces"][str(id)]) for id in ids).decode()


# ── The page and who may ask ────────────────────────────────────────────────────────────────────────────────────────

with Server("--second-tokenizer", str(data / "model")) as server:
    status, headers, page = server.ask("/")
    check("the page is at /", status == 200 and headers["Content-Type"].startswith("text/html") and "<title>" in page)
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    check("it may ask its own origin only", policy["connect-src"] == "'self'" and policy["default-src"] == "'none'"
          and policy["frame-ancestors"] == "'none'", policy)
    for name in re.findall(r'(?:src|href)="([a-z_]+\.(?:js|css))"', page):
        status, headers, content = server.ask("/" + name)
        check(f"with {name}", status == 200 and content and headers["X-Content-Type-Options"] == "nosniff"
              and headers["Content-Type"].startswith("text/css" if name.endswith(".css") else "text/javascript"), headers)
    check("and nothing else", server.ask("/look.js")[0] == 404 and server.ask("/../look.css")[0] == 404
          and server.ask("//look.css")[0] == 404 and server.ask("/", {})[0] == 404)
    check("its head alone", server.ask("/", None, {}, "HEAD")[2] == "" and server.ask("/", None, {}, "HEAD")[0] == 200)

    body, here = {"text": text}, f"http://127.0.0.1:{server.port}"
    check("the page itself may ask", server.ask("/look/tokens", body, {"Origin": here})[0] == 200)
    for header in ({"Origin": "http://example.com"}, {"Origin": "null"}, {"Origin": here.replace("127.0.0.1", "localhost")},
                   {"Origin": here + "0"}, {"Host": "example.com", "Origin": "http://example.com"}):
        check("others may not", server.ask("/look/tokens", body, header)[0] == 403, header)
    check("nor see the page by another name", server.ask("/", None, {"Host": "example.com"})[0] == 403)

    # ── What it shows ───────────────────────────────────────────────────────────────────────────────────────────────

    model = server.ask("/look/model")[2]
    check("it knows the model", model["model"] == "m" and model["chat"] and model["mostTokens"] == 128 and model["text"], model)
    tokens = server.ask("/look/tokens", body)[2]
    own = tokens["tokenizers"][0]
    check("both tokenizers", [t["name"] for t in tokens["tokenizers"]] == ["m", "model"])
    check("whose tokens are the text", pieces(own, own["tokens"][1:]) == text, own)
    inside = server.ask("/look/inside", body)[2]
    check("the pass is over these", inside["tokenizers"][0] == own and len(inside["lens"][0]) == len(own["tokens"]))

    ids = own["tokens"]
    answer = server.ask("/look/next", {"tokens": ids})[2]
    drawn, logarithms = numbers(answer["next"]["ids"], "i"), numbers(answer["next"]["logits"], "f")
    check("what comes next has all tokens, whose probabilities sum to 1", len(drawn) == 1575 and answer["next"]["rest"] is None
          and abs(sum(map(math.exp, logarithms)) - 1) < 1e-5)
    of_page = dict(zip(numbers(inside["next"][-1]["ids"], "i"), numbers(inside["next"][-1]["logits"], "f")))
    # The engine computes each row apart, so the sums are formed in another order: 3.6e-6 apart here.
    check("the likeliest is the engine's and the page's", drawn[0] == max(of_page, key=of_page.get) and all(
        abs((of_page[id] - of_page[drawn[0]]) - (l - logarithms[0])) < 2e-5 for id, l in zip(drawn, logarithms)))
    said = server.complete(text, temperature=0, max_tokens=1)["choices"][0]["text"]
    check("and what the API goes on with", pieces(answer, drawn[:1]) == said, said)

    layers, heads = inside["inside"]["config"]["layers"], inside["inside"]["config"]["heads"]
    off = server.ask("/look/head", {"text": text, "layer": 2, "head": 1})[2]["off"]
    check("a head off is as in the table", off == inside["headsOff"][2 * heads + 1], off)
    check("one after the other nobody is turned away", all(
        server.ask("/look/head", {"text": text, "layer": 0, "head": 0})[0] == 200 for _ in range(20)))

    question = [{"role": "user", "content": "Hi <|end_of_text|>"}]
    chat = server.ask("/look/chat", {"messages": question})[2]
    tokenized = server.ask("/tokenize", {"messages": question})[2]["tokens"]
    check("the conversation has the API's tokens", chat["tokens"] == tokenized, chat)
    check("special ones are those that a message cannot write", chat["tokens"][0] in chat["special"]
          and len([id for id in chat["tokens"] if id in chat["special"]]) == 1, chat)
    question = [{"role": "user", "content": "Tell a story about a rabbit named Ruby who lends her kite"}]
    check("the cache has none of it", server.ask("/look/chat", {"messages": question})[2]["blocks"] == [None])
    before = server.ask("/look/steps")[2]["last"]
    server.chat(question[0]["content"], max_tokens=10)
    blocks = server.ask("/look/chat", {"messages": question})[2]["blocks"]
    check("until it was answered", len(blocks) == 1 and blocks[0]["users"] == 0, blocks)
    steps = server.ask(f"/look/steps?after={before}")[2]
    # 23 tokens are read in one pass, which draws the first; nine more draw the others.
    check("the timeline has its passes", [part[1:] for step in steps["steps"] for part in step["parts"]] ==
          [[23, 1]] + [[1, 1]] * 9, steps)
    check("looking is none", server.ask("/look/steps")[2]["last"] == steps["last"])

    # ── What is wrong ───────────────────────────────────────────────────────────────────────────────────────────────

    for why, path, body, status, param in [
            ("no text", "/look/tokens", {}, 400, "text"),
            ("a text that is none", "/look/tokens", {"text": 1}, 400, "text"),
            ("one too long to type", "/look/tokens", {"text": "a" * 8193}, 400, "text"),
            ("a key too many", "/look/tokens", {"text": "a", "x": 1}, 400, "x"),
            ("a list", "/look/inside", [], 400, None),
            ("more tokens than a page holds", "/look/inside", {"text": "rabbit " * 200}, 400, "text"),
            ("no layer", "/look/head", {"text": "a", "head": 0}, 400, "layer"),
            ("no such layer", "/look/head", {"text": "a", "layer": layers, "head": 0}, 400, "layer"),
            ("no such head", "/look/head", {"text": "a", "layer": 0, "head": heads}, 400, "head"),
            ("a head below", "/look/head", {"text": "a", "layer": 0, "head": -1}, 400, "head"),
            ("half a head", "/look/head", {"text": "a", "layer": 0, "head": 0.5}, 400, "head"),
            ("no tokens", "/look/next", {"tokens": []}, 400, "tokens"),
            ("a token that there is not", "/look/next", {"tokens": [1575]}, 400, "tokens"),
            ("tokens as text", "/look/next", {"tokens": "a"}, 400, "tokens"),
            ("more than the context", "/look/next", {"tokens": [1] * 513}, 400, "tokens"),
            ("all of the context", "/look/next", {"tokens": [1] * 512}, 400, None),
            ("no messages", "/look/chat", {"messages": []}, 400, "messages"),
            ("a stranger's message", "/look/chat", {"messages": [{"role": "cat", "content": "a"}]}, 400, "messages[0].role"),
            ("a long conversation", "/look/chat", {"messages": [{"role": "user", "content": "a" * (128 << 10)}]}, 400, "messages"),
            ("the wrong method", "/look/steps", {}, 405, None), ("no such thing", "/look/other", {}, 404, None)]:
        got, _, answer = server.ask(path, body)
        check(why, got == status and answer["error"]["param"] == param and answer["error"]["message"], answer)
    for query in ("after=", "after=-1", "after=1&x", "x=1", "after=99999999999999999999"):
        check("a query that is none", server.ask("/look/steps?" + query)[0] == 400, query)
    check("forms are no JSON", server.ask("/look/inside", "text=a", {"Content-Type": "text/plain"})[0] == 415)

    # ── One at a time, and nobody else waits ────────────────────────────────────────────────────────────────────────

    alone = server.complete(seed=9, max_tokens=100)["choices"][0]["text"]
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # most of its answer stays with the server
    slow.connect(("127.0.0.1", server.port))
    slow.sendall(raw("/look/inside", {"text": "a rabbit " * 60}))
    check("while one takes its pass, another is told to come again", waits_until(lambda: server.ask("/look/inside", {"text": "a"})[0] == 429))
    status, headers, answer = server.ask("/look/head", {"text": "a", "layer": 0, "head": 0})
    check("in OpenAI's form", status == 429 and headers["Retry-After"] == "1" and answer["error"]["code"] == "look_busy"
          and answer["error"]["type"] == "rate_limit_error", answer)
    check("what is wrong is so at once", server.ask("/look/head", {"text": "a", "layer": layers, "head": 0})[0] == 400)
    check("texts are written", server.complete(seed=9, max_tokens=100)["choices"][0]["text"] == alone)
    slow.close()
    check("and its turn ends with it", waits_until(lambda: server.ask("/look/inside", {"text": "a"})[0] == 200))
    stop = threading.Event()

    def looks():
        while not stop.is_set():
            server.ask("/look/inside", {"text": text})

    thread = threading.Thread(target=looks)
    thread.start()
    said = [server.complete(seed=9, max_tokens=100)["choices"][0]["text"] for _ in range(5)]
    stop.set()
    thread.join()
    check("a text has the same bits beside passes for the page", said == [alone] * 5, said)

with Server("--api-key", "secret", "--lessons", "https://example.org/book", model="model") as server:
    name = {"Host": "llama.example.com", "Origin": "https://llama.example.com"}
    check("the page is everybody's", server.ask("/")[0] == 200 and server.ask("/base.js")[0] == 200)
    check("what it shows is not", all(server.ask(path, body)[0] == 401 for path, body in [
        ("/look/model", None), ("/look/steps", None), ("/look/tokens", {"text": "a"}), ("/look/inside", {"text": "a"}),
        ("/look/head", {}), ("/look/next", {}), ("/look/chat", {})]))
    key = {"Authorization": "Bearer secret"}
    model = server.ask("/look/model", None, key)[2]
    check("with the key it is", not model["chat"] and "--template" in model["whyNoChat"]
          and model["lessons"]["folder"] == "https://example.org/book/", model)
    check("and behind a proxy's name", server.ask("/look/tokens", {"text": "a"}, {**key, **name})[0] == 200)
    check("with no template there is no conversation", server.ask("/look/chat", {
        "messages": [{"role": "user", "content": "Hi"}]}, key)[0] == 400)

# ── The lessons ─────────────────────────────────────────────────────────────────────────────────────────────────────

with tempfile.TemporaryDirectory() as folder:
    root = Path(folder)
    (root / "data").symlink_to(data)
    lesson = root / "build/book/chapters/22-serving"
    for name, content in [(lesson / "index.html", "<h1>22 Serving</h1>"), (root / "build/book/book.css", "a {}"),
                          (root / "build/book/.hidden.html", "secret"), (root / "build/book/x.key", "secret"),
                          (root / "build/above.html", "secret")]:
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_text(content)
    os.environ["CRIA_DATA"] = str(root / "data")
    with Server("--api-key", "secret") as server:
        links = server.ask("/look/model", None, {"Authorization": "Bearer secret"})[2]["lessons"]
        check("where the book was written, chapters are links",
              links == {"folder": "/book/chapters/", "file": "index.html"}, links)
        status, headers, content = server.ask(links["folder"] + "22-serving/" + links["file"])
        check("to its lessons", status == 200 and "22 Serving" in content
              and headers["Content-Type"].startswith("text/html"))
        check("with nothing from elsewhere", headers["Content-Security-Policy"].startswith("default-src 'none'"))
        check("a folder is its index", server.ask("/book/chapters/22-serving/")[2] == content)
        style = server.ask("/book/book.css")
        check("with their style", style[0] == 200 and style[1]["Content-Type"].startswith("text/css"))
        for path in ("/book/.hidden.html", "/book/x.key", "/book/../above.html", "/book/chapters/../../above.html",
                     "/book/%2e%2e/above.html", "/book//etc/hostname", "/book/none.html", "/book/", "/book",
                     "/book/chapters", "/book/chapters/22-serving", "/book/book.css/"):
            check("and nothing else", server.ask(path)[0] == 401, path)
    with Server("--lessons", "https://example.org/book") as server:
        check("unless they are elsewhere",
              server.ask("/look/model")[2]["lessons"]["folder"] == "https://example.org/book/")
    (root / "build/book").rename(root / "build/none")
    with Server() as server:
        check("no book, no links", server.ask("/look/model")[2]["lessons"] is None
              and server.ask("/book/book.css")[0] == 404)
    del os.environ["CRIA_DATA"]

wrong = subprocess.run([program, "serve", data / "model", "--port", "0", "--second-tokenizer", "none"], capture_output=True, text=True)
check("a second tokenizer that is none is one line", wrong.returncode == 2 and len(wrong.stderr.splitlines()) == 1
      and "none" in wrong.stderr and not wrong.stdout, wrong)

finish()
