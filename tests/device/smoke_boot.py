"""Smoke test: the board boots into mpos, and says so."""

from reporting import record

TIMEOUT = 20


def test_boots_into_mpos(boot):
    up = [line for line in boot["log"].split("\n") if line.startswith("mpos: ") and " is up, " in line]
    record("soft reset to prompt", boot["seconds"], "s")
    record("boot message", "; ".join(up) or "none")
    record("heap free after boot", boot["heap_free"] // 1024, "KB")
    record("heap used after boot", boot["heap_used"] // 1024, "KB")
    record("tasks after boot", boot["tasks"])
    assert len(up) == 1, "the board printed instead: " + boot["log"]
    assert "Traceback" not in boot["log"], boot["log"]
