#!/usr/bin/env python3
"""The page of a run that is watched, and the slider over the models that a run kept, in headless Chromium.

    watch_page.py PROGRAM                        what is shown is what the log has, as the run goes, ends, and is killed
    watch_page.py PROGRAM --screenshots DIR      also pictures
    watch_page.py PROGRAM --pictures DIR         only takes the guide's, look-checkpoints.png

Needs what look.py needs; without that it says so and ends with 77.
"""
import math
import pathlib
import signal
import subprocess
import tempfile
import time

import look
from watch import TEXT, Run, expect, look_at, problems


class WatchedPage(look.Page):
    """A page at the address of a server."""

    def open(self, address):
        self.browser.driver.get("about:blank")
        self.browser.driver.get(address)

    def wait(self, name, script, seconds=30):
        end = time.monotonic() + seconds
        while not self.run(f"return {script};"):
            if time.monotonic() > end:
                self.problems.append(f"{name}: {script}; the page says {self.run('return document.body.innerText;')}")
                return
            time.sleep(0.1)

    def looks(self, name, screenshots):
        for screen in ("phone", "desktop"):
            for scheme in ("light", "dark"):
                self.browser.look(screen, scheme)
                self.run("scrollTo(0, 0);")
                self.problems += [f"{name}: wider than a {screen}: {it}" for it in self.run(look.check.TOO_WIDE)]
                self.problems += [f"{name}: without a name: {it}" for it in self.run(look.NAMELESS)]
                if screenshots:
                    look.save(self, screenshots / f"{name}-{screen}-{scheme}.png", 8000)


STATUS = "document.querySelector('.status').textContent"
READING = "Object.fromEntries([...document.querySelectorAll('.readings div')].map((d) => [d.children[0].textContent, d.children[1].textContent]))"


def check_watching(program, work, browser, screenshots):
    from selenium.webdriver.common.keys import Keys
    run = Run(program, work / "seen", "--steps", "1000000")
    page = WatchedPage(browser, None)
    browser.look("desktop", "light")
    page.open(f"http://127.0.0.1:{run.port}/")
    page.wait("the run is shown while it goes", f"{STATUS} === 'The run goes on.' && look.training.run.lines.length > 2")
    page.expect("only training is shown", "[...document.querySelectorAll('header nav a')].filter((a) => !a.hidden).map((a) => a.hash).join() === '#training' && "
                "[...document.querySelectorAll('main > section')].filter((s) => !s.hidden).map((s) => s.id).join() === 'view-training'")
    first = page.run("return look.training.run.steps;")
    page.wait("it goes on", f"look.training.run.steps > {max(first, 1100)}")  # and has more steps than a chart has points
    page.run("const watch = look.training.watch; look.more = 0; watch.take = (news) => { look.more += !news.whole; look.RunWatch.prototype.take.call(watch, news); };")
    page.wait("more is sent than lines anew", "look.more >= 2")
    page.expect("the slider follows", f"Number(({READING}).step) === look.training.run.steps && look.training.slider.value === look.training.slider.max")
    page.expect("the time that is left is said", "/^\\d+ %, [\\d:]+ left$/.test(document.querySelector('progress + span').textContent)")
    page.run("const s = document.getElementById('training-line'); s.value = 1; s.dispatchEvent(new Event('input'));")
    step = page.run(f"return ({READING}).step;")
    run.process.send_signal(signal.SIGINT)
    page.wait("the run is stopped", f"{STATUS}.startsWith('The run was stopped')")
    expect("the run ends well", run.end()[0] == 0)
    log = run.log()
    page.expect("at its last step", f"{STATUS}.includes('at step {log[-1]['step']}, ')")
    page.expect("the slider stays at its step, which may be in a longer line by now",
                f"Number(({READING}).step) >= {step} && Number(({READING}).step) < {step} + look.training.run.lines[0].step")
    page.press("#training-line")
    page.key("#training-line", Keys.END)
    shown = page.run(f"return {READING};")
    for name, key in (("step", "step"), ("held-out bits per byte", "bits_per_byte"), ("loss in nats per token", "loss"),
                      ("gradient norm", "grad_norm"), ("learning rate", "lr")):
        # It shows 4 digits, and the log has 6.
        expect(f"{name} is the log's", math.isclose(float(shown.get(name, "nan")), log[-1][key], rel_tol=5.1e-4), (shown, log[-1]))
    page.expect("the floor is drawn", "document.querySelectorAll('.curve.three').length === 1")
    expect("a chart's points are few", page.run("return look.training.run.lines.length;") < 1100)
    page.looks("watch", screenshots)
    origin = f"http://127.0.0.1:{run.port}/"
    asked = page.run("return performance.getEntriesByType('resource').map((e) => e.name);")
    page.problems += [f"asks for {name}" for name in asked if not name.startswith(origin) and not name.startswith("data:")]
    page.problems += browser.errors()

    killed = Run(program, work / "killed", "--steps", "1000000")
    page.open(f"http://127.0.0.1:{killed.port}/")
    page.wait("another run is shown", "look.training.run.lines.length > 2")
    killed.process.kill()
    killed.end()
    page.wait("a server that is gone is noticed", f"{STATUS}.startsWith('The server is gone') && /at step \\d+\\./.test({STATUS})")
    browser.driver.get("about:blank")
    browser.errors()  # it asked in vain
    return page.problems


