#!/usr/bin/env python3
"""Uses the page that `cria serve` shows, in headless Chromium.

    look_live.py PROGRAM                       nothing wider than a phone or a desktop window, in light and dark; what is
                                               typed, pressed, drawn and said shows; no error, and no request elsewhere
    look_live.py PROGRAM --screenshots DIR     also pictures of every view
    look_live.py PROGRAM --pictures DIR        only takes the README's, look-chat.png

Needs what the test of the book needs (./cria setup book); without that it says so and ends with 77.
"""
import pathlib
import subprocess
import time

import look
from look import check

VIEWS = ("tokens", "inside", "sampling", "chat")
HOSTILE = "</textarea><script>document.title = 'broken out'</script><img src=x onerror=alert(1)> \u2028 \U0001f999"
data = pathlib.Path(__file__).resolve().parents[2] / "data"


class Served:
    """The program with a free port, and what a browser opens of it."""

    def __init__(self, program, *options, model="assistant"):
        self.process = subprocess.Popen([program, "serve", data / model, "--port", "0", *options],
                                        stdout=subprocess.PIPE, text=True)
        self.origin = self.process.stdout.readline().split("/v1")[0].split(" at ")[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def as_uri(self):
        return self.origin + "/"


class LivePage(look.Page):
    def go(self, view):
        """To another view, without asking for everything again."""
        self.run("location.hash = arguments[0];", "#" + view)
        self.until(f"{view} is there", f"document.querySelector('#view-{view} h2') !== null && "
                   f"!document.getElementById('view-{view}').hidden")

    def until(self, name, script, seconds=20):
        """The script, an expression, has to become true."""
        end = time.time() + seconds
        while self.run(f"try {{ return Boolean({script}); }} catch {{ return false; }}") is not True:
            if time.time() > end:
                self.problems.append(f"{name}: {script} does not become true")
                return
            time.sleep(0.02)

    def type(self, selector, text):
        self.run("const f = document.querySelector(arguments[0]); f.value = arguments[1];"
                 "f.dispatchEvent(new Event('input', { bubbles: true }));", selector, text)


def label_is(text):
    return f"[...document.querySelectorAll('#view-tokens .word .mono')].map((w) => w.textContent).join('').includes('{text}')"


def check_looks(page, screenshots):
    for screen in ("phone", "desktop"):
        for scheme in ("light", "dark"):
            page.browser.look(screen, scheme)
            for view in VIEWS:
                page.go(view)
                page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; });")
                page.problems += [f"{view}: wider than a {screen}: {it}" for it in page.run(check.TOO_WIDE)]
                page.problems += [f"{view}: without a name: {it}" for it in page.run(look.NAMELESS)]
                if screenshots:
                    look.save(page, screenshots / f"live-{view}-{screen}-{scheme}.png", 8000)


def check_text(page):
    from selenium.webdriver.common.keys import Keys
    page.open("tokens")
    page.until("the page begins with a text of its own", "look.data && look.data.inside")
    page.expect("no view is there that a server has nothing for", "document.querySelector('nav a[href=\"#training\"]').hidden")
    page.find("#text").clear()
    page.key("#text", "Once a grumpy llama")
    page.until("tokens come as one types", label_is("llama"))
    page.expect("of both tokenizers", "document.querySelectorAll('#view-tokens article').length === 2")
    page.expect("what is inside is still the text before", "!look.tokens().map(look.label).join('').includes('grumpy')")
    page.until("and is said to be", "document.querySelector('#text-field .status').textContent.includes('as it was')")
    page.key("#text", Keys.CONTROL, Keys.ENTER)
    page.until("Ctrl-Enter looks inside", "location.hash === '#inside' && look.tokens().map(look.label).join('').includes('llama')")
    page.problems += page.run(look.NUMBERS)

    page.type("#text", "Too long " * 200)
    page.until("too long a text is said to be", "document.querySelector('#text-field .problem').textContent.includes('may have 128')")
    page.press("#text-field button")
    page.until("by the server too", "document.querySelector('#text-field .problem').textContent.includes('expected at most 128')")
    page.expect("the pass before stays", "look.tokens().map(look.label).join('').includes('llama')")
    page.type("#text", HOSTILE)
    page.press("#text-field button")
    page.until("a stranger's text is shown", "look.tokens().map(look.label).join('').includes('onerror')")
    page.expect("no text becomes markup", "!document.querySelector('main img') && document.title === 'A look inside · cria' && "
                "document.querySelectorAll('#text-field textarea').length === 1")


