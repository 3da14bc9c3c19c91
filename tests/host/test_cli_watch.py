"""`mpos run --watch`: what is saved is on the board a moment later."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from live_board import COUNTER, write_counter

from mpos_host.virtual.running import running_boards
from peers.processes import read_until

SECONDS = 30


def test_what_is_saved_shows_and_a_mistake_is_told(tmp_path: Path) -> None:
    source = write_counter(tmp_path / "counter") / "counter.py"
    command = [sys.executable, "-m", "mpos_host", "run", str(source.parent), "--watch"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = read_until(process.stderr, "mpremote connect").split("connect ")[-1].split()[0]
        panel = running_boards()[port]
        for text in ("First", "Second"):
            source.write_text(COUNTER.replace("Tap me", text))
            told = read_until(process.stderr, "started again")
            assert "1 file written" in told.splitlines()[-1]
            panel.wait_text(text, SECONDS)
            source.write_text(COUNTER + "x = (\n")
            assert f"{source}:25: '(' was never closed" in read_until(process.stderr, "never closed")
            assert text in panel.texts()
        source.write_text(COUNTER + "1 / 0\n")
        read_until(process.stderr, "the log above says where")
        source.write_text(COUNTER.replace("Tap me", "Third"))
        read_until(process.stderr, "started again")
        panel.wait_text("Third", SECONDS)
        panel.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.communicate()


def test_watching_without_end_and_ending_with_a_text_exclude_each_other(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mpos_host", "run", str(write_counter(tmp_path / "counter")), "--watch"]
    done = subprocess.run([*command, "--expect", "x"], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "mpos: --watch goes on until Ctrl-C, on a board that this command starts:"
        " leave out --expect, --screenshot and --port"
    ]
