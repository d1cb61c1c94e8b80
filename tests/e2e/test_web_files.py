# SPDX-License-Identifier: Apache-2.0
"""A web file that Prometheus' exporters take is taken here too: promtool judges, row by row."""

import json
import subprocess
import tempfile
from pathlib import Path

import lab
import pytest
from certificates import Authority

FILES = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
DIGITS = "abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC"
HASH = "$2y$05$" + DIGITS


def tls(*lines):
    return FILES + "".join(f"  {line}\n" for line in lines)


def http(*lines):
    return "http_server_config:\n" + "".join(f"  {line}\n" for line in lines)


def header(name, value):
    return http("headers:", f"  {name}: {value}")


def users(*lines):
    return "basic_auth_users:\n" + "".join(f"  {line}\n" for line in lines)


DOCUMENTS = [
    *("", "# nothing\n", "null\n", "~\n", "---\n", "{}\n", "[]\n", "word\n"),
    *("---\nbasic_auth_users: {}\n---\nsecond: 1\n", "basic_auth_users: {}\n...\n"),
    *("%YAML 1.1\n---\nbasic_auth_users: {}\n", "\ufeffbasic_auth_users: {}\n"),
    *("? basic_auth_users\n: {}\n", "basic_auth_users: !!map {}\n", "basic_auth_users: !own {}\n"),
    *("basic_auth_users: {} # \udcff\n", "basic_auth_users: {\n", "basic_auth_users: *x\n"),
    *("basic_auth_users:\n\ta: b\n", FILES.replace("\n", "\r\n"), json.dumps({"basic_auth_users": {"a": HASH}})),
    *("unknown: 1\n", "TLS_server_config: {}\n", "rate_limit:\n  burst: 5\n"),
    *("basic_auth_users: {}\nbasic_auth_users: {}\n", tls("cert_file: server.pem"), users(f"a: {HASH}", f"a: {HASH}")),
    *(tls("unknown: 1"), http("unknown: 1")),
    *(f"{key}:{value}\n" for key in ("tls_server_config", "http_server_config", "basic_auth_users")
      for value in ("", " {}", " ~", " []", " word", " ''")),
]  # fmt: skip

MERGES = [
    users(f"a: &hash {HASH}", "b: *hash"),
    "tls_server_config:\n  <<: {cert_file: server.pem, key_file: server.key}\n",
    "tls_server_config:\n  <<: [{cert_file: server.pem}, {key_file: server.key, cert_file: none}]\n",
    "tls_server_config:\n  <<: {cert_file: none, key_file: server.key}\n  cert_file: server.pem\n",
    "tls_server_config:\n  cert_file: server.pem\n  <<: {cert_file: none, key_file: server.key}\n",
    "tls_server_config: &tls\n  cert_file: server.pem\n  key_file: server.key\nhttp_server_config:\n  <<: *tls\n",
    users(f"<<: {{a: {HASH}}}", f"b: {HASH}"),
    f"<<: {{basic_auth_users: {{a: {HASH}}}}}\n",
    users(f"'<<': {HASH}"),
    *("tls_server_config:\n  <<: x\n", "basic_auth_users:\n  <<:\n"),
    "basic_auth_users: &a\n  <<: *a\n",
]

