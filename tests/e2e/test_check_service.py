# SPDX-License-Identifier: Apache-2.0
"""`check` beside an agent whose user has no account, as systemd's DynamicUser= makes one: it believes the owner of the
folder of the control socket, if that is root's doing."""

import subprocess

import lab
import pytest

DYNAMIC = 61234
OTHER = 61235


@pytest.fixture
def service(start, simulator, readable_agent, monkeypatch):
    monkeypatch.setattr(lab, "AGENT", readable_agent)
    simulator.set(streams_webrtc_out=25)
    as_service = ("setpriv", f"--reuid={DYNAMIC}", f"--regid={DYNAMIC}", "--clear-groups", "--inh-caps=-all")
    options = (f"--wcs-url={simulator.url}", "--cpu=off", "--policy=proportional")
    agent = start(lab.Agent, "agent", *options, prefix=as_service)
    agent.wait_until_listening()
    agent.wait_for_reply("^up 75%$")


def check_where(run):
    """What root's `check` says in a mount namespace of its own whose empty /run the commands have filled."""
    script = f"mount -t tmpfs -o mode=755 tmpfs /run\n{run}\nexec {lab.AGENT} check"
    return lab.run("unshare", "--mount", "sh", "-euc", script)


def test_the_owner_of_the_services_folder_is_believed(service):
    assert check_where(f"install -d -o {DYNAMIC} /run/wcs-node-agent") == "up 75%\n"


@pytest.mark.parametrize(
    "run",
    [
        pytest.param("", id="no folder"),
        pytest.param("mkdir /run/wcs-node-agent", id="a folder of root's"),
        pytest.param(f"install -d -o {OTHER} /run/wcs-node-agent", id="a folder of another user's"),
        pytest.param(f"install -d -o {DYNAMIC} /run/wcs-node-agent; chmod 775 /run", id="whose group may make it"),
        pytest.param(f"install -d -o {DYNAMIC} /run/wcs-node-agent; chmod 1777 /run", id="anybody may make it"),
        pytest.param(
            f"install -d -o {DYNAMIC} /run/wcs-node-agent; chown {DYNAMIC} /run", id="the user's own folder all the way"
        ),
    ],
)
def test_nobody_else_is(service, run):
    """The default wcs_url, which `check` then asks, answers nobody here."""
    assert check_where(run).startswith("down # wcs: ")
