#!/usr/bin/env python3
"""Opens the page that `cria look` writes, from the disk, in headless Chromium, and uses it.

    look.py PROGRAM                        nothing wider than a phone or a desktop window, in light and dark; no error and
                                           no request; what is pressed shows; every number is what its inputs give
    look.py PROGRAM --screenshots DIR      also pictures of every view
    look.py PROGRAM --pictures DIR         only takes the README's, look-inside.png and look-sampling.png

Needs what the test of the book needs (./cria setup book); without that it says so and ends with 77.
"""
import argparse
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "book"))
import check  # noqa: E402  the browser

check.WIDTHS["desktop"] = (1440, 900)
VIEWS = ("tokens", "inside", "sampling", "training")
WITHOUT_RUN = VIEWS[:3]
HOSTILE = b"</script><script>document.title = 'broken out'</script><img src=x onerror=alert(1)> \xff \xe2\x80\xa8\" \\"

# Whatever can be reached by key has a name, and what is drawn says what it is.
NAMELESS = """
const named = (e) => e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent.trim() ||
  (e.labels && e.labels.length);
return [...document.querySelectorAll("button, a, input, textarea, [tabindex], [role=img]")].filter((e) => !named(e))
  .map((e) => e.outerHTML.slice(0, 80));
"""

# The numbers of every kind, at several places: what is said to be their sum or product has to be it.
NUMBERS = """
const c = look.data.inside.config, T = look.tensors.positions, wrong = [], seen = new Set();
const near = (a, b) => Math.abs(a - b) <= 2e-5 * Math.max(1, Math.abs(a), Math.abs(b));
const verify = (at) => {
  const kind = look.kinds[at.kind], value = look.valueOf(at), from = kind.from(at), fail = (why) => wrong.push(JSON.stringify(at) + ": " + why);
  seen.add(at.kind);
  if (!Number.isFinite(value)) fail("is " + value);
  if (from.terms) {
    const sum = from.terms.list.reduce((all, t) => all + t.factors[0] * t.factors[1], 0);
    if (!near(sum, from.sum)) fail(`the terms are ${sum}, said to be ${from.sum}`);
  } else if (["value", "gate", "up", "query", "key", "middle", "output"].includes(at.kind)) fail("no terms, though the weights are there");
  const i = (from.inputs || []).map((input) => input && input.value);
  if (kind.formula.startsWith("n = g")) { if (!near(value, i[2] * i[0] / i[1])) fail("is not g x / rms"); }
  if (at.kind === "gated" && !near(value, i[0] / (1 + Math.exp(-i[0])) * i[1])) fail("is not silu(gate) up");
  if (at.kind === "weight" && !near(value, Math.exp(i[0] - i[1]))) fail("is not exp(score - log sum exp)");
  if (at.kind === "probability" && !near(value, Math.exp(i[0] - i[1]))) fail("is not exp(logit - log sum exp)");
  if (at.kind === "input" && value !== i[0]) fail("is not what the layer before left");
  if (["query", "key"].includes(at.kind)) {
    const turn = look.unturned(at.kind, at.layer, at.position, at.index), [a, b, cos, sin] = i;
    if (!near(value, at.index === turn.a ? a * cos - b * sin : a * sin + b * cos)) fail("is not the pair turned");
  }
};
for (const position of [0, 3, T - 1])
  for (let layer = 0; layer < c.layers; ++layer) {
    for (const kind of ["input", "attention_norm", "query", "key", "value", "attended", "middle", "feed_forward_norm", "gate", "up", "gated", "output"])
      for (const index of [0, 5, c.headDim, look.tensors.row(kind, layer, position).length - 1]) verify({ kind, layer, position, index });
    for (let head = 0; head < c.heads; ++head) {
      let sum = 0;
      for (let key = 0; key <= position; ++key) { verify({ kind: "weight", layer, head, position, key }); sum += look.attentionWeight(layer, head, position, key); }
      if (!near(sum, 1)) wrong.push(`row ${position} of head ${head} in layer ${layer} sums to ${sum}`);
    }
  }
for (const position of [0, T - 1]) {
  for (const kind of ["embedding", "normed"]) for (const index of [0, c.dim - 1]) verify({ kind, layer: null, position, index });
  for (const rank of [0, 1, 100]) for (const kind of ["logit", "probability"]) verify({ kind, position, token: look.next(position).ids[rank] });
}
const missing = Object.keys(look.kinds).filter((kind) => !seen.has(kind) && kind !== "log_sum_exp");
return wrong.concat(missing.map((kind) => kind + " was not verified"));
"""

