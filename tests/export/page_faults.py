"""What a visitor would stumble over in a page that has answered."""

import os


def ask_in(page, text):
    page.fill("#text", text)
    page.click("#ask")
    page.wait_for_selector("#why:not([hidden])")


def faults_of(page, width, picture):
    """Return what is too wide, and what axe-core, served as axe.js, calls serious."""
    found = []
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        found.append(f"it is {wide} pixels wide, of {width}")
    pictures = os.environ.get("DISTILL_SCREENSHOTS")
    if pictures:  # to be looked at
        page.screenshot(path=f"{pictures}/{picture}.png")
    page.add_script_tag(url="axe.js")
    report = page.evaluate("axe.run()")
    return found + [
        f"{fault['id']}: {fault['help']}"
        for fault in report["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
