"""The virtual board's flash: a real file system of a real size, and nothing of the host in reach."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from serial_board import bare_board, mpremote, raw_repl

from mpos_host.virtual import Flash, FlashError, VirtualBoard

__all__ = ["bare_board"]

SIZE = 256 * 1024


def test_files_stay_over_every_kind_of_reset_and_over_a_restart(tmp_path: Path) -> None:
    image = tmp_path / "flash.img"
    with VirtualBoard(flash_size=SIZE, flash_path=image, panel=False) as board:
        mpremote(board, "exec", "f = open('kept.txt', 'w'); f.write('kept'); f.close()")
        mpremote(board, "soft-reset")
        board.reset()
    with VirtualBoard(flash_size=SIZE, flash_path=image, panel=False) as board:
        assert mpremote(board, "cat", "kept.txt").endswith("kept")
    assert image.stat().st_size == SIZE


def test_a_full_flash_is_enospc_and_deleting_makes_room(tmp_path: Path) -> None:
    code = """
import os
n = 0
try:
    while True:
        with open('f%d' % n, 'wb') as f:
            f.write(bytes(8192))
        n += 1
except OSError as e:
    print('errno', e.errno, n > 15, os.statvfs('/')[3] <= 3)
os.remove('f0')
with open('again', 'wb') as f:
    print(f.write(bytes(4096)))
"""
    with VirtualBoard(flash_size=SIZE, panel=False) as board:
        assert mpremote(board, "exec", code) == "errno 28 True True\r\n4096\r\n"
        (tmp_path / "large").write_bytes(bytes(SIZE))
        assert "No space left" in mpremote(board, "cp", str(tmp_path / "large"), ":", fails=True)
        assert mpremote(board, "exec", "print('alive')") == "alive\r\n"


@pytest.mark.parametrize(
    "expression",
    [
        "open('/etc/passwd')",
        "open('../../../../etc/passwd')",
        "open('/proc/self/environ')",
        "os.chdir('/etc')",
        "os.VfsPosix",
        "vfs.VfsPosix",
        "__import__('uos').VfsPosix",
        "__import__('uvfs').VfsPosix",
        "os.system('id')",
        "os.getenv('PATH')",
        "type(sys.stdin)('/etc/passwd', 'r')",
        "__import__('boot')",
        "__import__('board_os')",
    ],
)
def test_nothing_leads_to_the_host(bare_board: VirtualBoard, expression: str) -> None:
    output = mpremote(bare_board, "exec", f"import os, vfs, sys\nprint({expression})", fails=True)
    assert any(
        error in output for error in ("ENOENT", "EINVAL", "AttributeError", "ImportError", "TypeError")
    ), output


def test_the_root_is_the_boards_own_and_modules_come_from_there(bare_board: VirtualBoard) -> None:
    code = "import os, sys, vfs\nprint(os.listdir('/'), os.getcwd(), sys.path, sys.argv, len(vfs.mount()))"
    assert mpremote(bare_board, "exec", code) == "[] / ['', '.frozen', '/lib'] [] 1\r\n"
    assert mpremote(bare_board, "exec", "sys = __import__('sys'); print(sys.executable)") == "\r\n"


def test_an_image_written_by_the_host_boots(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "lib").mkdir(parents=True)
    (tree / "lib" / "greeting.py").write_text("TEXT = 'from the image'\n")
    (tree / "main.py").write_text("import greeting\nprint(greeting.TEXT)\n")
    with Flash(SIZE, tmp_path / "flash.img") as flash:
        flash.write_tree(tree)
        assert flash.list_files() == ["/lib/greeting.py", "/main.py"]
    with VirtualBoard(flash_size=SIZE, flash_path=tmp_path / "flash.img", panel=False) as board:
        board.wait_output("from the image\r\n")
    with Flash(SIZE, tmp_path / "flash.img") as flash:
        assert flash.read_file("/main.py") == (tree / "main.py").read_bytes()
        with pytest.raises(FileNotFoundError, match="/none"):
            flash.read_file("/none")
        with pytest.raises(FlashError, match="full"):
            flash.write_file("/big", bytes(SIZE))


def test_a_wrong_image_is_an_error_that_names_the_remedy(tmp_path: Path) -> None:
    image = tmp_path / "flash.img"
    image.write_bytes(b"\xa5" * SIZE)
    with pytest.raises(FlashError, match=r"flash\.img holds no LittleFS.*remove the file"):
        VirtualBoard(flash_size=SIZE, flash_path=image, panel=False)
    with pytest.raises(
        FlashError, match=f"has {SIZE} bytes, the board's flash {2 * SIZE}: use --flash {SIZE}"
    ):
        VirtualBoard(flash_size=2 * SIZE, flash_path=image, panel=False)
    with pytest.raises(FlashError, match="multiple of 4096"):
        VirtualBoard(flash_size=5000, panel=False)
    with pytest.raises(FlashError, match="cannot open"):
        VirtualBoard(flash_path=tmp_path / "no" / "folder", panel=False)


def test_one_image_serves_one_board_at_a_time(tmp_path: Path) -> None:
    image = tmp_path / "flash.img"
    first = VirtualBoard(flash_path=image, panel=False)
    with first, pytest.raises(FlashError, match="in use by another board"):
        VirtualBoard(flash_path=image, panel=False)
    with VirtualBoard(flash_path=image, panel=False):
        pass


def test_a_vm_killed_while_it_writes_leaves_a_whole_file_system(tmp_path: Path) -> None:
    image = tmp_path / "flash.img"
    writer = """
import os
print('writing')
n = 0
while True:
    with open('new', 'wb') as f:
        f.write(b'%08d' % n * 500)
    os.rename('new', 'data%d' % (n % 8))
    n += 1
"""
    with Flash(SIZE, image) as flash:
        flash.write_file("/before.bin", bytes(range(256)) * 16)
        flash.write_file("/main.py", writer.encode())
    chance = random.Random(1)
    with VirtualBoard(flash_size=SIZE, flash_path=image, panel=False) as board:
        for _ in range(25):
            since = board.output_position
            board.reset()
            board.wait_output("writing\r\n", since=since)
            time.sleep(chance.random() * 0.03)  # waits for nothing: the kill hits any place of a write
            assert board.vm_pid is not None
            os.kill(board.vm_pid, signal.SIGKILL)
            board.wait_output("killed by SIGKILL", since=since)
    with Flash(SIZE, image) as flash:
        names = flash.list_files()
        assert flash.read_file("/before.bin") == bytes(range(256)) * 16
        assert any(name.startswith("/data") for name in names)
        for name in names:
            if name.startswith("/data"):
                data = flash.read_file(name)
                assert len(data) == 4000 and data == data[:8] * 500, f"{name} is torn"


def test_ctrl_c_in_the_middle_of_writing_leaves_a_whole_file_system(tmp_path: Path) -> None:
    image = tmp_path / "flash.img"
    code = "n = 0\nwhile True:\n n += 1\n with open('f%d' % (n % 9), 'w') as f: f.write('%8d' % n * 400)"
    with VirtualBoard(flash_size=SIZE, flash_path=image, panel=False) as board:
        with raw_repl(board) as transport:
            for _ in range(100):
                transport.exec_raw_no_follow(code)
                transport.serial.write(b"\x03")
                assert b"KeyboardInterrupt" in transport.follow(10)[1]
        assert board.exit_reason is None
    with Flash(SIZE, image) as flash:
        for name in flash.list_files():
            data = flash.read_file(name)
            assert data == data[:8] * (len(data) // 8)
