# SPDX-License-Identifier: Apache-2.0
"""The ports over an upgrade of the .deb, with clients that ask without a pause; with the socket units, and without."""

import pytest
from booted_root import UNIT, reply
from steady_client import ANSWER, steady_clients
from test_deb import OF_THE_SYSTEM, installs, next_deb  # noqa: F401, a fixture

SOCKETS = "wcs-node-agent.socket wcs-node-agent-metrics.socket"


def upgrade(debian, deb):
    """While both ports are asked, and each time there is a whole answer."""
    first = debian.show("MainPID")
    with steady_clients() as clients:
        debian.inside(f"dpkg -i {deb}")
        for client in clients:
            client.wait_for_answers()
    assert debian.is_active() and debian.show("MainPID") != first, "it was restarted"


def test_an_upgrade_refuses_nobody(debian, next_deb):  # noqa: F811
    installs(debian)
    assert debian.run_inside(f"systemctl is-enabled {SOCKETS}").stdout.split() == ["disabled", "disabled"]
    upgrade(debian, next_deb)
    assert "kept by systemd over the restart: 0.0.0.0:9707, 127.0.0.1:9708, [::]:9707" in debian.journal()
    debian.inside(f"systemctl stop {UNIT}")
    with pytest.raises(ConnectionRefusedError):
        reply()


def test_an_upgrade_refuses_nobody_with_the_socket_units_and_a_purge_leaves_nothing(debian, next_deb):  # noqa: F811
    before = debian.files()
    installs(debian)
    debian.inside(f"systemctl stop {UNIT}; systemctl enable --now {SOCKETS}")
    assert debian.show("ActiveState") == "inactive"
    assert ANSWER.fullmatch(reply()), "who connects starts it"
    upgrade(debian, next_deb)
    assert "systemd passes metrics_listen 127.0.0.1:9708" in debian.journal()
    assert debian.inside(f"systemctl is-enabled {SOCKETS}").split() == ["enabled", "enabled"]
    debian.inside("dpkg -P wcs-node-agent")
    with pytest.raises(ConnectionRefusedError):
        reply()
    left = {path for path in debian.files() - before if not OF_THE_SYSTEM.match(path)}
    assert left == set()
    assert debian.run_inside(f"systemctl is-active {SOCKETS}").stdout.split() == ["inactive", "inactive"]
