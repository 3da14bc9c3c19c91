"""The flash chip of the virtual board: a LittleFS v2 image in a host file, or in a nameless temporary one.

The VM mounts the image through an inherited file descriptor. While the VM is stopped, the host may read and
write the file system in it with littlefs-python; the two never have it open at the same time.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import littlefs

from mpos_host.project import UserError

BLOCK_SIZE = 4096  # the erase unit of the boards' NOR flash, and what MicroPython's flash partitions use
MIN_SIZE = 16 * BLOCK_SIZE

# What MicroPython's VfsLfs2 is created with on the boards (extmod/vfs_lfs.c and ports/esp32: readsize,
# progsize, lookahead); the cache size follows from them.
_GEOMETRY: dict[str, Any] = {
    "block_size": BLOCK_SIZE,
    "read_size": 32,
    "prog_size": 32,
    "lookahead_size": 32,
    "cache_size": 128,
}

_T = TypeVar("_T")


class FlashError(UserError):
    """The image cannot be used. The text says what to do."""


class Flash:
    """An image of `size` bytes, created and formatted when the file does not exist or is empty.

    `path` None: a temporary file without a name, which the kernel removes with the last process that has it
    open. Raises FlashError when an existing image is no LittleFS file system, of another size, or in use.
    """

    def __init__(self, size: int, path: str | os.PathLike[str] | None = None):
        if size < MIN_SIZE or size % BLOCK_SIZE:
            raise FlashError(
                f"flash size {size}: must be a multiple of {BLOCK_SIZE} bytes, at least {MIN_SIZE}"
            )
        self.size = size
        self.path = Path(path) if path is not None else None
        self.fd = self._open()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @property
    def block_count(self) -> int:
        return self.size // BLOCK_SIZE

    def close(self) -> None:
        """Release the image; a temporary one is gone then. May be called twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Flash:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def format(self) -> None:
        """Erase everything and write an empty file system."""
        filesystem = self._filesystem()
        self._checked(filesystem.format)

    def write_tree(self, directory: str | os.PathLike[str], target: str = "/") -> None:
        """Copy the files and folders below the host's `directory` to `target` on the flash.

        Raises FlashError when it does not fit, OSError when the host's files cannot be read.
        """
        source = Path(directory)
        with self._mounted() as filesystem:
            for path in sorted(source.rglob("*")):
                where = "/".join((target.rstrip("/"), path.relative_to(source).as_posix()))
                if path.is_dir():
                    self._checked(lambda: filesystem.makedirs(where, exist_ok=True))  # noqa: B023 (called at once)
                else:
                    self._write(filesystem, where, path.read_bytes())

    def write_file(self, target: str, data: bytes) -> None:
        """Write one file, with the folders above it."""
        with self._mounted() as filesystem:
            self._write(filesystem, target, data)

    def read_file(self, target: str) -> bytes:
        """The content of one file. Raises FileNotFoundError."""
        with self._mounted() as filesystem:
            try:
                with filesystem.open(target, "rb") as file:
                    return file.read()
            except (FileNotFoundError, littlefs.LittleFSError) as error:
                raise FileNotFoundError(f"{target} is not on the flash: {error}") from None

    def list_files(self) -> list[str]:
        """The absolute paths of all files."""
        with self._mounted() as filesystem:
            found = [
                f"{folder.rstrip('/')}/{name}" for folder, _, names in filesystem.walk("/") for name in names
            ]
        return sorted(found)

    def _open(self) -> int:
        if self.path is None:
            descriptor, name = tempfile.mkstemp(prefix="mpos-flash-")
            os.unlink(name)
            return descriptor
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise FlashError(f"cannot open the flash image {self.path}: {error.strerror}") from None

    def _prepare(self) -> None:
        try:
            # Held by the VM too, as it inherits the descriptor.
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FlashError(f"the flash image {self.path} is in use by another board") from None
        found = os.fstat(self.fd).st_size
        if found == 0:
            # Reserved now, so that a full host disk is an error here and not a broken flash later.
            try:
                os.posix_fallocate(self.fd, 0, self.size)
            except OSError as error:
                raise FlashError(
                    f"no room for a flash image of {self.size} bytes: {error.strerror}"
                ) from None
            self.format()
            return
        if found != self.size:
            raise FlashError(
                f"the flash image {self.path} has {found} bytes, the board's flash {self.size}: "
                f"use --flash {found} or remove the file"
            )
        try:
            with self._mounted():
                pass
        except FlashError:
            raise FlashError(
                f"the flash image {self.path} holds no LittleFS file system (corrupt, or another format): "
                "remove the file to start with an empty flash"
            ) from None

    def _filesystem(self) -> littlefs.LittleFS:
        return littlefs.LittleFS(
            context=_ImageAccess(self.fd),
            mount=False,
            block_count=self.block_count,
            **_GEOMETRY,
        )

    @contextmanager
    def _mounted(self) -> Iterator[littlefs.LittleFS]:
        filesystem = self._filesystem()
        self._checked(filesystem.mount)
        try:
            # After a reset in the middle of a rename, LittleFS would show some files not, or twice.
            self._checked(filesystem.fs_mkconsistent)
            yield filesystem
        finally:
            filesystem.unmount()

    def _write(self, filesystem: littlefs.LittleFS, target: str, data: bytes) -> None:
        def write() -> None:
            parent = target.rpartition("/")[0]
            if parent:
                filesystem.makedirs(parent, exist_ok=True)
            with filesystem.open(target, "wb") as file:
                file.write(data)

        self._checked(write)

    def _checked(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except littlefs.LittleFSError as error:
            if error.code == littlefs.LittleFSError.Error.LFS_ERR_NOSPC:
                raise FlashError(f"the flash of {self.size} bytes is full") from None
            raise FlashError(f"the flash image cannot be used: {error}") from None


class _ImageAccess(littlefs.UserContext):
    """LittleFS's block operations on the image file."""

    def __init__(self, fd: int):  # the base class would allocate a buffer
        self._fd = fd

    def read(self, cfg: littlefs.LFSConfig, block: int, off: int, size: int) -> bytearray:
        return bytearray(os.pread(self._fd, size, block * BLOCK_SIZE + off))

    def prog(self, cfg: littlefs.LFSConfig, block: int, off: int, data: bytes) -> int:
        os.pwrite(self._fd, data, block * BLOCK_SIZE + off)
        return 0

    def erase(self, cfg: littlefs.LFSConfig, block: int) -> int:
        return 0  # LittleFS relies on no value of erased bytes

    def sync(self, cfg: littlefs.LFSConfig) -> int:
        return 0