TLS = [
    FILES,
    *("tls_server_config:\n  cert_file: server.pem\n", "tls_server_config:\n  key_file: server.key\n"),
    *(f"tls_server_config:\n  cert_file: {file}\n  key_file: server.key\n"
      for file in ("none", "[server.pem]", "1", "\n    server.pem", ">-\n    server.pem", "'server.pem'", "web.yml")),
    *(f"tls_server_config:\n  cert_file: {none}\n  key_file: {none}\n" for none in ("", "''", "~")),
    "tls_server_config:\n  cert_file: server.pem\n  key_file: authority.key\n",
    *(f"tls_server_config:\n  {line}\n" for line in ("client_auth_type: NoClientCert", "min_version: TLS12")),
    *(tls(f"client_auth_type: {auth}", *authority)
      for auth in ("NoClientCert", "RequestClientCert", "RequireAnyClientCert", "RequireClientCert",
                   "VerifyClientCertIfGiven", "RequireAndVerifyClientCert")
      for authority in ((), ("client_ca_file: authority.pem",), ("client_ca_file: none",),
                        ("client_ca_file: web.yml",))),
    *(tls(f"client_auth_type: {auth}") for auth in ("''", "~", "requireany", "[]", "true")),
    tls("client_ca_file: authority.pem"),
    *(tls(f"{key}: {version}")
      for key in ("min_version", "max_version")
      for version in ("TLS10", "TLS11", "TLS12", "TLS13", "SSL30", "TLS14", "tls12", "12", "''", "~")),
    *(tls(f"min_version: {least}", f"max_version: {most}")
      for least, most in (("TLS13", "TLS12"), ("TLS11", "TLS11"), ("TLS12", "TLS13"))),
    *(tls(f"cipher_suites: {suites}")
      for suites in ("", "~", "[]", "[~]", "['']", "[4865]", "{a: b}", "TLS_AES_256_GCM_SHA384",
                     "[ECDHE-RSA-AES128-GCM-SHA256]", "\n    - TLS_AES_128_GCM_SHA256")),
    *(tls(f"cipher_suites: [TLS_{suite}]")
      for suite in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256",
                    "RSA_WITH_AES_128_CBC_SHA", "RSA_WITH_AES_256_CBC_SHA", "RSA_WITH_AES_128_GCM_SHA256",
                    "RSA_WITH_AES_256_GCM_SHA384", "RSA_WITH_AES_128_CBC_SHA256", "RSA_WITH_RC4_128_SHA",
                    "RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE_RSA_WITH_RC4_128_SHA",
                    "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE_RSA_WITH_AES_128_CBC_SHA256",
                    "DHE_RSA_WITH_AES_128_GCM_SHA256", "FALLBACK_SCSV", "X",
                    "ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                    *(f"ECDHE_{key}_WITH_AES_{bits}" for key in ("RSA", "ECDSA")
                      for bits in ("128_CBC_SHA", "256_CBC_SHA", "128_GCM_SHA256", "256_GCM_SHA384")))),
    tls("min_version: TLS13", "cipher_suites: [TLS_AES_256_GCM_SHA384]"),
    tls("min_version: TLS13", "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]"),
    *(tls(f"curve_preferences: {curves}")
      for curves in ("", "[]", "['']", "[CurveP256]", "[X25519, CurveP521, CurveP384]", "[P256]", "[x25519]", "X25519")),
    *(tls(f"prefer_server_cipher_suites: {value}") for value in ("", "true", "no", "'no'")),
]  # fmt: skip

HTTP = [
    *(http(f"http2: {value}")
      for value in ("true", "false", "yes", "on", "y", "Y", "Yes", "ON", "n", "Off", "FALSE", "tRue", "1", "0",
                    "", "~", "''", "'true'", "'yes'", '!!bool "true"', "!!str true", "[]", "{}")),
    *(http(f"headers:{value}") for value in ("", " {}", " []", " ~")),
    *(header("X-Frame-Options", value) for value in ("deny", "sameorigin", "DENY", "x", "''", "~")),
    *(header("X-Content-Type-Options", value) for value in ("nosniff", "x", "''")),
    *(header("X-XSS-Protection", value) for value in ("1", "0", "''", "1; mode=block")),
    *(header("Strict-Transport-Security", value)
      for value in ("max-age=1", "'a\tb'", '"a\\nb"', '"a\\rb"', "[a]", "true", "1.5", '"\u00e4"')),
    *(header("Content-Security-Policy", value) for value in ("\"default-src 'self'\"", "''")),
    *(header(name, "x") for name in ("x-frame-options", "Server", "Date", "''")),
]  # fmt: skip

