"""What the tests of cria serve share: the program with a free port, and counts of what is as it should be."""
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

program = sys.argv[1]
data = Path(__file__).resolve().parents[2] / "data"
passed = failed = 0


def check(name, truth, shown=""):
    global passed, failed
    if truth:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {name}\n{shown}")


class Server:
    """The program with a free port; left with `with`, it has to end well."""

    def __init__(self, *options, model="assistant"):
        self.process = subprocess.Popen([program, "serve", str(data / model), "--name", "m", "--port", "0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.split("/v1")[0].rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)

    def __exit__(self, *_):
        self.stop()
        check("it ends with 0", self.process.wait(60) == 0, self.process.stderr.read())

    def ask(self, path, body=None, headers={}, method=None):
        """Status, headers, and the value or text of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        given = {"Content-Type": "application/json", **headers} if body is not None else headers
        text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        connection.request(method or ("GET" if body is None else "POST"), path, text, given)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        is_json = answer.headers.get("Content-Type") == "application/json" and content
        return answer.status, answer.headers, json.loads(content) if is_json else content

    def chat(self, text="Tell a story about a rabbit.", **rest):
        return self.ask("/v1/chat/completions", {"messages": [{"role": "user", "content": text}], **rest})[2]

    def complete(self, prompt="Once", **rest):
        return self.ask("/v1/completions", {"prompt": prompt, **rest})[2]

    def socket(self, sent=b""):
        connected = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connected.sendall(sent)
        return connected

    def metric(self, name):
        lines = self.ask("/metrics")[2].splitlines()
        return float(next(line for line in lines if line.startswith(name + " ")).split()[1])

    def rss(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def events(text):
    """The values of a stream, which has to end with [DONE]."""
    parts = text.split("\n\n")
    check("a stream ends with [DONE]", parts[-2:] == ["data: [DONE]", ""], text[-200:])
    return [json.loads(part.removeprefix("data: ")) for part in parts[:-2]]


def raw(path, body):
    content = json.dumps(body).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n").encode() + content


def received(connected):
    all = b""
    while part := connected.recv(1 << 16):
        all += part
    return all


def waits_until(condition, seconds=20):
    end = time.time() + seconds
    while not condition() and time.time() < end:
        time.sleep(0.02)
    return condition()


def printed(*command):
    return subprocess.run([program, *command], capture_output=True, text=True).stdout


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)
