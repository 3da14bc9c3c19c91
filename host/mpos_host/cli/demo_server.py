"""An HTTP server with one file, for the demo: `python -m mpos_host.cli.demo_server` runs until stdin closes.

It prints one line of JSON when it serves: url, size and sha256. The file is made up, the same each time, and
sent at a limited rate, so that there is something to be seen.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import random
import sys
import threading
import time

SIZE = 2 * 1024 * 1024
BYTES_PER_SECOND = 1024 * 1024
_CHUNK = 16 * 1024


def main() -> None:
    content = random.Random(SIZE).randbytes(SIZE)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the name that http.server calls
            if self.path != "/demo.bin":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(SIZE))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # a board may cancel its download, or die
                self.send_slowly()

        def send_slowly(self) -> None:
            began = time.monotonic()
            for start in range(0, SIZE, _CHUNK):
                self.wfile.write(content[start : start + _CHUNK])
                ahead = (start + _CHUNK) / BYTES_PER_SECOND - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)

        def log_message(self, format: str, *args: object) -> None:
            pass  # the demo's output is the device's

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/demo.bin"
    print(json.dumps({"url": url, "size": SIZE, "sha256": hashlib.sha256(content).hexdigest()}), flush=True)
    # Whoever started this holds the other end: it closes when they end, whatever way they end.
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
