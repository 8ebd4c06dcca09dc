"""A receiver of webhooks on this machine, which may be told to refuse."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS_MAX = 30


class Receiver:
    """A server on this machine that notes what it is sent, and refuses as often as it is told."""

    def __init__(self):
        self.received = []
        self.refusals_left = 0
        self.answer = b"ok"
        self.status = 500
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((dict(self.headers.items()), body))
                is_refused = receiver.refusals_left > 0
                receiver.refusals_left -= is_refused
                self.send_response(receiver.status if is_refused else 200)
                if is_refused and receiver.status == 302:
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.send_header("content-length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def sequences(self):
        return [json.loads(body)["sequence"] for _, body in self.received]

    def wait_for(self, count):
        wait(lambda: len(self.received) >= count)


def wait(condition):
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
