"""A browser for the tests of the page: Chromium without a screen."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

_SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--window-size=1300,850"),
)


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Run Chromium with an empty profile; both are gone afterwards."""
    options = webdriver.ChromeOptions()
    assert CHROMIUM is not None, "without it the tests are skipped"
    options.binary_location = CHROMIUM
    for switch in _SWITCHES:
        options.add_argument(switch)
    # Chromium may still write to its profile while it ends.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        service = webdriver.ChromeService(DRIVER)
        browser = webdriver.Chrome(options, service)
        try:
            yield browser
        finally:
            browser.quit()
