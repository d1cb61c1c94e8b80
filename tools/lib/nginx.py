# SPDX-License-Identifier: Apache-2.0
"""A real nginx whose files are all in one folder."""

import contextlib

import lab

_CONFIGURATION = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
include /etc/nginx/mime.types;
access_log {folder}/nginx-access.log;
{temporary}
{servers}
}}
"""
_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx(lab.Process):
    """Started with the server blocks of a text; once it is made it accepts at the address."""

    def __init__(self, log, folder, servers, address):
        temporary = "\n".join(f"{kind}_temp_path {folder}/nginx-{kind};" for kind in _KINDS)
        configuration = folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=folder, temporary=temporary, servers=servers)
        )
        command = ["/usr/sbin/nginx", "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
        super().__init__(log, command)
        lab.wait_until(lambda: self._accepts(address), "nginx accepts")

    def _accepts(self, address):
        if not self.running:
            raise AssertionError(f"nginx ended with {self.status}:\n{self.output()}")
        with contextlib.suppress(OSError):
            lab.connect(address, 1).close()
            return True
