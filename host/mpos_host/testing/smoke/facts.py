"""What a board says of itself, for the head of a report."""

from __future__ import annotations

import json

from mpos_host import __version__
from mpos_host.board.target import Target
from mpos_host.project import UserError

# Printed as JSON. None of it needs mpos; what a port lacks is left out.
_ASK = """
import gc, json, os, sys
def _facts():
    facts = {}
    version = ".".join(str(part) for part in sys.implementation.version[:3])
    facts["MicroPython"] = "%s, %s" % (version, sys.version)
    facts["machine"] = getattr(sys.implementation, "_machine", sys.platform)
    try:
        import lvgl as lv
        facts["LVGL"] = "%d.%d.%d" % (lv.version_major(), lv.version_minor(), lv.version_patch())
    except (ImportError, AttributeError):
        pass
    try:
        import machine
        frequency = machine.freq()
        facts["clock"] = "%d MHz" % ((frequency if isinstance(frequency, int) else frequency[0]) // 1000000)
    except (ImportError, AttributeError, ValueError):
        pass
    gc.collect()
    free, used = gc.mem_free(), gc.mem_alloc()
    facts["heap"] = "%d KB, %d KB of it free" % ((free + used) // 1024, free // 1024)
    disk = os.statvfs("/")
    facts["flash"] = "%d KB, %d KB of it free" % (disk[0] * disk[2] // 1024, disk[0] * disk[3] // 1024)
    return facts
print(json.dumps(_facts()))
del _facts
"""


def board_facts(target: Target) -> dict[str, str]:
    """Names and values. A board that cannot answer has only what the host knows: its tests say why."""
    board = target.board
    facts = {"board": f"{board.title} ({board.name})", "port": target.port, "mpos": __version__}
    display = board.facts.get("display", {})
    if {"width", "height"} <= display.keys():
        facts["display"] = f"{display['width']}x{display['height']}, driver {display.get('driver', '?')}"
    try:
        answers = json.loads(target.device.exec(_ASK))
    except (UserError, ValueError):
        return facts
    if board.is_process:
        answers.pop("clock", None)  # nobody's
    return {**facts, **answers}
