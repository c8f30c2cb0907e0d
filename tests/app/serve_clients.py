#!/usr/bin/env python3
"""cria serve under clients that others wrote: the packages openai and langchain-openai (PyPI).

    tests/app/serve_clients.py PROGRAM

Ends with 77, which CTest shows as skipped, where one of them is not installed.
"""
import signal
import subprocess
import sys
from pathlib import Path

try:
    import openai
    from langchain_openai import ChatOpenAI, OpenAI
except ImportError as missing:
    print("skipped:", missing, "for", sys.executable)
    sys.exit(77)

model = Path(__file__).resolve().parents[2] / "data" / "assistant"
process = subprocess.Popen([sys.argv[1], "serve", model, "--port", "0", "--api-key", "secret", "--context", "256"],
                           stdout=subprocess.PIPE, text=True)
url = process.stdout.readline().split(" at ")[1].split(",")[0]
messages = [{"role": "user", "content": "Tell a story about a rabbit named Ruby who lends her kite"}]


def check(name, truth, shown=""):
    print(("passed: " if truth else "FAILED: ") + name, "" if truth else shown)
    if not truth:
        process.kill()
        sys.exit(1)


def raises(kind, call, code=None):
    try:
        call()
    except kind as error:
        return code is None or error.code == code
    return False


client = openai.OpenAI(base_url=url, api_key="secret", max_retries=0)
chat = client.chat.completions
check("models", [m.id for m in client.models.list()] == ["assistant"] and client.models.retrieve("assistant").id)
whole = chat.create(model="assistant", messages=messages, seed=1, temperature=0.5, max_completion_tokens=60, n=2,
                    logprobs=True, top_logprobs=3, user="me", stop=["xyz"])
check("a chat", len(whole.choices) == 2 and whole.usage.completion_tokens > 0 and whole.choices[0].message.content)
check("logprobs", len(whole.choices[0].logprobs.content[0].top_logprobs) == 3)
text, usage = ["", ""], None
for chunk in chat.create(model="assistant", messages=messages, seed=1, temperature=0.5, max_completion_tokens=60, n=2,
                         stream=True, stream_options={"include_usage": True}):
    usage = chunk.usage or usage
    for choice in chunk.choices:
        text[choice.index] += choice.delta.content or ""
check("streamed, the same", text == [c.message.content for c in whole.choices], text)
check("with its usage", usage == whole.usage, usage)
answered = messages + [whole.choices[0].message, {"role": "user", "content": "Another one"}]
check("an answer is a message", chat.create(model="assistant", messages=answered, max_tokens=5).usage.total_tokens > 5)
with chat.stream(model="assistant", messages=messages, seed=1, temperature=0) as stream:
    final = stream.get_final_completion()
check("the helper for streams", final.choices[0].finish_reason in ("stop", "length") and final.choices[0].message.content)
completion = client.completions.create(model="assistant", prompt=["Once", "In"], max_tokens=8, logprobs=2, seed=1)
check("completions", [c.logprobs.tokens != [] for c in completion.choices] == [True, True])
parts = [c.choices[0].text for c in client.completions.create(model="assistant", prompt="Once", max_tokens=8, seed=1,
                                                             stream=True)]
check("streamed, the same", "".join(parts) == client.completions.create(model="assistant", prompt="Once", max_tokens=8,
                                                                        seed=1).choices[0].text)
long = [{"role": "user", "content": "Tell " * 300}]
check("too long a prompt", raises(openai.BadRequestError, lambda: chat.create(model="assistant", messages=long),
                                  "context_length_exceeded"))
check("another model", raises(openai.NotFoundError, lambda: chat.create(model="gpt", messages=messages), "model_not_found"))
check("what is not known", raises(openai.BadRequestError, lambda: chat.create(
    model="assistant", messages=messages, presence_penalty=1), "unsupported_parameter"))
check("another key", raises(openai.AuthenticationError, lambda: openai.OpenAI(
    base_url=url, api_key="x", max_retries=0).models.list(), "invalid_api_key"))
with chat.create(model="assistant", messages=messages, n=8, stream=True) as leaving:
    next(iter(leaving))
check("after one who left", chat.create(model="assistant", messages=messages, max_tokens=2).choices)

options = {"base_url": url, "api_key": "secret", "model": "assistant", "temperature": 0, "max_tokens": 20}
talk = ChatOpenAI(**options)
said = talk.invoke([("system", "Be kind."), ("human", "Tell a story")])
check("LangChain's chat", said.content and said.usage_metadata["output_tokens"] == 20, said)
check("streamed, the same", "".join(part.content for part in talk.stream([("system", "Be kind."),
                                                                          ("human", "Tell a story")])) == said.content)
check("several at once", len(talk.batch(["Tell a story"] * 4)) == 4)
completed = OpenAI(**options).invoke("Once")
check("LangChain's completions", completed and "".join(OpenAI(**options).stream("Once")) == completed, completed)
process.send_signal(signal.SIGTERM)
check("the server ends well", process.wait(60) == 0)
