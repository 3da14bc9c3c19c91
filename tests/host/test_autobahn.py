"""The Autobahn cases for WebSocket clients: what the board echoes, judged by the package kosoku.

Left out are messages of more than a MB, for which a board has no heap. MPOS_AUTOBAHN=CASES (like "9.* 12.*")
runs others: with `--heap 128m` all fit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mpos_host.testing.session import BoardSession

CLIENT = Path(__file__).parents[1] / "device" / "autobahn_client.py"
SERVER = Path(__file__).parents[1] / "peers" / "autobahn_server.py"

CASES = "1.* 2.* 3.* 4.* 5.* 6.* 7.* 10.* 9.1.1 9.1.2 9.2.1 9.2.2 9.7.* 9.8.*"
COMPRESSED = "12.1.3 12.2.8 12.3.12 12.4.14 12.5.17 13.1.5 13.2.5 13.3.5 13.4.5 13.5.5 13.6.5 13.7.5"
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
STEP = 25  # cases in a call of the board


@pytest.mark.timeout(600)
@pytest.mark.parametrize("cases", (os.environ.get("MPOS_AUTOBAHN") or f"{CASES} {COMPRESSED}",))
def test_every_case_is_passed(board_session: BoardSession, cases: str) -> None:
    device = board_session.fresh().device
    board_session.send([CLIENT])
    device.exec("import autobahn_client")
    server = subprocess.Popen(
        [sys.executable, str(SERVER), *cases.split()], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        count = int(device.eval(f"autobahn_client.count({url!r})"))
        assert count > 0
        for first in range(1, count + 1, STEP):
            last = min(first + STEP - 1, count)
            device.exec(f"autobahn_client.run({url!r}, {first}, {last})", timeout=300)
        device.exec(f"autobahn_client.report({url!r})")
        results = [json.loads(line) for line in server.stdout]
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    bad = [one for one in results if not {one["behavior"], one["close"]} <= GOOD]
    assert len(results) == count and not bad, bad
    print(Counter((one["case"].split(".")[0], one["behavior"]) for one in results))
