# SPDX-License-Identifier: Apache-2.0
"""A real Chromium with a camera of its own making, and the vendor's example in its windows."""

import os
from pathlib import Path

import lab
from selenium import webdriver
from selenium.webdriver.common.by import By

PORT = 9515


class Browser:
    """Chromium in a network, driven through chromedriver at address:9515.

    It goes to one host alone, an address, and trusts one authority. Its windows are tabs of one browser: they share its cookies, and each opens a WebSocket of its own.
    """

    def __init__(self, log, address, network, host, authority):
        home = Path(log).parent / "chromium-home"
        database = home / ".pki/nssdb"
        database.mkdir(parents=True)
        lab.run("certutil", "-d", f"sql:{database}", "-N", "--empty-password")
        lab.run("certutil", "-d", f"sql:{database}", "-A", "-t", "C,,", "-n", "site", "-i", str(authority))
        command = ["/usr/bin/chromedriver", f"--port={PORT}", "--allowed-ips=", "--allowed-origins=*"]
        self._driver = lab.Process(log, command, network, env={"HOME": str(home)})
        self._driver.wait_for_line("was started successfully", timeout=60)
        options = webdriver.ChromeOptions()
        for option in (
            "--headless=new",
            "--no-sandbox",  # which root has not
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            # Its own errands on the internet end at once; else the first page waits for their names.
            f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {host}",
            "--no-proxy-server",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            "--window-size=1280,800",
            f"--user-data-dir={home / 'profile'}",
        ):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        try:
            self.web = webdriver.Remote(f"http://{address}:{PORT}", options=options)
        except BaseException:
            self._driver.close()
            raise
        self._first = self.web.current_window_handle

    def open(self, url, server):
        """A new window with Two Way Streaming, whose server field says `server`."""
        self.web.switch_to.window(self._first)
        self.web.switch_to.new_window("tab")
        self.web.get(url)
        return TwoWayStreaming(self.web, server)

    def screenshot(self, url, file):
        """Of another page, in the empty first window."""
        self.web.switch_to.window(self._first)
        self.web.get(url)
        assert self.web.save_screenshot(str(file))
        self.web.get("about:blank")

    def close_windows(self):
        """All but the empty first one; cookies go too."""
        for handle in self.web.window_handles:
            if handle != self._first:
                self.web.switch_to.window(handle)
                self.web.delete_all_cookies()
                self.web.close()
        self.web.switch_to.window(self._first)

    def close(self):
        try:
            self.web.quit()
        finally:
            self._driver.close()


class TwoWayStreaming:
    """The vendor's example in one window: what a person does there, and what the page then says."""

    def __init__(self, web, server):
        self._web = web
        self._handle = web.current_window_handle
        self._fill("urlServer", server)

    def connect(self):
        self._click("connectBtn")
        return self

    def disconnect(self):
        self._click("connectBtn")
        self.wait_for("connectStatus", "DISCONNECTED")

    def publish(self, name):
        self._fill("publishStream", name)
        self._click("publishBtn")

    def play(self, name):
        self._fill("playStream", name)
        self._click("playBtn")

    def text(self, field):
        self._web.switch_to.window(self._handle)
        return self._web.find_element(By.ID, field).text

    def wait_for(self, field, text, timeout=30):
        """The field says just that; what it says at last is in the failure."""
        seen = []

        def says():
            seen[:] = [self.text(field)]
            return seen[0] == text

        try:
            lab.wait_until(says, f"{field} {text!r}", timeout, every=0.2)
        except AssertionError as error:
            log = "\n".join(entry["message"] for entry in self._web.get_log("browser"))
            raise AssertionError(f"{error}; it says {seen[0]!r}\n{log}") from None
        return self

    def screenshot(self, file):
        self._web.switch_to.window(self._handle)
        self._web.execute_script("window.scrollTo(0, 0)")
        assert self._web.save_screenshot(str(file))

    def _fill(self, field, text):
        self._web.switch_to.window(self._handle)
        element = self._web.find_element(By.ID, field)
        element.clear()
        element.send_keys(text)

    def _click(self, button):
        self._web.switch_to.window(self._handle)
        element = self._web.find_element(By.ID, button)
        lab.wait_until(element.is_enabled, f"{button} can be clicked", 30)
        element.click()
