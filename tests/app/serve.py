#!/usr/bin/env python3
"""cria serve as its clients meet it, with the models that come with cria and Python's standard library.

    tests/app/serve.py PROGRAM [--bad COUNT]     so many requests at random that are wrong; 300, and 10000 to be sure
"""
import json
import random
import socket
import sys
import threading
import time

from serving import Server, check, data, events, finish, printed, raw, received, waits_until

bad_requests = int(sys.argv[sys.argv.index("--bad") + 1]) if "--bad" in sys.argv else 300

# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

with Server("--context", "128") as server:
    check("it is well", server.ask("/health")[2] == {"status": "ok"})
    models = server.ask("/v1/models")[2]
    check("its model is listed", [m["id"] for m in models["data"]] == ["m"] and models["object"] == "list", models)
    check("and found by name", server.ask("/v1/models/m")[2]["object"] == "model")
    check("another is not", server.ask("/v1/models/x")[2]["error"]["code"] == "model_not_found")

    question = "Tell a story about a rabbit."
    whole = server.chat(question, temperature=0, max_tokens=40, model="m")
    said = whole["choices"][0]["message"]["content"]
    check("it says what cria chat says", printed("chat", str(data / "assistant"), "-p", question, "--temperature", "0",
                                                 "-n", "40").strip("\n") == said, said)
    check("and stops where it may", whole["choices"][0]["finish_reason"] == "length"
          and whole["usage"]["completion_tokens"] == 40, whole)
    continued = server.complete("Once", temperature=0, max_tokens=30)["choices"][0]["text"]
    check("it continues as cria sample does", printed("sample", str(data / "assistant"), "-p", "Once", "--temperature",
                                                      "0", "-n", "30").strip("\n") == "Once" + continued, continued)

    wanted = {"messages": [{"role": "user", "content": question}], "seed": 5, "n": 2, "max_tokens": 60, "logprobs": True,
              "top_logprobs": 2}
    whole = server.ask("/v1/chat/completions", wanted)[2]
    status, headers, text = server.ask("/v1/chat/completions",
                                       {**wanted, "stream": True, "stream_options": {"include_usage": True}})
    chunks = events(text)
    check("a stream is one of events", headers["Content-Type"] == "text/event-stream", headers)
    check("all chunks have one id and time", len({(c["id"], c["created"], c["object"]) for c in chunks}) == 1)
    check("the last has the usage, and no choices", chunks[-1]["choices"] == [] and chunks[-1]["usage"] == whole["usage"])
    check("the others have none", all(c["usage"] is None for c in chunks[:-1]))
    for i, choice in enumerate(whole["choices"]):
        parts = [c["choices"][0] for c in chunks[:-1] if c["choices"][0]["index"] == i]
        check("a stream begins with the role", parts[0]["delta"]["role"] == "assistant")
        check("its parts are the whole", "".join(p["delta"].get("content", "") for p in parts)
              == choice["message"]["content"], choice)
        check("and end for the same reason", parts[-1]["finish_reason"] == choice["finish_reason"])
        entries = [entry for p in parts if p["logprobs"] for entry in p["logprobs"]["content"]]
        check("with the same logprobs", entries == choice["logprobs"]["content"])
        check("of each token", bytes(b for entry in entries for b in entry["bytes"]).decode()
              == choice["message"]["content"])
        check("the likeliest first", all(e["top_logprobs"][0]["logprob"] >= e["top_logprobs"][1]["logprob"]
                                         and e["logprob"] <= e["top_logprobs"][0]["logprob"] <= 0 for e in entries))
    check("two texts are two", len({c["message"]["content"] for c in whole["choices"]}) == 2)
    again = server.ask("/v1/chat/completions", wanted)[2]
    check("a seed gives the same again", again["choices"] == whole["choices"])
    check("the second is that of the next seed",
          server.ask("/v1/chat/completions", {**wanted, "seed": 6, "n": 1})[2]["choices"][0]["message"]
          == whole["choices"][1]["message"])
    check("without one, every answer is another", server.chat()["choices"] != server.chat()["choices"])

    stopped = server.chat(question, temperature=0, stop=["xyz", said[20:24]])
    check("a stop string ends it", stopped["choices"][0]["message"]["content"] == said[:20]
          and stopped["choices"][0]["finish_reason"] == "stop", stopped)
    parts = [{"type": "text", "text": "Tell a story "}, {"type": "text", "text": "about a rabbit."}]
    check("a content in parts is their text", server.chat(parts, temperature=0, max_tokens=40)["choices"][0]["message"]
          ["content"] == said)

    ids = server.ask("/tokenize", {"content": "Once upon a", "add_special": True})[2]["tokens"]
    check("ids are tokens again", server.ask("/detokenize", {"tokens": ids[1:]})[2] == {"content": "Once upon a"})
    pieces = server.ask("/tokenize", {"content": "Once upon", "with_pieces": True})[2]["tokens"]
    check("pieces are shown", "".join(p["piece"] for p in pieces) == "Once upon", pieces)
    check("a conversation can be counted", server.ask("/tokenize", {"messages": wanted["messages"]})[2]["count"]
          == whole["usage"]["prompt_tokens"])
    both = server.complete(["Once upon a", ids], temperature=0, logprobs=1, max_tokens=5)
    check("ids and text are the same prompt", both["choices"][0]["text"] == both["choices"][1]["text"], both)
    check("of each, logprobs", len(both["choices"][1]["logprobs"]["token_logprobs"]) == 5)
    check("counted together", both["usage"] == {"prompt_tokens": 2 * len(ids), "completion_tokens": 10,
                                                "total_tokens": 2 * len(ids) + 10}, both["usage"])
    echoed = server.complete(ids, echo=True, max_tokens=0)["choices"][0]
    check("a prompt can be echoed alone", echoed["text"].endswith("Once upon a") and echoed["finish_reason"] == "length",
          echoed)
    wild = {"prompt": "Once", "temperature": 2, "seed": 3, "max_tokens": 100}
    stream = events(server.ask("/v1/completions", {**wild, "stream": True})[2])
    check("characters are never split", "".join(c["choices"][0]["text"] for c in stream)
          == server.ask("/v1/completions", wild)[2]["choices"][0]["text"])

    # ── What cannot be ──────────────────────────────────────────────────────────────────────────────────────────────

    for why, path, body, status, param, code in [
            ("no JSON", "/v1/chat/completions", "{", 400, None, None),
            ("not UTF-8", "/v1/completions", b'{"prompt": "\xff"}', 400, None, None),
            ("a key twice", "/v1/completions", '{"prompt": "a", "prompt": "b"}', 400, None, None),
            ("deep nesting", "/v1/completions", "[" * 100000, 400, None, None),
            ("a list", "/tokenize", "[]", 400, None, None),
            ("no messages", "/v1/chat/completions", {}, 400, "messages", None),
            ("a wrong type", "/v1/completions", {"prompt": "a", "n": "2"}, 400, "n", None),
            ("an unknown key", "/v1/completions", {"prompt": "a", "mirostat": 2}, 400, "mirostat",
             "unsupported_parameter"),
            ("an unknown model", "/v1/completions", {"prompt": "a", "model": "gpt-9"}, 404, "model", "model_not_found"),
            ("too long a prompt", "/v1/completions", {"prompt": "Once " * 200}, 400, None, "context_length_exceeded"),
            ("a form not known", "/v1/completions", {"prompt": "a", "response_format": {"type": "xml"}}, 400,
             "response_format.type", None),
            ("much to tokenize", "/tokenize", {"content": "a" * 1048577}, 400, "content", None),
            ("or to show", "/tokenize", {"content": "a" * 131073, "with_pieces": True}, 400, "content", None),
            ("many tokens", "/detokenize", {"tokens": [1] * 262145}, 400, "tokens", None),
            ("a token not known", "/detokenize", {"tokens": [1000000]}, 400, "tokens", None),
            ("nothing there", "/v2", {}, 404, None, "not_found"),
            ("the wrong method", "/v1/models", {}, 405, None, None)]:
        got, headers, answer = server.ask(path, body)
        error = answer.get("error", {})
        check(why, got == status and error.get("param") == param and error.get("code") == code and error["message"],
              answer)
    check("the method that is right is said", server.ask("/health", {})[1]["Allow"] == "GET")
    check("forms are no JSON", server.ask("/v1/completions", "prompt=a",
                                          {"Content-Type": "application/x-www-form-urlencoded"})[0] == 415)
    check("too large a body", server.socket(
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n").recv(12) == b"HTTP/1.1 413")
    check("no HTTP", b'"invalid_request_error"' in received(server.socket(b"\x16\x03\x01 hello\r\n\r\n")))
    check("pages of others are not let in", "Access-Control-Allow-Origin" not in server.ask("/health")[1])
    for header in ({"Origin": "http://example.com"}, {"Origin": "null"}, {"Host": "example.com:8080"},
                   {"Host": "127.example.com"}):
        check("nor answered", server.ask("/v1/completions", {"prompt": "a"}, header)[0] == 403, header)
    check("this machine is, by any name", all(server.ask("/health", None, {"Host": host})[0] == 200 for host in (
        "localhost:1", "LOCALHOST", "127.0.0.2:80", "[::1]:8080")))

    # ── Those who leave, and those who are many ─────────────────────────────────────────────────────────────────────

    for stream in (False, True):
        before = server.metric("cria_texts_cancelled_total")
        leaving = server.socket(raw("/v1/completions", {"prompt": "Once", "n": 60, "max_tokens": 120, "stream": stream}))
        waits_until(lambda: server.metric("cria_texts_running") > 0)
        leaving.close()
        check("whoever leaves frees the places", waits_until(
            lambda: server.metric("cria_texts_running") + server.metric("cria_texts_waiting") == 0))
        check("at once", server.metric("cria_texts_cancelled_total") > before)

    alone = server.complete(seed=9, max_tokens=100)["choices"][0]["text"]
    together = [None] * 12

    def one(i):
        together[i] = server.complete(seed=9 if i % 2 else i, max_tokens=100)["choices"][0]["text"]

    threads = [threading.Thread(target=one, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("an answer does not depend on who else is served", together[1::2] == [alone] * 6, together)

    # ── At random ───────────────────────────────────────────────────────────────────────────────────────────────────

    chance = random.Random(1)
    values = [None, True, -1, 0, 1.5, 10**30, "", "a", "\ud800", [], [[]], [1], {}, {"a": 1}, "\0", ["a"] * 50]
    keys = ["messages", "prompt", "model", "n", "stop", "seed", "stream", "stream_options", "logprobs", "top_logprobs",
            "temperature", "max_tokens", "response_format", "content", "tokens", "text", "layer",
            "head", "x"]
    statuses, sizes = {}, []
    for number in range(bad_requests):
        if number in (bad_requests // 2, bad_requests - 1):
            sizes.append(server.rss())
        path = chance.choice(["/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize", "/look/tokens",
                              "/look/inside", "/look/head", "/look/next", "/look/chat"])
        body = json.dumps({"x": 0, **{chance.choice(keys): chance.choice(values) for _ in range(3)}})  # never right
        sent = raw(path, 0).replace(b"Length: 1\r\n\r\n0", f"Length: {len(body)}\r\n\r\n{body}".encode())
        for _ in range(chance.choice([0, 0, 1, 5])):
            at = chance.randrange(len(sent))
            sent = sent[:at] + bytes([chance.randrange(256)]) * chance.choice([0, 1, 1, 3000]) + sent[at + 1:]
        with server.socket(sent) as connected:
            connected.shutdown(socket.SHUT_WR)
            answer = received(connected)
        statuses[answer[9:12]] = statuses.get(answer[9:12], 0) + 1
    print(f"{bad_requests} wrong requests:", dict(sorted(statuses.items())), f"memory {sizes} KiB")
    check("wrong requests are answered with 4xx, or not at all", set(statuses) <= {
        b"", b"400", b"404", b"405", b"408", b"403", b"413", b"414", b"415", b"417", b"431", b"501", b"505"}, statuses)
    check("and cost no memory", sizes[1] - sizes[0] < 4096, sizes)
    check("and it is still well", server.complete(seed=9, max_tokens=100)["choices"][0]["text"] == alone)

with Server("--parallel", "1", "--waiting", "4", "--time-out", "1", model="model") as server:
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(
        server.ask("/v1/completions", {"prompt": "Once", "n": 3, "max_tokens": 200}))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [a for a in answers if a[0] == 429]
    check("too many are told to come again", refused and len(refused) < 16 and all(
        a[1]["Retry-After"] == "1" and a[2]["error"]["code"] == "queue_full" for a in refused), answers[0])
    check("and all others are served", all(a[0] in (200, 429) for a in answers))
    check("more than can ever wait is wrong", server.ask("/v1/completions", {"prompt": "a", "n": 9})[0] == 400)
    error = server.ask("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]})[2]["error"]
    check("a model without a template says so", "--template" in error["message"], error)
    slow = server.socket()
    begin, answer = time.time(), b""
    slow.settimeout(0.2)
    for byte in raw("/v1/completions", {"prompt": "Once"}):
        try:
            slow.send(bytes([byte]))
            answer = slow.recv(12)
            break
        except TimeoutError:
            pass
    check("a byte now and then is too slow", answer == b"HTTP/1.1 408" and time.time() - begin < 20, answer)

with Server("--api-key", "secret", "--cors", "http://localhost:3000") as server:
    path, body = "/v1/completions", {"prompt": "Once"}
    check("a key is needed", server.ask(path, body)[2]["error"]["code"] == "invalid_api_key")
    check("the right one", server.ask(path, body, {"Authorization": "Bearer secreT"})[0] == 401)
    check("before the body is sent", server.socket(
        b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n").recv(12) == b"HTTP/1.1 401")
    check("and then all is well", server.ask(path, body, {"Authorization": "Bearer secret"})[0] == 200)
    check("health is everybody's", server.ask("/health")[0] == 200 and server.ask("/metrics")[0] == 401)
    status, headers, _ = server.ask(path, None, {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST",
                                                 "Access-Control-Request-Headers": "x-a"}, "OPTIONS")
    check("a page may ask whether it may ask", status == 204 and headers["Access-Control-Allow-Headers"] == "x-a"
          and headers["Access-Control-Allow-Origin"] == "http://localhost:3000", headers)

with Server() as server:
    late = server.socket(raw("/v1/completions", {"prompt": "Once", "n": 60, "max_tokens": 200, "stream": True,
                                                 "temperature": 2}).replace(b"Host: ", b"Connection: close\r\nHost: "))
    begun = late.recv(1 << 12)
    server.stop()
    server.stop = lambda: None  # a second signal would end it at once
    rest = received(late)
    check("told to stop, it finishes what runs", begun.startswith(b"HTTP/1.1 200") and b"data: [DONE]" in rest)
    check("all of it", (begun + rest).count(b'"finish_reason":"length"') + (begun + rest).count(b'"finish_reason":"stop"')
          == 60)
    try:
        server.socket()
        check("and takes nothing new", False)
    except ConnectionError:
        check("and takes nothing new", True)

finish()