def check_slider(program, work, folder, browser, screenshots):
    from selenium.webdriver.common.keys import Keys
    look_at(program, work / "page", folder, "-p", TEXT, "--run", folder)
    page = WatchedPage(browser, work / "page/index.html")
    browser.look("desktop", "light")
    page.open(page.path.as_uri() + "#training")
    cost = "Number(document.querySelector('.checkpoints b').textContent)"
    last = page.run(f"return {cost};")
    page.key("#checkpoint", Keys.HOME)
    page.expect("the slider goes to the first kept model", "document.querySelector('.checkpoints output').textContent === 'step 100'")
    page.expect("for which the text costs more", f"{cost} > {last}")
    page.press(".costs button:nth-child(3)")
    page.expect("a token's place is chosen", "look.selected.position === 2")
    page.key(".costs button:nth-child(3)", Keys.ARROW_RIGHT)
    page.expect("an arrow key moves along the text", "look.selected.position === 3 && document.activeElement.matches('.costs button:nth-child(4)')")
    page.expect("what comes next is said", "document.querySelectorAll('.checkpoints .bars li').length >= 5 && "
                "[...document.querySelectorAll('.checkpoints .bars .value')].filter((v) => v.textContent.endsWith('follows')).length === 1")
    page.looks("checkpoints", screenshots)
    page.problems += browser.errors()
    return page.problems


def take_pictures(program, work, browser, folder):
    subprocess.run([program, "train", "--steps", "500", "--keep-every", "25", "--out", work / "mine"], check=True, stdout=subprocess.DEVNULL)
    look_at(program, work / "page", work / "mine", "--run", work / "mine")
    page = WatchedPage(browser, None)
    browser.look("desktop", "light")
    page.open((work / "page/index.html").as_uri() + "#training")
    page.run("const s = document.getElementById('checkpoint'); s.value = 2; s.dispatchEvent(new Event('input')); look.select({ position: 4 });"
             "for (const e of document.querySelectorAll('body > header, #view-training > :not(.checkpoints)')) e.hidden = true;")
    look.save(page, folder / "look-checkpoints.png", 560)


def main():
    arguments = look.parsed_arguments(__doc__)
    program = str(pathlib.Path(arguments.program).resolve())
    browser = look.check.Browser()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder).resolve()
        if arguments.pictures:
            take_pictures(program, work, browser, arguments.pictures)
        else:
            problems.extend(check_watching(program, work, browser, arguments.screenshots))
            subprocess.run([program, "train", "--recipe", work / "recipe.yaml", "--out", work / "kept", "--steps", "400", "--keep-every", "100"],
                           check=True, stdout=subprocess.DEVNULL)
            problems.extend(check_slider(program, work, work / "kept", browser, arguments.screenshots))
    look.end(browser, problems)


if __name__ == "__main__":
    main()
