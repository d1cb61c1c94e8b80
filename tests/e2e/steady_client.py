# SPDX-License-Identifier: Apache-2.0
"""Clients that ask one port after another connection again and again, and note whatever is no whole answer."""

import contextlib
import http.client
import re
import threading

import lab

PATIENCE = 60  # s, for one answer: a service that is being restarted may take its time
ANSWER = re.compile(r"(up|down|drain|maint)\b[^\n]*\n")


def check():
    reply = lab.ask_agent("127.0.0.1:9707", timeout=PATIENCE)
    assert ANSWER.fullmatch(reply), f"no whole answer: {reply!r}"


def scrape():
    """http.client notices a page that is cut off."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", 9708, timeout=PATIENCE)) as client:
        client.request("GET", "/metrics")
        response = client.getresponse()
        page = response.read()
    # A service that has no sample yet says so.
    assert response.status == 503 or b"wcs_node_agent_build_info" in page, f"{response.status}: {page[:200]}"


class SteadyClient(threading.Thread):
    """Until stop(), which returns what went wrong. ask() is one whole question."""

    def __init__(self, ask, failures=Exception):
        super().__init__(daemon=True)
        self.ask, self.failures = ask, failures
        self.answers, self.wrong = 0, []
        self.ends = threading.Event()
        self.start()

    def run(self):
        while not self.ends.is_set():
            try:
                self.ask()
                self.answers += 1
            except self.failures as failure:
                self.wrong.append(f"after {self.answers} answers: {failure!r}")
                self.ends.wait(0.05)
            except OSError:
                pass  # no failure here

    def wait_for_answers(self, count=20):
        """So many more."""
        enough = self.answers + count
        lab.wait_until(lambda: self.answers >= enough, f"{count} more answers; wrong: {self.wrong}", PATIENCE)

    def stop(self):
        self.ends.set()
        self.join(PATIENCE)
        return self.wrong


@contextlib.contextmanager
def steady_clients(failures=Exception):
    """Both ports are asked meanwhile, and each time there is a whole answer; or not one of `failures`."""
    clients = [SteadyClient(check, failures), SteadyClient(scrape, failures)]
    try:
        for client in clients:
            client.wait_for_answers()
        yield clients
        for client in clients:
            client.wait_for_answers()
    finally:
        wrong = [client.stop() for client in clients]
    assert wrong == [[], []], wrong
