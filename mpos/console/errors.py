"""How a command's exception is shown: as the built-in REPL would, which knows nothing of this package."""

import io
import sys

from .source import FILE, FUNCTION, HEADER_LINES

_FRAME = '  File "'
_COMMAND = '  File "<stdin'
_WRAPPED = '  File "%s", line ' % FILE


def describe(error):
    """The text of an exception and its traceback, from the command's own code on, with its line numbers."""
    output = io.StringIO()
    sys.print_exception(error, output)
    lines = []
    is_ours = True
    for line in output.getvalue().split("\n"):
        is_ours = is_ours and not line.startswith(_COMMAND)
        if line.startswith(_WRAPPED):
            line = _unwrapped(line)
        if not is_ours or not line.startswith(_FRAME):
            lines.append(line)
    if lines[0].startswith("Traceback") and not lines[1].startswith(_FRAME):
        lines.pop(0)  # There is nothing left for it to announce.
    return "\n".join(lines)


def _unwrapped(line):
    number, comma, rest = line[len(_WRAPPED) :].partition(",")
    rest = rest.replace(FUNCTION, "<module>")
    return '  File "<stdin>", line %d%s%s' % (int(number) - HEADER_LINES, comma, rest)
