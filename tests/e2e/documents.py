# SPDX-License-Identifier: Apache-2.0
"""What a document prints to be copied: its indented blocks, and the commands in them."""

import lab

# The first words of what is a command; the other lines of blocks are files and output.
PROGRAMS = (
    *("apt-get", "aws", "cat", "certbot", "chmod", "cp", "curl", "echo", "firewall-cmd", "haproxy"),
    *("install", "mkdir", "mv", "nft", "nginx", "npm", "openssl", "promtool", "ps", "restorecon", "rm", "sed", "socat", "ss"),
    *("systemctl", "tar", "telnet", "ufw", "wcs-node-agent", "wcs-node-agent-check", "yum"),
)


def blocks(name):
    """The indented blocks of a file of docs/, in order, without their indent."""
    found, lines = [], []
    for line in (*(lab.ROOT / "docs" / name).read_text().splitlines(), "end"):
        if line.startswith("    ") or (lines and not line.strip()):
            lines.append(line[4:])
        elif lines:
            found.append("\n".join(lines).rstrip())
            lines = []
    return found


def commands(name):
    return [
        line for block in blocks(name) for line in block.splitlines() if line.split(" ")[0] in PROGRAMS
    ]
