# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: its size and colours, what it says, what it asks for."""

import base64

import axe
import lab
from selenium.webdriver.common.by import By

ADDRESS, CLIENT = "10.98.0.1", "10.98.0.2"
PORT = 9708


class StatusPage:
    """One in the first window of the browser, whose network reaches 10.98.0.1 alone."""

    def __init__(self, browser):
        self.web = browser.web
        self.web.command_executor._commands["cdp"] = ("POST", "/session/$sessionId/goog/cdp/execute")

    def cdp(self, command, **parameters):
        return self.web.execute("cdp", {"cmd": command, "params": parameters})["value"]

    def look(self, width, scheme):
        """From now on at this width, by a user who has chosen dark or light."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url=f"http://{ADDRESS}:{PORT}/"):
        """Returns once it has figures. What an earlier page logged is forgotten."""
        self.web.get("about:blank")
        self.web.get_log("browser")
        self.web.get(url)
        self.wait_for("state", lambda text: text in ("up", "down", "drain", "maint"))

    def text(self, name):
        return self.web.find_element(By.ID, name).text

    def wait_for(self, name, fits, timeout=60):
        """Once the text of this element fits; returns it."""
        last = []

        def shows():
            last[:] = [self.text(name)]
            return fits(last[0])

        try:
            lab.wait_until(shows, name, timeout, every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}; last: {last}; console: {self.console()}") from None
        return last[0]

    def rows(self, body):
        """The texts of a table's rows, as they are in the document."""
        return self.web.execute_script(
            "return [...document.getElementById(arguments[0]).rows].map("
            "row => [...row.cells].map(cell => cell.textContent))",
            body,
        )

    def wait_for_rows(self, body, wanted, timeout=60):
        last = []

        def shows():
            last[:] = self.rows(body)
            return last == wanted

        try:
            lab.wait_until(shows, body, timeout, every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}; last: {last}; wanted: {wanted}") from None

    def console(self):
        return [entry["message"] for entry in self.web.get_log("browser")]

    def requests(self):
        """The addresses of everything that the page asked for."""
        return self.web.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")

    def violations(self):
        """What axe-core finds, each as one line; contrast and labels among it."""
        self.web.execute_script(axe.fetch().read_text())
        found = self.web.execute_async_script(
            "const done = arguments[0]; axe.run().then(result => done(result.violations))"
        )
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.web.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def screenshot(self, file, width, height):
        """From the top, so many pixels."""
        shot = self.cdp(
            "Page.captureScreenshot",
            captureBeyondViewport=True,
            clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
        )
        file.write_bytes(base64.b64decode(shot["data"]))
