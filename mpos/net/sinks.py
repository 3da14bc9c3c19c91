"""Where a download ends up: Memory for a body as bytes, File for one that replaces a file when complete."""

import json
import os

_BLOCK = 1024  # bytes

_ENOSPC = 28  # the errno module has no such name

# What is not complete yet is beside the file, under names that no download can have for its file.
_PART = ".mpos-part"
_NOTE = ".mpos-note"  # JSON: what it is a part of

_open_parts = set()  # those being written, so that two downloads cannot mix in one


def resume_position(path):
    """How many bytes there are of `path`: of what a download left unfinished, else of the file itself."""
    return _size(path + _PART) or _size(path)


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
    """Writes beside `path` and renames at the end: until then an old file of that name is untouched.

    `position` is how many bytes there are already, `note` a dict that says of what.
    Raises RuntimeError if another download is writing the same file, OSError if it cannot be written.
    """

    def __init__(self, path):
        if path.endswith(_PART) or path.endswith(_NOTE):
            raise ValueError("%s: names with that end are for unfinished downloads: take another" % path)
        self._name = path
        self._path = _absolute(path)
        self._part = part = self._path + _PART
        self._file = None
        self.position = 0
        self.note = {}
        if part in _open_parts:
            raise RuntimeError("another download is writing %s: wait for it, or cancel it" % path)
        _open_parts.add(part)
        self._keeps_part = False

    def find(self, source):
        """Take up what an earlier download of the same `source` has left, if there is anything."""
        try:
            with open(self._path + _NOTE) as file:
                note = json.load(file)
        except (OSError, ValueError):
            return
        if isinstance(note, dict) and note.get("source") == source:
            self.note = note
            self.position = _size(self._part)
            self._keeps_part = True

    def begin(self, note):
        """Start anew, with what `note` tells about it (a dict for JSON). `keep` in it: a part of it can be
        used later."""
        self._close()
        self.position = 0
        self.note = note
        self._keeps_part = bool(note.get("keep"))
        try:
            self._file = open(self._part, "wb")
            if self._keeps_part:
                with open(self._path + _NOTE, "w") as file:
                    json.dump(note, file)
            else:
                _remove(self._path + _NOTE)
        except OSError as error:
            raise self._failed(error, "cannot be created: does the folder exist?") from None

    def resume(self):
        """Go on at `position`."""
        if self._file is None:
            try:
                self._file = open(self._part, "ab")
            except OSError as error:
                raise self._failed(error, "cannot be opened to go on") from None

    def write(self, view, offset, count):
        try:
            written = self._file.write(view, offset, count)
        except OSError as error:
            raise self._failed(error, "cannot be written") from None
        if written != count:
            raise self._failed(OSError(_ENOSPC), "")
        self.position += count

    def pieces(self, buffer):
        """Iterate over what is there already: the number of bytes that were read into `buffer`, each time."""
        with open(self._part, "rb") as file:
            while True:
                count = file.readinto(buffer)
                if not count:
                    return
                yield count

    def finish(self):
        """Put the complete file in its place."""
        try:
            self._close()
            os.rename(self._part, self._path)
        except OSError as error:
            raise self._failed(error, "cannot be completed") from None
        _remove(self._path + _NOTE)
        _open_parts.discard(self._part)
        return True

    def abort(self):
        """Close what has been written so far, and keep it if it can be used later."""
        try:
            self._close()
        except OSError:
            self._keeps_part = False  # a full disk: what could not be flushed is missing
        if not self._keeps_part or not _size(self._part):
            _remove(self._part)
            _remove(self._path + _NOTE)
        _open_parts.discard(self._part)

    def discard(self):
        """What has been written is of no use: abort() removes it."""
        self._keeps_part = False

    def _close(self):
        file = self._file
        if file is not None:
            self._file = None
            file.close()  # writes what is still buffered

    def _failed(self, error, text):
        if error.errno == _ENOSPC:
            text = "no space left: delete something"
            self.discard()  # or there would be no space for anything else either
        return OSError(error.errno, "%s: %s" % (self._name, text))


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # never created, or the storage is gone


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
