"""Where a download ends up: Memory for a body as bytes, File for one that replaces a file when complete."""

import os

_ENOSPC = 28  # the errno module has no such name

_open_parts = set()  # the .part files being written, so that two downloads cannot mix in one


class Memory:
    """Collects a body of `length` bytes, or of unknown size when it is None."""

    def __init__(self, length, name):
        self._name = name
        self._used = 0
        self._data = self._allocate(length or 0)

    def write(self, view, offset, count):
        used = self._used + count
        try:
            if used > len(self._data):
                self._data.extend(view[offset : offset + count])
            else:
                self._data[self._used : used] = view[offset : offset + count]
        except MemoryError:
            raise self._too_big(used) from None
        self._used = used

    def finish(self):
        """The body as bytes. For a moment the heap holds it twice."""
        try:
            return bytes(self._data)
        except MemoryError:
            raise self._too_big(self._used) from None

    def abort(self):
        self._data = None

    def _allocate(self, length):
        try:
            return bytearray(length)
        except (MemoryError, OverflowError):
            raise self._too_big(length) from None

    def _too_big(self, length):
        return MemoryError(
            "%s: %d bytes do not fit into the heap: download to a file with outfile=" % (self._name, length)
        )


class File:
    """Writes `path` + ".part" and renames it at the end: until then an old file of that name is untouched.

    Raises RuntimeError if another download is writing the same file, OSError if it cannot be written.
    """

    def __init__(self, path):
        part = path + ".part"
        if part in _open_parts:
            raise RuntimeError("another download is writing %s: wait for it, or cancel it" % path)
        self._path = path
        self._part = part
        try:
            self._file = open(part, "wb")
        except OSError as error:
            raise self._failed(error, "cannot be created: does the folder exist?") from None
        _open_parts.add(part)

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
        return OSError(error.errno, "%s: %s" % (self._path, text))
