#!/usr/bin/env python3
"""Checks the site that `cria book` has written.

    check.py SITE                                  links, anchors, pictures' files, formulas and Markdown left raw
    check.py SITE --picture FILE                   only takes the README's picture of the book, docs/images/book.png
    check.py SITE --browser [--screenshots DIR]    in headless Chromium: nothing wider than a phone or a desktop window,
                                                   pictures shown and formulas whole, no error of a script, the search
                                                   works

The browser part needs Debian's packages chromium, chromium-driver and python3-selenium (./cria setup book); without them
it says so and ends with 77, which CTest counts as skipped.
"""
import argparse
import base64
import html.parser
import pathlib
import re
import socket
import sys
import urllib.parse

WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
# What must not be left in text outside of code: formulas in TeX, and signs of Markdown that was not understood.
RAW = re.compile(r"\$\$|\$[^$\n]*[\\_^][^$\n]*\$|\\[a-zA-Z]{2,}|`|!\[|\]\(|\*\*")


class PageReader(html.parser.HTMLParser):
    """Collects what a page refers to, its anchors, and the text that stands outside of code."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.text, self.code_depth = [], set(), [], 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        if "id" in attributes:
            self.ids.add(attributes["id"])
        self.code_depth += tag in ("code", "pre", "script", "style")

    def handle_endtag(self, tag):
        self.code_depth -= tag in ("code", "pre", "script", "style")

    def handle_data(self, data):
        if not self.code_depth:
            self.text.append(data)


def read_site(site):
    pages = {}
    for path in sorted(site.rglob("*.html")):
        pages[path] = PageReader()
        pages[path].feed(path.read_text(encoding="utf-8"))
    return pages


def check_files(site):
    pages, problems, links = read_site(site), [], 0
    for path, page in pages.items():
        name = path.relative_to(site)
        for link in page.links:
            url = urllib.parse.urlsplit(link)
            if url.scheme:
                continue
            links += 1
            target = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
            if not target.is_file() or not target.is_relative_to(site):
                problems.append(f"{name}: {link} goes nowhere")
            elif url.fragment and urllib.parse.unquote(url.fragment) not in pages[target].ids:
                problems.append(f"{name}: {link} has no such anchor")
        for line in "".join(page.text).splitlines():
            if RAW.search(line):
                problems.append(f"{name}: left raw: {line.strip()}")
    chapters = [page for page in pages if page.parent.parent.name == "chapters" and page.name == "index.html"]
    lessons = [page for page in chapters if re.match(r"\d\d-", page.parent.name)]
    if len(lessons) < 11:
        problems.append(f"there are {len(lessons)} lessons, not 11")
    print(f"{len(pages)} pages, {links} links inside the site")
    return problems


# Everything that sticks out of the window to the right, unless something around it can be scrolled.
TOO_WIDE = """
const width = document.documentElement.clientWidth, found = [];
if (document.documentElement.scrollWidth <= width) return found;
for (const element of document.body.querySelectorAll("*")) {
  if (element.getBoundingClientRect().right <= width + 1) continue;
  let parent = element.parentElement;
  while (parent && !["auto", "scroll", "hidden"].includes(getComputedStyle(parent).overflowX)) parent = parent.parentElement;
  if (!parent) found.push(element.tagName + ": " + element.textContent.slice(0, 60));
}
return found.length ? found : ["something"];
"""
# Formulas that a reader would have to scroll sideways.
CUT_OFF = """
return [...document.querySelectorAll(".formula")].filter((formula) => formula.scrollWidth > formula.clientWidth)
  .map((formula) => formula.textContent.trim());
"""
NOT_SHOWN = """
const images = [...document.images].filter((image) => !(image.complete && image.naturalWidth > 0)).map((i) => i.src);
const formulas = [...document.querySelectorAll("math")].filter((math) => math.getBoundingClientRect().height < 5)
  .map((math) => math.textContent);
