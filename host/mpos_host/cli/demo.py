"""`make run`: the download demo on the virtual board, from boot to the finished download.

It downloads from a real HTTP server in another process, shows the app's log, checks what arrived against what
was served, and leaves a picture of the screen.
"""

from __future__ import annotations

import argparse
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mpos_host import project
from mpos_host.board import screen
from mpos_host.board.target import Target
from mpos_host.cli.commands import board_options, open_target
from mpos_host.cli.live import live_view, view_option
from mpos_host.cli.run import follow, note, show, start_app
from mpos_host.project import UserError

_SERVER_START = 20  # seconds
_DOWNLOAD = 60  # seconds; it takes two
_PICTURE = Path("build/demo_download.png")

# On the device: the size and SHA-256 of what is on its flash. The screen goes on meanwhile.
_DIGEST = """
_sha256 = hashlib.sha256()
_size = 0
with open("/demo_download.bin", "rb") as _file:
    _data = _file.read(16384)
    while _data:
        _size += len(_data)
        _sha256.update(_data)
        await asyncio.sleep_ms(0)
        _data = _file.read(16384)
"""


@dataclass(frozen=True)
class Served:
    """What the server has."""

    url: str
    size: int
    sha256: str


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mpos_host.cli.demo", description=__doc__)
    board_options(parser)
    view_option(parser)
    options = parser.parse_args()
    try:
        with (
            server() as served,
            open_target(options, log=show) as target,
            live_view(target, "Download demo", options.view) as view,
        ):
            code = demonstrate(target, served)
            if view is not None and view.viewer_count:
                follow(target)  # until Ctrl-C: somebody looks
            return code
    except UserError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def demonstrate(target: Target, served: Served) -> int:
    """Download, check and tell."""
    began = time.monotonic()
    start_app(target, project.load_app("demo_download"), {"url": served.url})
    done = screen.wait_text(target, "Complete", _DOWNLOAD)
    took = time.monotonic() - began
    _PICTURE.parent.mkdir(exist_ok=True)
    _PICTURE.write_bytes(screen.screenshot(target))
    if not done:
        note(f"the download was not complete after {_DOWNLOAD} s; the screen shows {screen.texts(target)}")
        return 1
    size, sha256 = target.device.call(
        "[_size, _sha256.digest().hex()]", "asyncio,hashlib", 30, before=_DIGEST
    )
    loop = target.device.call("mpos.TaskManager.stats()['lvgl']", "mpos")
    same = (size, sha256) == (served.size, served.sha256)
    print(f"bytes         {size:,} of {served.size:,}")
    print(f"SHA-256       {sha256} ({'as served' if same else 'NOT as served: ' + served.sha256})")
    print(f"frames drawn  {loop['frames']} in {loop['turns']} turns of the loop")
    print(f"longest turn  {loop['longest_turn_us'] / 1000:.1f} ms")
    print(f"time          {took:.1f} s from boot to the finished download")
    print(f"picture       {_PICTURE}")
    return 0 if same else 1


@contextmanager
def server() -> Iterator[Served]:
    """The HTTP server of the demo, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mpos_host.cli.demo_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C at the terminal is for this process, which then ends that one
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], _SERVER_START)
        line = process.stdout.readline() if ready else ""
        if not line:
            raise UserError(f"the HTTP server of the demo did not start in {_SERVER_START} s")
        yield Served(**json.loads(line))
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


if __name__ == "__main__":
    sys.exit(main())