def check_heads(page):
    page.go("inside")
    page.expect("the heads of a small model are all there", "look.data.headsOff.every((one) => one.divergence >= 0)")
    page.run("look.known = look.data.headsOff; look.data.headsOff = null; look.select({});")  # as of a large one
    page.press(".heads tbody tr:nth-child(2) td:nth-child(3) button")
    page.until("a head that is pressed is switched off", "look.data.headsOff[5 - 1] && look.selected.head === 1 && look.selected.layer === 1")
    page.expect("with the numbers that it has among all",
                "JSON.stringify(look.data.headsOff[4]) === JSON.stringify(look.known[4])")
    page.expect("where the focus stays", "document.activeElement.getAttribute('aria-label').startsWith('layer 1, head 1: ')")
    page.press("[aria-label='A head switched off'] .actions button")
    page.until("so is every head of a layer, one after the other",
               "JSON.stringify(look.data.headsOff.map(Boolean)) === JSON.stringify(look.known.map((_, i) => i >= 3 && i < 6))")
    page.expect("and its next tokens are shown", "document.querySelectorAll('[aria-label=\"Next tokens without the head\"] li').length === 8")


def check_sampling(page):
    from selenium.webdriver.common.keys import Keys
    page.type("#text", "Once a rabbit")
    page.press("#text-field button")
    page.until("the text is read", "look.tokens().map(look.label).join('').includes('rabbit')")
    page.go("sampling")
    page.run("const k = document.getElementById('cut-temperature'); k.value = 0; k.dispatchEvent(new Event('input'));")
    for count in range(1, 4):
        page.key("#view-sampling .actions button:nth-child(1)", Keys.ENTER)
        page.until("a draw goes on beyond the text", f"document.querySelectorAll('.continuation mark').length === {count} && "
                   "document.querySelectorAll('#view-sampling .bars li').length > 1")
        page.until("and the key is where it was", "document.activeElement.textContent === 'Draw'")
    drawn = page.run("return [...document.querySelectorAll('.continuation mark')].map((m) => m.textContent.replaceAll('·', ' ')).join('');")
    completed = page.browser.driver.execute_async_script(
        "const done = arguments[0]; fetch('/v1/completions', { method: 'POST', headers: { 'Content-Type': 'application/json' },"
        " body: JSON.stringify({ prompt: 'Once a rabbit', temperature: 0, max_tokens: 3 }) }).then((r) => r.json())"
        ".then((r) => done(r.choices[0].text));")
    if drawn != completed:
        page.problems.append(f"the likeliest tokens one by one are {drawn!r}, at once {completed!r}")
    page.press("#view-sampling .actions button:nth-child(4)")
    page.expect("undo takes one back", "document.querySelectorAll('.continuation mark').length === 2 && "
                "!document.querySelector('#view-sampling .actions button').disabled")


def check_chat(page):
    from selenium.webdriver.common.keys import Keys
    page.go("chat")
    page.type("#chat-question", "Tell a story about a rabbit named Ruby who lends her kite")
    page.until("what the model reads is shown", "document.querySelectorAll('.kv-block').length >= 2")
    page.expect("with special tokens", "document.querySelectorAll('.kv-tokens .special').length >= 1")
    page.key("#chat-question", Keys.ENTER)
    page.until("an answer comes", "document.querySelectorAll('.message').length === 2 && !document.querySelector('.coming')")
    page.expect("it is whole", "document.querySelectorAll('.message')[1].textContent.length > 40")
    page.until("its tokens are counted", "document.querySelector('.conversation .dim').textContent.includes('written')")
    page.until("its blocks are kept", "document.querySelectorAll('.kv-block.kept').length >= 1")
    page.until("its passes are drawn", "document.querySelectorAll('#view-chat .drawn').length > 5")
    page.expect("and said", "/Pass \\d+: /.test(document.querySelector('#view-chat').textContent)")
    page.press("#view-chat .beside > div:last-child .actions button")
    page.until("others run beside each other", "new Set([...document.querySelectorAll('#view-chat .chart text')].map((t) => t.textContent).filter((t) => t.startsWith('text '))).size >= 4")
    page.until("whose prompts were read", "document.querySelectorAll('#view-chat rect.read').length >= 1")
    page.run("""
        const request = look.request, begin = performance.now();
        look.passesAsked = 0;
        look.pace = () => look.passesAsked / ((performance.now() - begin) / 400 + 2);  // 1 for one that asks every 400 ms
        look.request = (path, ...rest) => { look.passesAsked += path.startsWith('/look/steps'); return request(path, ...rest); };
        for (let i = 0; i < 5; ++i) for (const view of ['#tokens', '#chat']) { location.hash = view; dispatchEvent(new Event('hashchange')); }""")
    page.until("passes are asked for again and again", "look.passesAsked >= 4")
    page.expect("by one only, however often one comes back", "look.pace() <= 1")
    page.run("""
        const part = look.crowded = new look.BatchingPart(), ids = Array.from({ length: 30 }, (_, i) => i + 1);
        part.blocks = 64;
        part.steps = [{ number: 1, seconds: 1, parts: ids.map((id) => [id, 2, 1]), preempted: [], finished: [], fromPrefix: 0, waiting: 0, blocksUsed: 30, blocksShared: 0 }];
        part.draw();""")
    page.expect("of many texts the newest are drawn, which is said", "look.crowded.root.textContent.includes('Of 30 texts the chart has the 12 newest.') && "
                "[...look.crowded.root.querySelectorAll('text')].map((t) => t.textContent).filter((t) => t.startsWith('text ')).join() === "
                "Array.from({ length: 12 }, (_, i) => `text ${i + 19}`).join()")
    page.press(".conversation .actions button:nth-child(3)")
    page.expect("a new conversation is empty", "document.querySelectorAll('.message').length === 0")