return images.concat(formulas);
"""


class Browser:
    def __init__(self):
        try:
            from selenium import webdriver
            from selenium.webdriver.chrome.service import Service
        except ImportError:
            skip("python3-selenium (./cria setup book)")
        for program in ("chromium", "chromedriver"):
            if not any(pathlib.Path(folder, program).exists() for folder in ("/usr/bin", "/usr/local/bin")):
                skip("chromium and chromium-driver (./cria setup book)")
        try:
            socket.gethostbyname("localhost")  # where Selenium, the driver and Chromium meet
        except OSError:
            skip("a line for localhost in /etc/hosts")
        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "SEVERE"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(120)

    def look(self, screen, scheme):
        width, height = WIDTHS[screen]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": screen == "phone"})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def open(self, path, fragment=""):
        self.driver.get(path.as_uri() + fragment)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def errors(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]


def skip(need):
    print(f"skipped: a test in a browser needs {need}")
    sys.exit(77)


def check_search(browser, site):
    """The search finds the lesson on RoPE first, and its link leads there."""
    browser.look("phone", "light")
    browser.open(site / "docs" / "conventions.html")  # links in the results start from the site's root
    field = browser.driver.find_element("css selector", "#search input")
    field.send_keys("RoPE")
    from selenium.webdriver.support.ui import WebDriverWait
    links = WebDriverWait(browser.driver, 60).until(lambda driver: driver.find_elements("css selector", "#search li a"))
    problems = []
    if not links[0].get_attribute("href").endswith("04-rope/index.html#04-rope"):
        problems.append(f"search: RoPE gives {links[0].get_attribute('href')} first")
    field.submit()
    WebDriverWait(browser.driver, 60).until(lambda driver: "RoPE" in driver.title or "04" in driver.title)
    field = browser.driver.find_element("css selector", "#search input")
    field.send_keys("no such word anywhere")
    WebDriverWait(browser.driver, 60).until(lambda driver: driver.find_elements("css selector", "#search li"))
    if browser.driver.find_elements("css selector", "#search li a"):
        problems.append("search: finds what is not there")
    return problems


def check_menu(browser, site):
    """On a phone the contents are folded away until they are asked for; on a desktop they are always there."""
    browser.open(site / "index.html")
    contents = browser.driver.find_element("id", "contents")
    problems = []
    browser.look("phone", "light")
    if contents.is_displayed():
        problems.append("menu: open from the start on a phone")
    browser.driver.find_element("id", "menu").click()
    if not contents.is_displayed():
        problems.append("menu: does not open on a phone")
    browser.driver.find_element("id", "menu").click()
    browser.look("desktop", "light")
    if not contents.is_displayed():
        problems.append("menu: hidden on a desktop")
    return problems


def check_browser(site, screenshots):
    browser, problems = Browser(), []
    pages = [path for path in sorted(site.rglob("*.html")) if not re.search(r"\.\w+\.html$", path.name)]
    pages += sorted(site.rglob("*.cpp.html"))[:1] + sorted(site.rglob("*.diff.html"))[:1]
    for path in pages:
        name = path.relative_to(site)
        browser.look("phone", "light")
        browser.open(path)
        browser.run("document.querySelectorAll('details').forEach((details) => { details.open = true; });")
        for screen in WIDTHS:
            browser.look(screen, "light")
            problems += [f"{name}: wider than a {screen}: {element}" for element in browser.run(TOO_WIDE)]
            problems += [f"{name}: a formula does not fit a {screen}: {it}" for it in browser.run(CUT_OFF)]
        problems += [f"{name}: not shown: {thing}" for thing in browser.run(NOT_SHOWN)]
        problems += [f"{name}: {message}" for message in browser.errors()]
        for screen in WIDTHS if screenshots else ():
            for scheme in ("light", "dark"):
                browser.look(screen, scheme)
                file = screenshots / f"{str(name).replace('/', '-')}-{screen}-{scheme}.png"
                browser.driver.save_screenshot(str(file))
    problems += check_search(browser, site) + check_menu(browser, site)
    print(f"{len(pages)} pages in Chromium {browser.driver.capabilities['browserVersion']}")
    browser.driver.quit()
    return problems


def take_picture(site, file):
    browser = Browser()
    browser.look("desktop", "light")
    browser.open(site / "chapters" / "04-rope" / "index.html")
    browser.run("document.querySelector('main img').closest('p').previousElementSibling.scrollIntoView();")
    clip = {"x": 0, "y": browser.run("return window.scrollY;"), "width": WIDTHS["desktop"][0], "height": 680, "scale": 1}
    picture = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip})
    file.write_bytes(base64.b64decode(picture["data"]))
    browser.driver.quit()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=pathlib.Path)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--screenshots", type=pathlib.Path, help="folder for pictures of the pages")
    parser.add_argument("--picture", type=pathlib.Path, help="file for a picture of one page")
    arguments = parser.parse_args()
    site = arguments.site.resolve()
    if not (site / "index.html").is_file():
        skip("blahtexml (./cria setup book)")  # without which cria book writes nothing
    if arguments.picture:
        return take_picture(site, arguments.picture)
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    problems = check_browser(site, arguments.screenshots) if arguments.browser else check_files(site)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
