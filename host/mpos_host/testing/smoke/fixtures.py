"""What smoke tests get from the host: the board's boot, a file to download, whether a person is there."""

from __future__ import annotations

import hashlib
import http.server
import random
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mpos_host.project import UserError
from mpos_host.testing.session import BoardSession

_BOOT = 30  # seconds: an ESP32 imports all of mpos in less than half of it
_SIZE = 256 * 1024  # bytes of the download: a second with the WLAN of an ESP32
_PIECE = 8 * 1024  # of them at once
_SLOW_SECONDS = 1.5  # for all of them, where the screen is looked at meanwhile

_HEAP = "[(gc.collect(), gc.mem_free())[1], gc.mem_alloc(), len(mpos.TaskManager.list_tasks())]"


@pytest.fixture
def boot(board_session: BoardSession) -> dict[str, Any]:
    """Boot the board into mpos, and what that gave: `log`, `seconds`, `heap_free`, `heap_used`, `tasks`."""
    device = board_session.fresh().device
    board_session.spoil()  # from now on mpos runs on it
    printed: list[str] = []
    log, device.log = device.log, printed.append
    began = time.monotonic()
    try:
        device.reboot(_BOOT)
    finally:
        device.log = log
    seconds = time.monotonic() - began
    free, used, tasks = device.call(_HEAP, "gc,mpos")
    return {
        "log": "".join(printed).replace("\r\n", "\n"),
        "seconds": round(seconds, 2),
        "heap_free": free,
        "heap_used": used,
        "tasks": tasks,
    }


@pytest.fixture
def ask(request: pytest.FixtureRequest) -> bool:
    """Whether there is a person at the board (--ask)."""
    return bool(request.config.getoption("ask"))


@pytest.fixture
def can_touch(board_session: BoardSession) -> bool:
    """Whether the host can touch the board's panel, by `reporting.host("touch", x, y, pressed)`."""
    return "panel" in board_session.target.abilities


@pytest.fixture(scope="session")
def host_file(request: pytest.FixtureRequest, board_session: BoardSession) -> Iterator[dict[str, Any]]:
    """A file that this computer serves by HTTP while the tests run: `url`, `slow_url`, `size`, `sha256`."""
    content = random.Random(_SIZE).randbytes(_SIZE)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            pause = _SLOW_SECONDS * _PIECE / _SIZE if self.path == "/slow.bin" else 0
            for start in range(0, _SIZE, _PIECE):
                self.wfile.write(content[start : start + _PIECE])
                time.sleep(pause)

        def log_message(self, format: str, *args: object) -> None:
            pass

    address = request.config.getoption("host_address")
    if address is None:
        address = "127.0.0.1" if "process" in board_session.target.abilities else _own_address()
    try:
        server = http.server.ThreadingHTTPServer((address, 0), Handler)
    except OSError as error:
        raise UserError(f"cannot serve at {address}: {error}; say --host-address") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield {
            "url": f"http://{address}:{server.server_address[1]}/file.bin",
            "slow_url": f"http://{address}:{server.server_address[1]}/slow.bin",
            "size": _SIZE,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _own_address() -> str:
    """This computer's address in its network: that of the interface a packet to anywhere would leave by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737); connecting sends nothing
        except OSError:
            raise UserError("this computer has no network that a board could be in") from None
        return probe.getsockname()[0]
