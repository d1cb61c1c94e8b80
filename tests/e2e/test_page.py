# SPDX-License-Identifier: Apache-2.0
"""The status page, in a real Chromium in the network `peer`, 10.98.0.2."""

import json
import math
import os
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import lab
import pytest
from browser import Browser
from selenium.webdriver.common.keys import Keys
from status_page import ADDRESS, CLIENT, PORT, StatusPage

HERE = f"http://{ADDRESS}:{PORT}/"
ALLOW = "--metrics-allow=10.98.0.0/24"
LISTEN = f"{ADDRESS}:{PORT}"
PASSWORD = "correct horse"
SCREENSHOTS = os.environ.get("WNA_SCREENSHOTS")  # a folder that gets those of docs/


@pytest.fixture(scope="module")
def site(tmp_path_factory, peer):
    """The browser, which all tests share, and the authority that it trusts."""
    folder = tmp_path_factory.mktemp("site")
    folder.chmod(0o755)
    certificate = lab.certificate(folder, ADDRESS)
    browser = Browser(folder / "chromedriver.log", CLIENT, peer, ADDRESS, folder / "ca.pem")
    with closing(browser):
        yield StatusPage(browser), certificate


@pytest.fixture
def page(site):
    return site[0]


@pytest.fixture
def start_node(start_agent, simulator):
    """start_node(*options) -> an agent whose page the browser may see, of WCS with known counts."""

    def start_one(*options, **settings):
        simulator.set(streams_webrtc_in=12, streams_webrtc_out=40, streams_rtmp_in=1, streams_hls=3)
        agent = start_agent(ALLOW, "--subscribers=80", *options, metrics=LISTEN, **settings)
        agent.wait_for_reply("^(up|down)")
        return agent

    return start_one


def status(agent):
    return json.loads(agent.get("/status")[2])


def shown_limits(agent):
    """As the page must show them, of what /status says now."""
    units = {"percent": " %", "megabits_per_second": " Mbit/s"}
    rows = {}
    for name, limit in status(agent)["limits"].items():
        if limit["unit"] in units:
            continue  # they change from sample to sample
        used = "off" if limit["maximum"] is None else f"{limit['utilisation'] * 100:.1f} %"
        rows[name] = [name, f"{limit['value']:.0f} of {limit['maximum']:.0f}", used]
    return rows


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_shows_what_the_status_says_to_everybody(page, start_node, width, scheme):
    agent = start_node()
    page.look(width, scheme)
    page.open()
    said = status(agent)
    assert said["state"] == "up" and said["weight"] == 50
    page.wait_for("weight", lambda text: text == "weight 50 %")
    page.wait_for("reply", lambda text: text == said["reply"])
    assert page.text("state") == "up"
    assert page.text("explanation") == said["weighing"]["explanation"]
    assert page.text("bottleneck") == "The bottleneck is subscribers: 40 of 80."
    shown = {row[0]: row for row in page.rows("limits")}
    assert list(shown) == [f"{name} (soft)" if limit["soft"] else name for name, limit in said["limits"].items()]
    for name, row in shown_limits(agent).items():
        assert shown[name] == row
    page.wait_for_rows(
        "wcs",
        [
            ["publishers", "12", "1", "0", "13"],
            ["subscribers", "40", "0", "0", "40"],
            ["hls", "", "", "", "3"],
        ],
    )
    assert [row[0] for row in page.rows("interfaces")] == [one["name"] for one in said["interfaces"]]
    assert [row[0] for row in page.rows("cpus")] == [str(one["cpu"]) for one in said["cpus"]]
    assert page.text("version") == said["version"]
    assert page.text("source").startswith(said["source"]["name"])
    assert page.text("last-reply") == said["agent"]["last_check"]["reply"]
    assert page.text("last-check").startswith(said["agent"]["last_check"]["source"])
    lab.wait_until(lambda: page.web.execute_script("return document.querySelectorAll('canvas').length") == 8, "plots", 60)
    assert page.overflow() <= 0
    assert page.violations() == []
    assert page.console() == []
    assert [one for one in page.requests() if not one.startswith(HERE)] == []


