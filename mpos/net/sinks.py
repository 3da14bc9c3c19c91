"""Where a download ends up: Memory for a body as bytes, File for one that replaces a file when complete."""

import os

_BLOCK = 1024  # bytes

_ENOSPC = 28  # the errno module has no such name

_open_parts = set()  # the .part files being written, so that two downloads cannot mix in one


class Memory:
    """Collects a body of `length` bytes, or of unknown size when it is None.

    It is kept in small blocks until the end: a heap in use may have no large gap left but for the result.
    Raises MemoryError if it does not fit, at once if the length is known.
    """

    def __init__(self, length, name):
        self._name = name
        self._size = 0
        self._blocks = []
        self._block = None
        self._used = 0  # bytes of the block
        try:
            if length is not None:
                bytearray(length)  # only to see whether it fits
            self._block = bytearray(_BLOCK if length is None else min(length, _BLOCK))
        except (MemoryError, OverflowError):
            raise self._too_big(length or _BLOCK) from None

    def write(self, view, offset, count):
        self._size += count
        end = offset + count
        try:
            while offset < end:
                part = min(end - offset, len(self._block) - self._used)
                self._block[self._used : self._used + part] = view[offset : offset + part]
                offset += part
                self._used += part
                if self._used == len(self._block):
                    self._blocks.append(bytes(self._block))
                    self._used = 0
        except MemoryError:
            raise self._too_big(self._size) from None

    def finish(self):
        """The body as bytes. For a moment the heap holds it twice."""
        try:
            self._blocks.append(bytes(memoryview(self._block)[: self._used]))
            return b"".join(self._blocks)
        except MemoryError:
            raise self._too_big(self._size) from None

    def abort(self):
        self._blocks = self._block = None

    def _too_big(self, size):
        self.abort()
        return MemoryError(
            "%s: %d bytes do not fit into the heap: download to a file with outfile=" % (self._name, size)
        )


class File:
    """Writes `path` + ".part" and renames it at the end: until then an old file of that name is untouched.

    Raises RuntimeError if another download is writing the same file, OSError if it cannot be written.
    """

    def __init__(self, path):
        self._name = path
        self._path = _absolute(path)
        self._part = part = self._path + ".part"
        if part in _open_parts:
            raise RuntimeError("another download is writing %s: wait for it, or cancel it" % path)
        _open_parts.add(part)
        try:
            self._file = open(part, "wb")
        except BaseException as error:
            _open_parts.discard(part)
            if not isinstance(error, OSError):
                raise
            raise self._failed(error, "cannot be created: does the folder exist?") from None

    def write(self, view, offset, count):
        try:
            written = self._file.write(view, offset, count)
        except OSError as error:
            raise self._failed(error, "cannot be written") from None
        if written != count:
            raise self._failed(OSError(_ENOSPC), "")

    def finish(self):
        """Put the complete file in its place."""
        try:
            self._file.close()  # writes what is still buffered
            self._file = None
            os.rename(self._part, self._path)
        except OSError as error:
            raise self._failed(error, "cannot be completed") from None
        _open_parts.discard(self._part)
        return True

    def abort(self):
        """Close and remove what has been written so far."""
        try:
            if self._file is not None:
                self._file.close()
        except OSError:
            pass  # a full disk: what could not be flushed is removed anyway
        self._file = None
        try:
            os.remove(self._part)
        except OSError:
            pass  # never created, or the storage is gone
        _open_parts.discard(self._part)

    def _failed(self, error, text):
        if error.errno == _ENOSPC:
            text = "no space left: delete something"
        return OSError(error.errno, "%s: %s" % (self._name, text))


def _absolute(path):
    """One name for each file, and the same one when the current folder is another."""
    if not path.startswith("/"):
        path = os.getcwd() + "/" + path
    parts = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