def check_stop(page):
    """Beside many others an answer takes a while, in which it can be read and stopped."""
    page.run("look.crowd = new AbortController(); look.request('/v1/completions', { prompt: 'Once', n: 60, max_tokens: 450, "
             "temperature: 2 }, look.crowd.signal).catch(() => {});"
             # A person would not be as quick as this model.
             "new MutationObserver((_, observer) => { const coming = document.querySelector('.coming');"
             " if (!coming || coming.textContent.length < 4) return; observer.disconnect(); look.seen = coming.textContent;"
             " document.querySelector('.conversation .actions button:nth-child(2)').click(); })"
             ".observe(document.querySelector('.log'), { childList: true, subtree: true, characterData: true });")
    page.type("#chat-question", "Tell a story about a fox.")
    page.press(".conversation .actions button:nth-child(1)")
    page.until("an answer comes bit by bit", "look.seen")
    page.until("it is stopped", "document.querySelector('.conversation .dim').textContent.includes('Stopped')")
    page.expect("and the next message can be typed", "document.activeElement.id === 'chat-question'")
    page.expect("what was said stays", "document.querySelectorAll('.message').length === 2 && !document.querySelector('.coming') && "
                "document.querySelector('.message.assistant p').textContent.startsWith(look.seen)")
    page.run("look.crowd.abort(); look.request('/metrics').then((r) => r.text()).then((t) => { look.metrics = t; });")
    page.until("the server let go of it", "look.metrics && Number(/^cria_texts_cancelled_total (\\d+)/m.exec(look.metrics)[1]) >= 1")


def check_key(page):
    """With an API key the page asks for it, once, and tells a wrong one."""
    from selenium.webdriver.common.keys import Keys
    page.open("tokens")
    page.until("the key is asked for", "document.getElementById('key').open")
    page.key("#key-field", "another", Keys.ENTER)
    page.until("a wrong one is refused", "document.querySelector('#key .problem')?.textContent.includes('not the right one')")
    page.key("#key-field", "a secret", Keys.ENTER)
    page.expect("it has no blank", "document.getElementById('key').open")
    page.run("document.getElementById('key-field').value = '';")
    page.key("#key-field", "s3cret", Keys.ENTER)
    page.until("the right one opens the page", "look.data && look.data.inside && !document.getElementById('key').open")
    page.expect("nothing keeps it", "localStorage.length + sessionStorage.length === 0 && document.cookie === ''")
    page.problems += [message for message in page.browser.errors() if "401" not in message]


def check_quiet(page):
    """No request to any other origin, no error on the console; answers that had to be refused are none."""
    page.problems += [f"asks for {name}" for name in page.run("return performance.getEntriesByType('resource').map((e) => e.name);")
                      if not name.startswith(page.path.as_uri()) and not name.startswith("data:")]
    page.problems += [message for message in page.browser.errors() if "status of 400" not in message]


def take_picture(page, folder):
    page.browser.look("desktop", "light")
    page.open("tokens")
    page.until("the page is there", "look.data && look.data.inside")
    page.go("chat")
    page.run("document.getElementById('chat-most').value = 20;")
    page.type("#chat-question", "Tell a story about a rabbit named Ruby who lends her kite")
    page.run("document.querySelector('#view-chat .beside > div:last-child .actions button').click();"
             "document.querySelector('.conversation .actions button').click();")
    page.until("an answer comes", "document.querySelectorAll('.message').length === 2 && !document.querySelector('.coming')")
    page.until("its passes are drawn", "document.querySelectorAll('#view-chat .drawn').length > 20")
    look.save(page, folder / "look-chat.png", 1100)


def main():
    arguments = look.parsed_arguments(__doc__)
    browser = check.Browser()
    with Served(arguments.program, "--second-tokenizer", data / "model", "--parallel", "64",
                "--cache", "16384") as served:
        page = LivePage(browser, served)
        if arguments.pictures:
            return take_picture(page, arguments.pictures)
        for part in (check_text, check_heads, check_sampling, check_chat, check_stop):
            part(page)
        check_looks(page, arguments.screenshots)
        check_quiet(page)
    with Served(arguments.program, "--api-key", "s3cret", model="model") as served:
        locked = LivePage(browser, served)
        check_key(locked)
        locked.go("chat")
        locked.expect("a model without a template says so", "document.querySelector('.conversation').textContent.includes('brings no chat template')")
    print(f"{len(VIEWS)} views in Chromium {browser.driver.capabilities['browserVersion']}")
    look.end(browser, page.problems + locked.problems)


if __name__ == "__main__":
    main()