def test_plots_have_their_tables(page, start_node):
    agent = start_node()
    page.open()
    sessions = "return [...document.querySelectorAll('figure')[2].querySelectorAll('tbody tr')].map(row => row.innerText)"
    wanted = ["publishers\t13\t13\t13\t13", "subscribers\t40\t40\t40\t40", "HLS\t3\t3\t3\t3"]
    lab.wait_until(lambda: page.web.execute_script(sessions)[:3] == wanted, "the table of sessions", 60)
    page.web.find_element("css selector", "figure:nth-of-type(3) summary").click()
    minutes = "return document.querySelector('figure:nth-of-type(3) details tbody').rows[0]?.cells[2].innerText"
    lab.wait_until(lambda: page.web.execute_script(minutes) == "40", "the minutes", 60)
    assert page.violations() == []
    assert agent.running


def test_without_dygraphs_there_are_tables(page, start_node):
    start_node()
    hide = "Object.defineProperty(window, 'Dygraph', { get() {}, set() {} });"
    script = page.cdp("Page.addScriptToEvaluateOnNewDocument", source=hide)["identifier"]
    try:
        page.open()
        assert "no plots" in page.text("no-plots")
        rows = "return document.querySelector('figure tbody').rows.length"
        lab.wait_until(lambda: page.web.execute_script(rows) == 4, "a table", 60)
        assert page.violations() == []
        assert page.console() == []
    finally:
        page.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_dygraphs_may_be_missing_at_the_build(tmp_path):
    source = tmp_path / "page_assets.cpp"
    script = lab.ROOT / "cmake/embed.cmake"
    files = f"{lab.ROOT}/src/http/page/index.html;{lab.ROOT}/src/http/page/main.js"
    command = ["cmake", f"-DOUTPUT={source}", f"-DFILES={files}", "-DDYGRAPHS=DYGRAPHS-NOTFOUND", "-P", script]
    subprocess.run(command, check=True, cwd=tmp_path)
    assert '"/page/dygraphs.js"' in source.read_text()
    assert "no plots without dygraphs" in (tmp_path / "asset").read_text()


def test_says_when_the_agent_is_away_and_goes_on_when_it_is_back(page, start_node, simulator):
    agent = start_node()
    page.open()
    page.wait_for("weight", lambda text: text == "weight 50 %")
    agent.signal(signal.SIGKILL)
    agent.wait()
    text = page.wait_for("connection", lambda text: "does not answer" in text)
    assert "Asking again every second" in text
    assert page.text("weight") == "weight 50 %", "the last figures stay"
    start_node("--publishers=20", name="second")
    page.wait_for("connection", lambda text: text == "The agent answers again. The node is up.")
    page.wait_for("bottleneck", lambda text: text == "The bottleneck is publishers: 13 of 20.")
    page.console()  # the browser's own word of what it could not reach


def test_speaks_of_a_change_of_the_state_alone(page, start_node, simulator):
    start_node()
    page.open()
    assert page.text("connection") == ""
    simulator.set(streams_webrtc_out=80)
    page.wait_for("state", lambda text: text == "down")
    assert page.text("connection") == "The node is down."
    assert page.text("reason") == "subscribers 80 of 80"
    assert page.text("meaning") == "The node gets no new sessions."
    simulator.set(streams_webrtc_out=8)
    page.wait_for("connection", lambda text: text == "The node is up.")


