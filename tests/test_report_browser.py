"""The report in a real browser: its controls are clicked, a video plays, a phone can show it.

Needs Chromium (Debian: `apt install chromium`, or `playwright install chromium`); is skipped, and
says so, where there is none.
"""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
import report_data

from scripts.cli import main

sync_api = pytest.importorskip("playwright.sync_api")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the browser that there is."""
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_api.sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=installed, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
        except sync_api.Error as error:
            if installed is not None:
                raise
            pytest.skip(f"no browser: apt install chromium ({error.message.splitlines()[0]})")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write a report of everything and give its address."""
    root = tmp_path_factory.mktemp("results")
    report_data.fill(root)
    assert main(["report", str(root)]) == 0
    return (root / "report.html").as_uri()


class Visit:
    """A page that is open, and what the browser complained of."""

    def __init__(self, browser: Any, address: str, **how: Any) -> None:
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_page(**how)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *error: object) -> None:
        self.page.close()


WATCH = """() => {
  const button = document.querySelector(".copy");
  window.said = [];
  new MutationObserver(() => window.said.push(button.textContent)).observe(
    button, { childList: true });
}"""


def until(page: Any, true: str) -> None:
    """Wait for something to become true; the page's own policy forbids it to evaluate texts."""
    deadline = time.monotonic() + 20
    while not page.evaluate(true):
        assert time.monotonic() < deadline, f"{true} did not come true"
        page.wait_for_timeout(30)


def copy(page: Any) -> None:
    """Press the first button that copies a command, once the page has stopped scrolling to it."""
    button = page.locator(".copy").first
    button.scroll_into_view_if_needed()
    before = -1.0
    while (now := page.evaluate("scrollY")) != before:
        before = now
        page.wait_for_timeout(250)
    page.evaluate(WATCH)  # (What it says is soon gone again)
    button.click()


def ground(page: Any) -> int:
    """Tell how light the ground of the page is, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return int(colour.partition("(")[2].split(",")[0])


def test_controls_do_what_they_say(browser: Any, address: str) -> None:
    with Visit(browser, address, viewport={"width": 1280, "height": 900}) as visit:
        page = visit.page
        card = page.locator("#tasks article").filter(has_text="Other-v0").first
        over_steps = card.locator("[data-axis=steps]").first
        over_seconds = card.locator("[data-axis=cpu_seconds]").first
        assert over_steps.is_visible() and not over_seconds.is_visible()
        card.get_by_role("button", name="CPU seconds").click()
        assert over_seconds.is_visible() and not over_steps.is_visible()

        line = over_seconds.locator("g[data-algo=sac] path.line")
        assert line.is_visible()
        chip = card.locator(".chip", has_text="SAC")
        chip.click()
        assert not line.is_visible() and chip.get_attribute("aria-pressed") == "false"
        chip.click()
        assert line.is_visible()

        over_seconds.locator("g[data-algo=brain] circle.feel").last.hover()
        tip = page.locator("#tip")
        assert tip.is_visible() and "Neonate: −" in tip.inner_text()

        table = card.locator("table").first
        names = table.locator("tbody td:first-child")
        head = table.get_by_role("button", name="return, IQM (95 %)")
        head.click()
        assert names.all_inner_texts() == ["random", "SAC", "Neonate"]
        head.click()
        assert names.all_inner_texts() == ["Neonate", "SAC", "random"]

        card.get_by_text("Every seed").click()
        assert card.locator("details table").first.locator("tbody tr").count() == 7

        page.locator("nav").get_by_text("Lesions", exact=True).click()
        until(
            page, "Math.abs(document.querySelector('#lesions').getBoundingClientRect().top) < 120"
        )
        copy(page)
        until(page, "window.said.length > 0")
        assert page.evaluate("window.said[0]") in ("copied", "selected")
        assert visit.complaints == []
        assert page.title() != "taken"  # the hostile name of an environment did nothing
        assert all(url.startswith(("file:", "data:", "blob:")) for url in visit.asked)


def test_a_command_is_selected_where_the_clipboard_does_not_answer(
    browser: Any, address: str
) -> None:
    with Visit(browser, address) as visit:
        page = visit.page
        page.evaluate("() => { navigator.clipboard.writeText = () => new Promise(() => {}); }")
        copy(page)
        until(page, "window.said.length > 0")
        assert page.evaluate("window.said[0]") == "selected"
        assert page.evaluate("getSelection().toString()").startswith("neonate ")


def test_a_video_plays(browser: Any, address: str) -> None:
    with Visit(browser, address) as visit:
        video = visit.page.locator("video").first
        video.scroll_into_view_if_needed()
        video.evaluate("v => { v.muted = true; return v.play(); }")
        until(visit.page, "document.querySelector('video').currentTime > 0.3")
        assert video.evaluate("v => [v.videoWidth, v.videoHeight, v.error]") == [160, 96, None]
        assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_can_show_it(browser: Any, address: str, scheme: str) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "color_scheme": scheme, "has_touch": True}
    with Visit(browser, address, **phone) as visit:
        page = visit.page
        assert page.evaluate("document.documentElement.scrollWidth") <= 360  # nothing sticks out
        sizes = page.evaluate(
            "[...document.querySelectorAll('.chart text')].filter(t => t.checkVisibility())"
            ".map(t => t.getBoundingClientRect().height)"
        )
        assert min(sizes) > 9  # letters in drawings can be read
        assert (ground(page) > 128) == (scheme == "light")
        theme = page.locator("#theme")
        theme.tap()
        assert ground(page) > 128  # light, whatever the system has
        theme.tap()
        assert ground(page) < 128
        theme.tap()
        assert (ground(page) > 128) == (scheme == "light")


def test_letters_stand_out_from_their_ground(browser: Any, address: str) -> None:
    """Contrast of text to ground is 4.5 or more (WCAG 2.2, level AA) in both themes."""
    contrast = """() => {
      const canvas = document.createElement('canvas').getContext('2d');
      const light = (colour) => {
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(part);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const root = getComputedStyle(document.documentElement);
      const of = (name) => light(root.getPropertyValue(name));
      const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const pairs = [['--ink', '--card'], ['--soft', '--card'], ['--soft', '--ground'],
                     ['--accent', '--ground'], ['--ink', '--warn']];
      return pairs.map(([a, b]) => ratio(of(a), of(b)));
    }"""
    for scheme in ("light", "dark"):
        with Visit(browser, address, color_scheme=scheme) as visit:
            assert min(visit.page.evaluate(contrast)) >= 4.5
