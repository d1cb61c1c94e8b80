# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests of TLS: authorities with what they issue, and one that nobody issued.

What HAProxy has, with an intermediate authority, is lab.certificate.
"""

import lab


def _openssl(*words):
    lab.run("/usr/bin/openssl", *map(str, words))


def _new(request, name, key, out):
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl("req", *request, *curve, "-subj", f"/CN={name}", "-keyout", key, "-out", out)


class Authority:
    """NAME.pem and NAME.key in a folder, which gets what it issues too."""

    def __init__(self, folder, name):
        self.folder = folder
        self.certificate, self._key = folder / f"{name}.pem", folder / f"{name}.key"
        _new(("-x509", "-days", "2"), name, self._key, self.certificate)

    def issue(self, name, names="IP:127.0.0.1", days=2, more=""):
        """NAME.pem and NAME.key, of a client or a server; names: a subjectAltName; more: lines of extensions."""
        certificate, key, request, extensions = (self.folder / f"{name}.{suffix}" for suffix in ("pem", "key", "csr", "ext"))
        extensions.write_text(f"subjectAltName={names}\n{more}\n")
        _new((), name, key, request)
        _openssl(
            *("x509", "-req", "-in", request, "-days", days, "-CA", self.certificate, "-CAkey", self._key),
            *("-CAcreateserial", "-extfile", extensions, "-out", certificate),
        )
        key.chmod(0o644)  # for the agent's own user, which reads a renewed one
        return certificate, key


def self_signed(folder):
    """cert.pem and key.pem in the folder, of 127.0.0.1; root alone may read the key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    _new(("-x509", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1"), "node", key, certificate)
    return certificate, key
