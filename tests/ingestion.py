"""Application Insights' side of the wire, as far as the exporter uses it."""

import gzip
import json
from http.server import BaseHTTPRequestHandler
from typing import Any


class Ingestion(BaseHTTPRequestHandler):
    """Hands out tokens, and takes telemetry.

    Attributes:
        asked: Paths of the requests for tokens.
        taken: (Authorization, item) of what was sent.
    """

    asked: list[str]
    taken: list[tuple[str, Any]]

    @classmethod
    def fresh(cls):
        """A handler with nothing taken yet."""
        return type("Handler", (cls,), {"asked": [], "taken": []})

    def do_GET(self):
        self.asked.append(self.path)
        self._answer(
            {"access_token": "of-the-identity", "expires_on": "4102444800", "resource": "r"}
        )

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        items = json.loads(text)
        self.taken += [(self.headers.get("Authorization", ""), item) for item in items]
        self._answer({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []})

    def _answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
