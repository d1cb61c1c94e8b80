# SPDX-License-Identifier: Apache-2.0
"""The examples for the programs around the agent, each run by its real program."""

import re
from contextlib import ExitStack, suppress

import guide_site
import lab
import pytest

PACKAGING = lab.ROOT / "packaging"
TWO_WAY = "/examples/demo/streaming/two_way_streaming/two_way_streaming.html"


def replaced(text, *pairs):
    """The example with what is of this machine; fails where it has no such line."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_nginx_serves_the_websdk_s_examples(tmp_path):
    page = tmp_path / "websdk" / TWO_WAY.lstrip("/")
    page.parent.mkdir(parents=True)
    page.write_text("<title>Two-way Streaming</title>")
    with ExitStack() as stack:
        guide_site.start_nginx(stack, tmp_path, tmp_path / "websdk")
        check_examples("127.0.0.1:8180")


def check_examples(address):
    status, headers, _ = lab.http_get(address, "/", Host="www.example.com")
    assert (status, headers["Location"]) == (302, TWO_WAY), "with no port of its own in it"
    status, headers, text = lab.http_get(address, TWO_WAY)
    assert (status, headers["Content-Type"], text) == (200, "text/html", "<title>Two-way Streaming</title>")
    assert lab.http_get(address, "/missing.js")[0] == 404


@pytest.fixture
def xinetd(start, tmp_path):
    """xinetd(text) -> the real one, with that file where it includes its xinetd.d."""

    def start_one(text):
        configuration = tmp_path / "xinetd.conf"
        configuration.write_text(text)
        words = ("-f", configuration, "-filelog", tmp_path / "messages.log", "-pidfile", tmp_path / "xinetd.pid")
        return start(lab.Process, "xinetd", ["/usr/sbin/xinetd", "-dontfork", *map(str, words)])

    return start_one


def ask(address):
    with suppress(ConnectionRefusedError):
        return lab.ask_agent(address)


XINETD = (PACKAGING / "xinetd/wcs-node-agent-check").read_text()


def test_xinetd_runs_check_for_many_balancers_at_once(start, xinetd, readable_agent):
    """Sixty at a time."""
    simulator = start(lab.Simulator, "wcs-sim", listen=("127.0.0.1:8081",))
    simulator.set(streams_webrtc_out=25)
    # The machine is busy with other tests, and with sixty checks.
    xinetd(replaced(XINETD, ("/usr/sbin/wcs-node-agent\n", f"{readable_agent}\n"), (" cpu 90 ", " cpu 0 ")))
    assert lab.wait_until(lambda: ask("127.0.0.1:9707"), "xinetd answers") == "up 75%\n"
    clients = [lab.connect("127.0.0.1:9707", 60) for _ in range(60)]
    replies = []
    for client in clients:
        with client:
            replies.append(b"".join(iter(lambda: client.recv(4096), b"")).decode())
    assert set(replies) == {"up 75%\n"}


def test_xinetd_goes_on_at_a_hundred_questions_a_second(xinetd):
    """By its own bounds it would stop at fifty; echo in the place of check, which takes its time."""
    text = re.sub(r"(server_args += ).*", r"\1up 1%", XINETD)
    xinetd(replaced(text, ("/usr/sbin/wcs-node-agent\n", "/bin/echo\n")))
    lab.wait_until(lambda: ask("127.0.0.1:9707"), "xinetd answers")
    assert {lab.ask_agent("127.0.0.1:9707") for _ in range(400)} == {"up 1%\n"}


def test_xinetd_lets_in_whom_the_file_names(start, xinetd, readable_agent, peer):
    start(lab.Simulator, "wcs-sim", listen=("127.0.0.1:8081",))
    xinetd(replaced(XINETD, ("/usr/sbin/wcs-node-agent\n", f"{readable_agent}\n"), (" cpu 90 ", " cpu 0 ")))
    lab.wait_until(lambda: ask("127.0.0.1:9707"), "xinetd answers")
    with lab.inside(peer):
        with suppress(ConnectionResetError):
            assert lab.ask_agent("10.98.0.1:9707") == ""


def test_the_line_for_etc_services_is_that_of_the_xinetd_file():
    service = re.search(r"^service (\S+)$", XINETD, re.MULTILINE)[1]
    port = re.search(r"^\s*port\s*= (\d+)$", XINETD, re.MULTILINE)[1]
    line = (PACKAGING / "services").read_text()
    assert re.fullmatch(rf"{service}\s+{port}/tcp\s+#.*\n", line)


def test_the_settings_of_wcs_are_properties():
    lines = (PACKAGING / "wcs/flashphoner.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert settings == {
        "ws.map_custom_headers": "true",
        "ws.ip_forward_header": "X-Client-IP",
        "http.port": "8081",
    }