# Lesson 09's example by hand; in descending order its tokens are 0.5, 0.2, 0.15, 0.1, 0.05.
CUTS = """
const logits = [0.5, 0.2, 0.15, 0.1, 0.05].map(Math.log), off = { temperature: 1, topK: 0, topP: 1, minP: 0 };
return [[{ temperature: 0.5 }, [0.7692, 0.1231, 0.0692, 0.0308, 0.0077]], [{ topK: 2 }, [0.7143, 0.2857, 0, 0, 0]],
  [{ topP: 0.75 }, [0.5882, 0.2353, 0.1765, 0, 0]], [{ minP: 0.25 }, [0.5882, 0.2353, 0.1765, 0, 0]],
  [{ topK: 2, topP: 0.7 }, [1, 0, 0, 0, 0]], [{ temperature: 0 }, [1, 0, 0, 0, 0]]].filter(([options, expected]) =>
  look.cut(logits, { ...off, ...options }).p.some((p, i) => Math.abs(p - expected[i]) > 5e-5)).map(([options]) => JSON.stringify(options));
"""


def write_page(program, folder, *arguments):
    subprocess.run([program, "look", "--out", folder, *arguments], check=True, stdout=subprocess.DEVNULL)
    return folder / "index.html"


def write_log(file):
    lines = [{"step": s, "bits_per_byte": 0.4 + 3 / s, "val_loss": 1.0 if s % 20 == 0 else None, "floor": 0.31,
              "grad_norm": 1 + 5 / s, "lr": 0.001, "seconds": s / 4} for s in range(1, 201)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


class Page:
    def __init__(self, browser, path):
        self.browser, self.path, self.problems = browser, path, []

    def open(self, view):
        self.browser.driver.get("about:blank")
        self.browser.open(self.path, "#" + view)

    def run(self, script, *arguments):
        return self.browser.run(script, *arguments)

    def expect(self, name, script):
        """The script, an expression, has to be true."""
        if self.run(f"return {script};") is not True:
            self.problems.append(f"{name}: {script}")

    def find(self, selector):
        return self.browser.driver.find_element("css selector", selector)

    def press(self, selector):
        self.run("arguments[0].scrollIntoView({block: 'center'});", self.find(selector))
        self.find(selector).click()

    def key(self, selector, *keys):
        self.find(selector).send_keys(*keys)


def check_looks(page, screenshots):
    for screen in ("phone", "desktop"):
        for scheme in ("light", "dark"):
            page.browser.look(screen, scheme)
            for view in VIEWS:
                page.open(view)
                page.run("document.querySelectorAll('details').forEach((d) => { d.open = true; });")
                page.problems += [f"{view}: wider than a {screen}: {it}" for it in page.run(check.TOO_WIDE)]
                page.problems += [f"{view}: without a name: {it}" for it in page.run(NAMELESS)]
                page.expect(f"{view} is shown", f"!document.getElementById('view-{view}').hidden")
                if screenshots:
                    save(page, screenshots / f"{view}-{screen}-{scheme}.png", 8000)
    page.browser.look("phone", "light")
    page.open("inside")
    for kind in ("query", "weight", "attended", "gated"):
        page.run("look.open({ kind: arguments[0], layer: 1, position: 5, index: 3, head: 1, key: 2 });", kind)
        page.expect(f"{kind}'s dialog is no wider than a phone",
                    "document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth")


def check_use(page):
    from selenium.webdriver.common.keys import Keys
    page.browser.look("desktop", "light")
    page.open("tokens")
    page.press(".word:nth-child(3)")
    page.expect("a word's merges end as its token",
                "document.querySelector('.merges').querySelectorAll('li:last-child .symbol').length === 1 && "
                "document.querySelector('.merges li:last-child .symbol').textContent === "
                "document.querySelector('.word:nth-child(3) .mono').textContent")
    page.expect("the second tokenizer stands beside", "document.querySelectorAll('#view-tokens article').length === 2")

    page.open("inside")
    page.problems += page.run(NUMBERS)
    page.press(".positions button:nth-child(4)")
    page.key(".positions button[aria-pressed=true]", Keys.ARROW_LEFT)
    page.expect("an arrow key moves along the tokens", "look.selected.position === 2")
    page.press(".box[data-kind=gate]")
    page.expect("a box shows its tensor", "document.querySelector('.detail h3').textContent === 'gate'")
    page.key(".detail .cells", Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER)
    page.expect("a cell opens its number", "document.querySelector('dialog').open && document.querySelector('dialog .large')"
                ".textContent === look.text(look.tensors.row('gate', 0, 2)[2])")
    page.press("dialog table button")
    page.expect("its input opens in turn",
                "document.getElementById('number-title').textContent === 'normed for feed-forward'")
    page.key("dialog button", Keys.ESCAPE)
    page.expect("Escape closes it", "!document.querySelector('dialog').open")
    page.press(".layer:nth-child(2)")
    page.press(".map:nth-child(3)")
    page.expect("layer and head are chosen", "look.selected.layer === 1 && look.selected.head === 2")
    page.key(".large-map", Keys.ARROW_DOWN)
    page.key(".large-map", Keys.ARROW_RIGHT)
    page.expect("keys move in the map", "look.selected.position === 3 && document.activeElement.className === 'large-map'")
    page.press("[data-axis=column]")
    page.expect("a column shows who looks back",
                "document.querySelector('[data-axis=column]').closest('div.beside').querySelectorAll('.bars li').length === "
                "Math.min(look.tensors.positions - 1, 10)")
    page.expect("every head was switched off", "look.data.headsOff.length === 9 && look.data.headsOff.some((h) => h.divergence > 0.01)")
    page.press(".heads tbody tr:nth-child(3) td:nth-child(2) button")
    page.expect("a head can be chosen there", "look.selected.layer === 2 && look.selected.head === 0")
    page.expect("the grammar stands in the lens", "[...document.querySelectorAll('.lens th')].some((th) => th.textContent === 'grammar')")
    page.expect("what it says adds up, and no model is better", "look.data.story.every((p) => p.divergence > 0 && p.entropy >= 0 && "
                "p.top.reduce((sum, t) => sum + t[1], 0) < 1 + 1e-9)")

    page.open("sampling")
    page.problems += [f"not as lesson 09 cuts: {it}" for it in page.run(CUTS)]
    page.run("const k = document.getElementById('cut-topK'); k.value = 3; k.dispatchEvent(new Event('input'));")
    page.expect("top-k leaves three", "document.querySelectorAll('#view-sampling .bars li:not(.dropped)').length === 3")
    page.press("#view-sampling .actions button:nth-child(3)")
    page.expect("1000 draws are of these three", "[...document.querySelectorAll('#view-sampling .bars li:not(.dropped) .value')]"
                ".reduce((sum, v) => sum + Number(v.textContent.split('drawn ')[1]), 0) === 1000")
    page.press("#view-sampling .actions button:nth-child(1)")
    page.expect("a draw goes on with the text", "document.querySelectorAll('.continuation mark').length === 1")
    page.expect("and says who can go on", "document.querySelector('#view-sampling').textContent.includes('./cria sample')")
    page.press("#view-sampling .actions button:nth-child(4)")
    page.expect("undo takes it back", "document.querySelectorAll('.continuation mark').length === 0")
    page.expect("every token is listed, so it can be hotter", "document.getElementById('cut-temperature').max === '2'")
    page.run("look.data.next.forEach((next) => { next.rest = -3; }); look.show(look.data);")
    page.expect("but not where the others' sum is known at temperature 1 alone",
                "document.getElementById('cut-temperature').max === '1'")

    page.open("training")
    page.key("#training-line", Keys.HOME)
    page.expect("the slider reads the first step", "document.querySelector('.readings dd').textContent === '1'")
    page.expect("the floor is drawn", "document.querySelectorAll('.curve.three').length === 1")


def check_quiet(page):
    folder = page.path.parent.as_uri() + "/"
    page.problems += [f"asks for {name}" for name in page.run("return performance.getEntriesByType('resource').map((e) => e.name);")
                      if not name.startswith(folder) and not name.startswith("data:")]
    page.problems += page.browser.errors()


def check_hostile(page):
    page.open("tokens")
    scripts = page.path.read_text().count("<script")
    page.expect("no text becomes markup", f"document.scripts.length === {scripts} && !document.querySelector('main img')")
    page.expect("nor a script", "document.title === 'A look inside · cria'")
    page.expect("it is shown", "[...document.querySelectorAll('.word .mono')].map((w) => w.textContent).join('').includes('script')")
    page.expect("all bytes are there", "look.data.tokenizers[0].tokens.filter((id) => id !== look.data.begin)"
                ".map((id) => look.data.tokenizers[0].pieces[id]).join('') === look.data.text")


def check_empty(page):
    """Of no text there is only the token that begins one, and another tokenizer has none at all. Nor is there a run."""
    for view in WITHOUT_RUN:
        page.open(view)
        page.expect(f"{view} is there without a text", f"document.querySelector('#view-{view} h2') !== null")
    page.open("training")
    page.expect("a view without data is hidden", "document.getElementById('view-training').hidden && "
                "document.querySelector('nav a[href=\"#training\"]').hidden && !document.getElementById('view-tokens').hidden")
    page.expect("the other tokenizer has no word", "document.querySelectorAll('#view-tokens article:nth-child(2) .word').length === 0")
    page.expect("one position shows no angle between two", "document.querySelector('#view-inside .circles') !== null && "
                "!document.querySelector('#view-inside').textContent.includes('rad a position')")
    page.expect("an address stays as it was given",
                "document.querySelector('#view-tokens a').getAttribute('href') === 'https://example.org/a%20b/01-bpe/'")


def check_stranger(page):
    page.open("tokens")
    page.expect("a token that the tokenizer does not have is a number",
                "document.querySelector('.word .mono').textContent === '#1573'")
    page.press(".word:first-child")
    page.expect("and said to be none", "document.querySelector('.steps').textContent.includes('does not have')")


def write_stranger(folder, model):
    """A model whose tokenizer lacks the tokens that begin and end a text."""
    shutil.copytree(model, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**tokenizer, "added_tokens": []}))
    return folder


