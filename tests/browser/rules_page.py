#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `holdfast rules html` in a browser: search, filters, anchors, marks, keyboard, a phone.

    rules_page.py PAGE [--screenshots DIR]

PAGE is an index.html. Drives headless Chromium through chromedriver's own HTTP protocol, so nothing
but the two programs is needed. Exit status 0: all checks hold; 1: one does not; 77: no browser.
"""

import argparse
import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

SKIPPED = 77
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
METHODS, SENTENCES = 175, 77 + 87 + 87 + 88 + 97


class Browser:
    """One Chromium with a profile of its own, and the chromedriver that steers it."""

    def __init__(self, chromium, chromedriver, profile):
        self.driver = subprocess.Popen([chromedriver, "--port=0"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.session = None
        port = None
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                port = found.group(1)
                break
        if port is None:
            raise RuntimeError("chromedriver did not start")
        self.base = f"http://127.0.0.1:{port}"
        options = {"binary": chromium,
                   "args": [*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"

    def call(self, method, path, body=None):
        # No proxy: the driver is on this machine, whatever the environment says.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with opener.open(request, timeout=120) as reply:
                return json.loads(reply.read())["value"]
        except urllib.error.HTTPError as error:
            value = json.loads(error.read())["value"]
            raise RuntimeError(f"{path}: {value['error']}: {value['message']}") from error

    def post(self, path, **body):
        return self.call("POST", self.session + path, body)

    def close(self):
        try:
            if self.session:
                self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(30)

    def open(self, url):
        self.post("/url", url=url)

    def js(self, script, *args):
        return self.post("/execute/sync", script=script, args=list(args))

    def cdp(self, command, **params):
        return self.post("/goog/cdp/execute", cmd=command, params=params)

    def element(self, css):
        return self.post("/element", using="css selector", value=css)[ELEMENT]

    def click(self, css):
        self.post(f"/element/{self.element(css)}/click")

    def type(self, css, text):
        self.post(f"/element/{self.element(css)}/value", text=text)

    def keys(self, *keys):
        actions = []
        for key in keys:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.post("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def choose(self, css, label):
        self.js("""const s = document.querySelector(arguments[0]);
                   s.value = [...s.options].find(o => o.text === arguments[1]).value;
                   s.dispatchEvent(new Event('input', {bubbles: true}));""", css, label)

    def console(self):
        return self.post("/se/log", type="browser")

    def screenshot(self, path):
        data = self.call("GET", self.session + "/screenshot")
        Path(path).write_bytes(base64.b64decode(data))


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, ok, found=None):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED  {what}" + ("" if found is None else f": {found!r}"))

    def equal(self, what, found, wanted):
        self.that(f"{what} is {wanted!r}", found == wanted, found)


# Is the element with that id there, shown, and inside the window?
IN_SIGHT = """
const e = document.getElementById(arguments[0]);
if (!e) return 'missing';
const r = e.getBoundingClientRect();
if (!r.width || !r.height) return 'hidden';
const inside = r.top >= 0 && r.top < innerHeight && r.left < innerWidth && r.right > 0;
return inside ? 'in sight' : 'elsewhere: ' + JSON.stringify(r);
"""
SHOWN = "return [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent).length;"
HAS = """const e = document.getElementById(arguments[0]);
         return e ? e.querySelectorAll(arguments[1]).length : -1;"""
# The least contrast between a text and what is painted below it.
CONTRAST = """
const rgb = c => c.match(/[\\d.]+/g).map(Number);
const light = c => { const [r, g, b] = c.map(v => v / 255).map(
  v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126*r + .7152*g + .0722*b; };
const below = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
let least = 99, where = '';
for (const e of document.querySelectorAll('.t, .tag, .k, .none, .soft, .how, summary, a, h2, p, label')) {
  if (!e.offsetParent) continue;
  const a = light(rgb(getComputedStyle(e).color).slice(0, 3)), b = light(below(e));
  const c = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (c < least) { least = c; where = e.className + ' ' + e.textContent.slice(0, 40); }
}
return [least, where];
"""


def reset(browser):
    browser.js("document.getElementById('filter').reset();")
    browser.js("return new Promise(done => setTimeout(done, 20));")


def go(browser, anchor):
    browser.js("location.hash = arguments[0];", anchor)
    browser.js("return new Promise(done => setTimeout(done, 60));")


def count_text(browser):
    return browser.js("return document.getElementById('count').textContent;")


def check_content(browser, check):
    check.that("the page has a title", "VFS" in browser.js("return document.title;"))
    check.equal("methods in the page", browser.js(SHOWN, "tbody.m"), METHODS)
    check.equal("anchors of sentences", browser.js(SHOWN, ".ids a"), SENTENCES)
    check.that("the count names all methods", count_text(browser).startswith(f"{METHODS} methods"),
               count_text(browser))
    duplicates = browser.js("""const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
                               return ids.filter((x, i) => ids.indexOf(x) !== i);""")
    check.equal("ids that occur twice", duplicates, [])
    unnamed = browser.js("""return [...document.querySelectorAll('input, select, button')]
        .filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') &&
                     !e.textContent.trim()).map(e => e.id);""")
    check.equal("controls without a name", unnamed, [])


def check_marks(browser, check):
    marks = {("4.1.super_operations.freeze_fs", ".ch"): 1,
             ("3.5.super_operations.freeze_fs", ".ch"): 0,
             ("4.4.super_operations.freeze_fs", ".ch"): 0,
             ("5.6.inode_operations.lookup", ".ch"): 1,
             ("5.6.inode_operations.create", ".ch"): 0,
             ("5.6.inode_operations.create", ".rw"): 1,
             ("6.6.inode_operations.rename", ".ch"): 1,
             ("6.6.inode_operations.get_offset_ctx", ".new"): 1,
             ("5.6.inode_operations.get_link", ".new"): 1,
             ("6.6.inode_operations.get_link", ".new"): 0,
             ("4.4.block_device_operations.direct_access", ".proto"): 1}
    for (anchor, css), wanted in marks.items():
        check.equal(f"{css} in {anchor}", browser.js(HAS, anchor, css), wanted)
    gone = browser.js("""const row = document.getElementById(
        '5.6.address_space_operations.readpage').parentElement;
        return [row.querySelector('.gone').textContent,
                row.querySelector('.gone + a').getAttribute('href')];""")
    check.equal("where readpage went", gone,
                ["gone", "#6.6.address_space_operations.read_folio"])


def check_search(browser, check):
    browser.type("#search", "read_folio")
    check.equal("read_folio while searched for",
                browser.js("return !!document.getElementById("
                           "'6.6.address_space_operations.read_folio').offsetParent;"), True)
    check.equal("mkdir while read_folio is searched for",
                browser.js("return !!document.getElementById("
                           "'6.6.inode_operations.mkdir').offsetParent;"), False)
    stray = browser.js("""return [...document.querySelectorAll('.m, .rule')].filter(
        e => !e.hidden && !e.textContent.includes('read_folio')).length;""")
    check.equal("items shown that lack the word", stray, 0)
    shown = browser.js(SHOWN, "tbody.m")
    check.that("the count follows the search", count_text(browser).startswith(f"{shown} method"),
               count_text(browser))
    check.that("empty tables are hidden", not browser.js(
        "return document.getElementById('dquot_operations').offsetParent;"))
    reset(browser)
    browser.type("#search", "RENAME victim")  # several words, any case, in a sentence
    check.equal("6.6-inode-2 while its words are searched for",
                browser.js("return !!document.getElementById('6.6-inode-2').offsetParent;"), True)
    reset(browser)
    browser.type("#search", "<b>&quot;")
    check.equal("what matches nothing", count_text(browser), "0 methods, 0 sentences")
    check.equal("the word for that", browser.js(SHOWN, "#nothing"), 1)
    reset(browser)
    check.equal("methods after a reset", browser.js(SHOWN, "tbody.m"), METHODS)


def check_filters(browser, check):
    browser.choose("#table", "super_operations")
    check.equal("sections with a table chosen", browser.js(SHOWN, "main section"), 1)
    check.equal("rows of super_operations", browser.js(SHOWN, "tbody.m"), 19)
    reset(browser)
    browser.choose("#edition", "4.4")
    check.equal("columns of other editions", browser.js(SHOWN, "td.c:not(.e2)"), 0)
    check.equal("methods of 4.4", browser.js(SHOWN, "tbody.m"), 135)
    check.equal("sentences of 4.4", browser.js(SHOWN, ".rule"), 87)
    browser.click("#changed")
    check.equal("methods that changed in 4.4", browser.js(
        """return [...document.querySelectorAll('tbody.m')].filter(e => e.offsetParent)
                  .map(e => e.querySelector('th').textContent).sort();"""),
        ["direct_access", "follow_link", "put_link"])
    reset(browser)
    browser.click("#changed")
    check.equal("d_hash, whose prototype changed",
                browser.js(IN_SIGHT, "6.6.dentry_operations.d_hash") != "hidden", True)
    check.equal("d_delete, which never changed",
                browser.js(IN_SIGHT, "6.6.dentry_operations.d_delete"), "hidden")
    reset(browser)


def check_anchors(browser, check):
    for anchor in ("6.6-inode-2", "3.5-vm-5", "6.6.inode_operations.rename",
                   "4.1.vm_operations_struct.access", "dquot_operations", "6.6-doc-1"):
        go(browser, anchor)
        check.equal(f"#{anchor}", browser.js(IN_SIGHT, anchor), "in sight")
    browser.choose("#table", "dquot_operations")
    browser.choose("#edition", "3.5")
    go(browser, "5.6.inode_operations.get_link")
    check.equal("a method that a filter hid", browser.js(IN_SIGHT, "5.6.inode_operations.get_link"),
                "in sight")
    check.equal("the filter after that", browser.js("return document.getElementById('table').value;"),
                "")


def check_keyboard(browser, check):
    enter, tab = "\ue007", "\ue004"
    browser.js("document.activeElement.blur(); scrollTo(0, 0);")
    browser.keys("/")
    check.equal("focus after /", browser.js("return document.activeElement.id;"), "search")
    check.equal("text after /", browser.js("return document.activeElement.value;"), "")
    browser.keys(tab)
    check.equal("focus after tab", browser.js("return document.activeElement.id;"), "table")
    browser.js("""document.getElementById('6.6.inode_operations.rename').closest('tbody')
                          .querySelector('summary').focus();""")
    browser.keys(enter)
    forms = browser.js("""const d = document.getElementById('6.6.inode_operations.rename')
        .closest('tbody').querySelector('details');
        return [d.open, d.querySelectorAll('dd').length, d.querySelector('dd').textContent];""")
    check.equal("the prototypes of rename, opened", forms[:2], [True, 3])
    check.that("the first form is 3.5's", forms[2].startswith("int (*rename) (struct inode *"), forms)
    check.equal("boxes that the keyboard can't scroll",
                browser.js("return [...document.querySelectorAll('.box')]"
                           ".filter(e => e.tabIndex !== 0).length;"), 0)


def check_headings(browser, check):
    go(browser, "6.6.inode_operations.get_offset_ctx")  # far down in its table
    covered = browser.js("""
        const row = document.getElementById('6.6.inode_operations.get_offset_ctx');
        const head = row.closest('table').querySelector('thead .e4').getBoundingClientRect();
        const bar = document.getElementById('bar').getBoundingClientRect();
        const top = document.elementFromPoint(head.left + 5, head.top + 5);
        return [head.top >= bar.bottom - 1 && head.bottom < innerHeight, top.textContent];""")
    check.that("the headings stay in sight", covered[0] and covered[1].startswith("6.6"), covered)


def check_schemes(browser, check, shots):
    papers = []
    for scheme in ("light", "dark"):
        browser.cdp("Emulation.setEmulatedMedia",
                    features=[{"name": "prefers-color-scheme", "value": scheme}])
        papers.append(browser.js("return getComputedStyle(document.body).backgroundColor;"))
        least, where = browser.js(CONTRAST)
        check.that(f"contrast of text, {scheme}, is 4.5 or more", least >= 4.5, (least, where))
        shot(browser, shots, f"desktop-{scheme}")
    check.that("dark differs from light", papers[0] != papers[1], papers)
    browser.cdp("Emulation.setEmulatedMedia", features=[])


def check_phone(browser, check, url, shots):
    browser.cdp("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2,
                mobile=True)
    browser.open("about:blank")
    browser.open(url)
    widths = "return [innerWidth, document.documentElement.scrollWidth];"
    check.equal("widths on a phone", browser.js(widths), [390, 390])
    check.that("the matrix scrolls in its box", browser.js(
        "const b = document.querySelector('.box'); return b.scrollWidth > b.clientWidth;"))
    shot(browser, shots, "phone-top")
    go(browser, "6.6.inode_operations.rename")
    check.equal("a method's anchor on a phone",
                browser.js(IN_SIGHT, "6.6.inode_operations.rename"), "in sight")
    browser.js("for (const d of document.querySelectorAll('details')) d.open = true;")
    check.equal("widths with everything open", browser.js(widths), [390, 390])
    wide = browser.js("""return [...document.querySelectorAll('.in, .rule, #bar form, h2')].filter(
        e => e.offsetParent && e.getBoundingClientRect().width > innerWidth).length;""")
    check.equal("blocks wider than a phone", wide, 0)
    go(browser, "3.5.dentry_operations.d_hash")
    go(browser, "6.6.inode_operations.rename")
    shot(browser, shots, "phone-method")
    browser.type("#search", "invalidate_lock")
    check.equal("widths while searching", browser.js(widths), [390, 390])
    go(browser, "6.6-aops-26")
    shot(browser, shots, "phone-sentence")
    browser.cdp("Emulation.clearDeviceMetricsOverride")


def shot(browser, folder, name):
    if folder:
        browser.screenshot(folder / f"{name}.png")


def run(browser, url, shots, check):
    browser.cdp("Emulation.setDeviceMetricsOverride", width=1280, height=900, deviceScaleFactor=1,
                mobile=False)
    browser.open(url)
    check_content(browser, check)
    check_marks(browser, check)
    check_schemes(browser, check, shots)
    check_search(browser, check)
    check_filters(browser, check)
    check_anchors(browser, check)
    check_keyboard(browser, check)
    shot(browser, shots, "desktop-method")
    check_headings(browser, check)
    check.equal("widths on a desktop", browser.js(
        "return document.documentElement.scrollWidth <= innerWidth;"), True)
    check_phone(browser, check, url, shots)
    noise = [e["message"] for e in browser.console() if e["level"] in ("SEVERE", "WARNING")]
    check.equal("what the console complains of", noise, [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="index.html as `holdfast rules html` wrote it")
    parser.add_argument("--screenshots", type=Path, metavar="DIR", help="leave pictures in DIR")
    options = parser.parse_args()
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        print("skipped: chromium or chromedriver is not installed")
        return SKIPPED
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    check = Checks()
    with tempfile.TemporaryDirectory(prefix="holdfast-browser-", ignore_cleanup_errors=True) as profile:
        browser = Browser(chromium, chromedriver, profile)
        try:
            run(browser, options.page.resolve().as_uri(), options.screenshots, check)
        finally:
            browser.close()
    print(f"{check.passed} checks hold, {check.failed} fail")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