def test_the_keyboard_pauses_it(page, start_node, simulator):
    agent = start_node()
    page.open()
    page.web.find_element("tag name", "body").send_keys(Keys.TAB)
    button = page.web.switch_to.active_element
    assert button.get_attribute("id") == "pause"
    button.send_keys(Keys.SPACE)
    assert button.get_attribute("aria-pressed") == "true"
    lab.wait_until(lambda: page.web.execute_script("return document.body.classList.contains('paused')"), "it pauses")
    before = page.requests()
    simulator.set(streams_webrtc_out=20)
    agent.wait_for_reply("^up 75%")
    seconds = json.loads(agent.get("/history")[2])["last"]
    lab.wait_until(lambda: json.loads(agent.get("/history")[2])["last"] > seconds + 3, "some seconds", 30)
    assert len(page.requests()) <= len(before) + 2, "but for those on their way"
    assert page.text("weight") == "weight 50 %"
    button.send_keys(Keys.SPACE)
    page.wait_for("weight", lambda text: text == "weight 75 %")


def test_names_of_others_are_text(page, start_node):
    name = "<b>&\"'x"
    lab.ip("link", "add", name, "type", "veth", "peer", "name", "other-end")
    lab.ip("link", "set", name, "up")
    try:
        start_node(f"--interface={name}")
        page.open()
        lab.wait_until(lambda: name in [row[0] for row in page.rows("interfaces")], "the interface", 60)
        assert page.web.execute_script("return document.querySelectorAll('#interfaces b').length") == 0
        assert page.console() == []
    finally:
        lab.ip("link", "delete", name)


def test_shows_profiles_where_there_are_some(page, start_node, tmp_path):
    file = tmp_path / "config.json"
    profile = {"agent_listen": ["127.0.0.1:9717"], "publishers": 26}
    file.write_text(json.dumps({"profiles": {"publish": profile}}))
    agent = start_node(f"--config={file}")
    page.open()
    lab.wait_until(lambda: page.rows("profiles"), "the profile", 60)
    (row,) = page.rows("profiles")
    assert row[:4] == ["publish", "up", "50 %", "publishers 50.0 %"]
    assert page.violations() == []
    assert agent.running


def test_works_with_tls_and_a_password(site, start_node, tmp_path):
    page, certificate = site
    name, hashed = lab.run("/usr/bin/htpasswd", "-nbBC", "4", "operator", PASSWORD).strip().split(":")
    folder = certificate.parent
    chain = folder / "chain.pem"
    chain.write_text((folder / "leaf.pem").read_text() + (folder / "intermediate.pem").read_text())
    web = tmp_path / "web.yml"
    web.write_text(
        f"tls_server_config:\n  cert_file: {chain}\n  key_file: {folder / 'leaf.key'}\n"
        f"basic_auth_users:\n  {name}: {hashed}\n"
    )
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"web_config_file": str(web)}))
    start_node(f"--config={file}")
    page.open(f"https://operator:{PASSWORD.replace(' ', '%20')}@{ADDRESS}:{PORT}/")
    page.wait_for("weight", lambda text: text == "weight 50 %")
    lab.wait_until(lambda: page.web.execute_script("return document.querySelectorAll('canvas').length") == 8, "plots", 60)
    assert page.console() == []


if SCREENSHOTS:

    def test_screenshots(page, start_node, simulator, media):
        """After three minutes in which the load comes and goes, and is too much for a moment."""
        start_node("--recent-sessions=2s", "--policy=headroom", "--window=2s", "--sample-interval=250ms")
        page.look(1280, "light")
        page.open()
        for second in range(180):
            viewers = 44 + 22 * math.sin(second / 20) + (20 if 100 <= second < 108 else 0)
            simulator.set(streams_webrtc_in=9 + second // 30, streams_webrtc_out=round(viewers))
            media.set(media_mbps=round(viewers * 0.9))
            time.sleep(1)
        for width, height, scheme, name in ((1280, 980, "light", "page"), (360, 1180, "dark", "page-phone")):
            page.look(width, scheme)
            time.sleep(2)
            page.screenshot(Path(SCREENSHOTS) / f"{name}.png", width, height)