def save(page, file, most):
    width, height = page.run("return [innerWidth, document.documentElement.scrollHeight];")
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, most), "scale": 1}
    picture = page.browser.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True})
    file.write_bytes(base64.b64decode(picture["data"]))


def take_pictures(page, folder):
    page.browser.look("desktop", "light")
    page.open("inside")
    page.run("look.select({ layer: 1, position: 10, head: 1 });")
    save(page, folder / "look-inside.png", 1000)
    page.open("sampling")
    page.run("for (const [id, v] of [['cut-temperature', 0.8], ['cut-topP', 0.9]]) {"
             "const k = document.getElementById(id); k.value = v; k.dispatchEvent(new Event('input')); }")
    save(page, folder / "look-sampling.png", 800)


def parsed_arguments(description):
    """PROGRAM [--screenshots DIR] [--pictures DIR], of which the folders are made."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path)
    arguments = parser.parse_args()
    for folder in (arguments.screenshots, arguments.pictures):
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    return arguments


def end(browser, problems):
    browser.driver.quit()
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


def main():
    arguments = parsed_arguments(__doc__)
    browser = check.Browser()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder).resolve()
        data = pathlib.Path(__file__).resolve().parents[2] / "data"
        page = Page(browser, write_page(arguments.program, work / "page", "--run", write_log(work / "log.jsonl"),
                                        "--second-tokenizer", data / "assistant"))
        if arguments.pictures:
            return take_pictures(page, arguments.pictures)
        check_looks(page, arguments.screenshots)
        check_use(page)
        check_quiet(page)
        hostile = Page(browser, write_page(arguments.program, work / "hostile", "-p", HOSTILE))
        check_hostile(hostile)
        check_quiet(hostile)
        empty = Page(browser, write_page(arguments.program, work / "empty", "-p", "", "--second-tokenizer", data / "assistant",
                                         "--lessons", "https://example.org/a%20b"))
        check_empty(empty)
        check_quiet(empty)
        stranger = write_stranger(work / "stranger", data / "model")
        strange = Page(browser, write_page(arguments.program, work / "strange", stranger, "-p", "Once"))
        check_stranger(strange)
        check_quiet(strange)
        problems = page.problems + hostile.problems + empty.problems + strange.problems
    print(f"{len(VIEWS)} views in Chromium {browser.driver.capabilities['browserVersion']}")
    end(browser, problems)


if __name__ == "__main__":
    main()
