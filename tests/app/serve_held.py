#!/usr/bin/env python3
"""What cria serve holds for its clients, and for how long: a request's body until it is read, a pass for the page until
its client leaves.

    tests/app/serve_held.py PROGRAM
"""
import os
import socket
from pathlib import Path

from serving import Server, check, finish, raw, waits_until

streams = 20
filling = "a" * 1_900_000  # beside a short prompt, in a part of the request that does not change the answer
text = "a rabbit " * 60
# An answer that has only one form, and is not at its end after 400 tokens.
long = {"type": "json_schema", "json_schema": {"name": "long", "schema": {"enum": ["qxz" * 1000]}}}


def cpu_seconds(server):
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def texts(server, *more):
    return sum(server.metric(f"cria_texts_{what}") for what in ("running", "waiting", *more))


def held(server, path, body):
    """How many KiB the server takes for so many requests that are being answered, of 12 texts each."""
    accepted, before = texts(server, "total", "cancelled_total"), server.rss()
    clients = [server.socket(raw(path, {**body, "n": 12, "max_tokens": 400, "response_format": long}))
               for _ in range(streams)]
    check("all are accepted", waits_until(
        lambda: texts(server, "total", "cancelled_total") == accepted + 12 * streams))
    more = server.rss() - before
    for client in clients:
        client.close()
    check("and forgotten, when nobody waits for them", waits_until(lambda: texts(server) == 0))
    return more


# Of the sanitizer's own: what is freed is kept, to see who still reads it.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"

with Server("--parallel", "2", "--waiting", "400") as server:
    held(server, "/v1/completions", {"prompt": "Once"})  # the first time takes what is kept for the next
    for path, body in [("/v1/completions", {"prompt": "Once"}),
                       ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]})]:
        for stream in (True, False):
            more = held(server, path, {**body, "stream": stream, "user": filling})
            print(f"{path}, stream: {stream}: {streams} open requests of 1.9 MB take {more} KiB")
            check("a body is gone when it is read", more < 15 << 10, more)

    for path, body in [("/look/inside", {"text": text}), ("/look/head", {"text": text, "layer": 0, "head": 0})]:
        before = cpu_seconds(server)
        for _ in range(4):
            check("it looks inside", server.ask(path, body)[0] == 200)
        whole = cpu_seconds(server) - before
        left = f'cria_requests_total{{path="{path}",status="499"}}'
        before = cpu_seconds(server)
        for count in range(1, 5):
            with server.socket() as client:  # whose end is sent with the request, and is there before the pass begins
                client.sendall(raw(path, body), socket.MSG_MORE)
            check("a pass ends when its client has left", waits_until(
                lambda: f"{left} {count}" in server.ask("/metrics")[2]))
        print(f"{path}: {whole:.2f} s of work for four clients, {cpu_seconds(server) - before:.2f} s for four who left")
        check("at once", path == "/look/head" or cpu_seconds(server) - before < whole / 3, whole)  # a head takes 3 ms

finish()
