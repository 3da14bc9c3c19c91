"""What a smoke test tells the host besides pass or fail, and what it asks of it.

    record("frames per second", 30.2)              a figure for the report
    screenshot("pattern")                          a picture for the report, compared with the stored one
    host("click", 160, 120)                        have the host do something (mpos_host.testing.smoke)
    skip("this board has no network")              end the test as skipped

A message is a frame in what the board prints: the byte 0x1E, a line of JSON, further lines if it has a body,
the byte 0x1F. The host takes the frames out of the output and answers questions with a line of JSON.
"""

import json
import select
import sys

import lvgl as lv

_ANSWER_MS = 10000  # The host is at the other end of a cable: this is for one that has ended.


class Skip(Exception):
    """Ends a test that this board cannot do; the host reports the reason."""


def skip(reason):
    """End the test as skipped. The exception's name is what the host looks for."""
    raise Skip(reason)


def record(name, value, unit=""):
    """Put a figure into the report: a number or a text, with its unit."""
    _send({"figure": name, "value": value, "unit": unit})


def record_spread(name, values, unit):
    """Put minimum, median and maximum of `values` into the report."""
    if not values:
        raise ValueError("nothing was measured for " + name)
    ordered = sorted(values)
    shown = "%.2f / %.2f / %.2f" % (ordered[0], ordered[len(ordered) // 2], ordered[-1])
    record(name + " (min / median / max)", shown, unit)


def host(what, *arguments):
    """Have the host do something quick, and return its answer. The loop stands still meanwhile.

    Raises OSError if the host cannot, and when it does not answer within 10 s.
    """
    _send({"ask": what, "arguments": arguments})
    answer = json.loads(_read_line())
    if "error" in answer:
        raise OSError("the host cannot %s: %s" % (what, answer["error"]))
    return answer["value"]


def screenshot(name):
    """Take a picture of the active screen. One that differs from the stored one fails the test at its end."""
    lv.refr_now(lv.display_get_default())
    if host("picture", name):
        return  # The host sees the screen by itself.
    from mpos.ui.inspect import screenshot as write_pixels

    _send({"picture": name}, write_pixels)


def _send(message, write_body=None):
    write = sys.stdout.write
    write("\x1e" + json.dumps(message) + "\n")
    if write_body is not None:
        write_body()
    write("\x1f")


def _read_line():
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    try:
        line = ""
        while not line.endswith("\n"):
            if not poller.poll(_ANSWER_MS):
                raise OSError("the host has not answered within %d ms" % _ANSWER_MS)
            line += sys.stdin.read(1)
        return line
    finally:
        poller.unregister(sys.stdin)