USERS = [
    *(users(f"{name}: {HASH}")
      for name in ("a", "'a'", "''", "~", "1", "1.0", "0x10", "true", "yes", "2001-01-01", "\u00fc", "'a:b'", "[a]")),
    *(users(f"a: {value}")
      for value in ("word", "''", "~", "5", "[x]", "!!binary eA==", f"'{HASH}'", f'"{HASH}"', f"!!str {HASH}",
                    f"!own {HASH}", f">-\n    {HASH}", f"|\n    {HASH}", f"\n    {HASH}", HASH + "x", HASH[:-1], HASH[:-2])),
    *(users(f"a: $2{kind}$05$" + DIGITS) for kind in ("a", "b", "x", "")),
    *(users(f"a: $2y${cost}$" + DIGITS) for cost in ("03", "04", "16", "17", "31", "32", "xx")),
    users("a: $2y$05$" + "!" * 53),
    users("a: $6$abc$" + "x" * 60),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    Authority(folder, "authority").issue("server")
    return folder


@pytest.mark.parametrize("table", ["DOCUMENTS", "MERGES", "TLS", "HTTP", "USERS"])
def test_what_promtool_takes_is_taken_and_nothing_else(folder, table):
    web, config = folder / "web.yml", folder / "config.json"
    config.write_text(json.dumps({"web_config_file": str(web)}))
    wrong = []
    for text in globals()[table]:
        web.write_bytes(text.encode("utf-8", "surrogateescape"))
        promtool, agent = (
            subprocess.run(command, capture_output=True, text=True)
            for command in (
                ["/usr/bin/promtool", "check", "web-config", str(web)],
                [lab.AGENT, "config", "check", str(config)],
            )
        )
        assert promtool.returncode in (0, 1) and agent.returncode in (0, 2), text
        if (promtool.returncode == 0) != (agent.returncode == 0):
            wrong.append((text, promtool.stderr, agent.stderr))
    assert not wrong


def test_what_is_not_served_is_a_warning(start, simulator, folder):
    """`config check` reports it, and `run` once; it starts."""
    web, config = folder / "web.yml", folder / "config.json"
    web.write_text(tls("min_version: TLS13", "cipher_suites: [TLS_AES_256_GCM_SHA384]") + http("http2: true"))
    config.write_text(json.dumps({"web_config_file": str(web)}))
    check = subprocess.run([lab.AGENT, "config", "check", str(config)], capture_output=True, text=True)
    assert check.returncode == 0 and check.stdout == f"{config}: ok\n"
    warning = "/http_server_config/http2: HTTP/2 is not served here: clients use HTTP/1.1"
    assert check.stderr.startswith(f"warning: {web}:7:10: {warning}")
    agent = start(lab.Agent, "agent", f"--config={config}", f"--wcs-url={simulator.url}")
    agent.wait_until_listening()
    agent.wait_for_reply("^up ")
    assert len(agent.lines(warning)) == 1
    done = subprocess.run(
        ["curl", "-sS", "--cacert", str(folder / "authority.pem"), "-w", "%{http_version}"]
        + [f"https://{agent.metrics_address}/healthz"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "ok\n1.1"


def test_clients_are_not_verified_by_whoever_the_system_trusts(start, simulator, folder):
    """Without a client_ca_file Go takes the system's authorities, by which anybody may have a certificate."""
    web = folder / "web.yml"
    web.write_text(tls("client_auth_type: VerifyClientCertIfGiven"))
    agent = start(lab.Agent, "agent", f"--web.config.file={web}", f"--wcs-url={simulator.url}")
    agent.wait_until_listening()
    agent.wait_for_reply("^up ")
    ask = ["curl", "-sS", "--max-time", "10", "--cacert", str(folder / "authority.pem")]
    url = f"https://{agent.metrics_address}/metrics"
    assert subprocess.run([*ask, url], capture_output=True).returncode == 0
    with tempfile.TemporaryDirectory() as own:
        certificate, key = Authority(Path(own), "own").issue("client")
        given = [*ask, "--cert", str(certificate), "--key", str(key), url]
        assert subprocess.run(given, capture_output=True).returncode != 0
