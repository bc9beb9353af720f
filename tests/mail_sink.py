"""The mail sink as a process, and what tests do with it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from cli.paths import ROOT
from cli.watch import get_json
from simulator.faults import put_faults


class Sink:
    def __init__(self, facts):
        self.smtp_url = f"smtp://127.0.0.1:{facts['port']}"
        self.acs_url = f"acs://127.0.0.1:{facts['httpPort']}"
        self._http = f"http://127.0.0.1:{facts['httpPort']}"

    def faults(self, text):
        put_faults(f"{self._http}/faults", text)

    def clear(self):
        request = urllib.request.Request(f"{self._http}/mails", method="DELETE")
        urllib.request.urlopen(request, timeout=60).close()

    def mails(self):
        return get_json(f"{self._http}/mails")


@contextmanager
def running_sink() -> Iterator[Sink]:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.mail", "--port", "0", "--http-port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Sink(json.loads(process.stdout.readline().removeprefix("ready ")))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
