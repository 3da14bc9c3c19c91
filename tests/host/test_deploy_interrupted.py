"""A deployment that is cut short anywhere leaves the old version or the new one, and can be run again."""

import random
import threading

import pytest

from mpos_host import project
from mpos_host.board import compiler, deploy
from mpos_host.board.device import Device
from mpos_host.project import UserError
from mpos_host.virtual.board import VirtualBoard

SWITCH = (project.root() / "boards/shared/deploy_switch.py").read_bytes()

# Boots as boards/shared/main.py does, and says which version each of its files is of.
MAIN = b"""import deploy_switch
deploy_switch.finish()
import one, two, three
print('boots', one.V, two.V, three.V, '.')
"""


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    """Versions whose files depend on each other: one is big, one is .py and .mpy in turn, one is renamed."""
    folder = tmp_path_factory.mktemp("version")

    def make(number):
        entries = [("/lib/deploy_switch.py", SWITCH), (f"/lib/code/unused{number}.py", b"")]
        for name, size in (("one", 0), ("two", 9000), ("three", 10)):
            source = folder / f"{name}.py"
            source.write_bytes(b"V = %d\n" % number + b"#" * size)
            path = f"/lib/{name}.py"
            if name == "three" and number % 2:
                entries.append(
                    (path[:-3] + ".mpy", compiler.compile_one(compiler.Source(source, path, "x64")))
                )
            else:
                entries.append((path, source.read_bytes()))
        return deploy.Files([*entries, ("/main.py", MAIN + b"# %d\n" % number)], ["/lib/code"])

    return make


class Board:
    """A virtual board and what it boots."""

    def __init__(self, virtual, version):
        self.virtual = virtual
        self._version = version

    def deploy(self, number, transport=lambda device: device):
        with Device(self.virtual.port, lambda: self.virtual.exit_reason) as device:
            device.enter()
            return deploy.deploy(transport(device), self._version(number))

    def boot(self):
        """The version that a reset boots. All of its files are of that version, or the test fails."""
        since = self.virtual.output_position
        self.virtual.reset()
        # From its start: the boot before this one may have been in the middle of its line.
        before = self.virtual.wait_output("boots ", since=since)
        printed = self.virtual.wait_output(" .\r\n", since=since + len(before.encode()))
        one, two, three, _ = printed.split()
        assert one == two == three, printed
        return int(one)


@pytest.fixture
def board(version):
    with VirtualBoard(panel=False) as virtual:
        board = Board(virtual, version)
        board.deploy(1)
        assert board.boot() == 1
        yield board


class CutAfter:
    """A connection that is lost at a command: before it is sent, or when its answer comes."""

    def __init__(self, device, commands, sent):
        self._device = device
        self._left = commands
        self._sent = sent

    def exec(self, command):
        self._left -= 1
        if self._left < 0:
            if self._sent and self._left == -1:
                self._device.exec(command)
            raise OSError("the cable was pulled")
        return self._device.exec(command)


@pytest.mark.parametrize("sent", [False, True], ids=["before it is sent", "before its answer"])
def test_the_connection_is_lost_at_any_command(board, sent):
    number, commands, seen = 2, 0, set()
    while True:
        try:
            board.deploy(number, lambda device, cut=commands: CutAfter(device, cut, sent))
        except UserError as error:
            assert str(error) == "the deployment was cut short: the cable was pulled; run it again"
        else:
            break
        found = board.boot()
        assert found in (number - 1, number)
        seen.add(number - found)
        board.deploy(number)
        assert board.boot() == number
        number, commands = number + 1, commands + 1
    assert commands >= 8
    assert seen == ({0, 1} if sent else {1})  # the last command makes the switch
    assert board.boot() == number


# Ends the switch at the nth operation of the file system, as if the board had died there: a MemoryError is
# caught nowhere, and the reset that follows finds the flash as it was left.
DIE_AT = """
import os
class Dying:
    left = %d
    def __getattr__(self, name):
        value = getattr(os, name)
        if name not in ('rename', 'remove', 'rmdir', 'mkdir'):
            return value
        def operation(*arguments):
            Dying.left -= 1
            if Dying.left < 0:
                raise MemoryError
            return value(*arguments)
        return operation
_deploy['os'] = Dying()
"""


class DiesAt:
    """A connection to a board that dies at the nth operation of the switch."""

    def __init__(self, device, operation):
        self._device = device
        self._operation = operation

    def exec(self, command):
        if "'switch'" in command:
            self._device.exec(DIE_AT % self._operation)
        return self._device.exec(command)


def test_the_board_dies_at_any_step_of_the_switch(board):
    number, seen = 2, []
    while True:
        try:
            board.deploy(number, lambda device, at=number - 2: DiesAt(device, at))
        except UserError:
            seen.append(board.boot() == number)
        else:
            break
        assert seen[-1] or seen == [False]  # the first operation is the switch itself
        board.deploy(number)
        assert board.boot() == number
        number += 1
    assert len(seen) >= 8
    assert board.boot() == number


class Reset:
    """A connection to a board that is reset while it takes in the switch: what it prints is no answer."""

    def __init__(self, device):
        self._device = device

    def exec(self, command):
        return "MPY: the power is back" if "'switch'" in command else self._device.exec(command)


def test_an_answer_that_does_not_come_is_an_interruption(board):
    with pytest.raises(UserError, match="the board did not answer; run it again"):
        board.deploy(2, Reset)
    assert board.boot() == 1
    board.deploy(2)
    assert board.boot() == 2


class Impatient:
    """A connection that does not wait long for a board that has gone."""

    def __init__(self, device):
        self._device = device

    def exec(self, command):
        return self._device.exec(command, timeout=1)


def test_the_power_fails_at_random_moments(board):
    """The VM is killed while it works, also in the middle of a write to its flash."""
    moments = random.Random(4)
    number, seen = 2, set()
    for _ in range(12):
        killer = threading.Timer(moments.uniform(0.005, 0.12), board.virtual.reset)
        killer.start()
        try:
            board.deploy(number, Impatient)
        except UserError:
            pass
        finally:
            killer.join()
        found = board.boot()
        assert found in (number - 1, number)
        seen.add(found == number)
        board.deploy(number)
        assert board.boot() == number
        number += 1
    assert False in seen


def test_what_was_written_before_the_cut_is_not_sent_again(board, version):
    with pytest.raises(UserError):
        board.deploy(2, lambda device: CutAfter(device, 8, True))
    done = board.deploy(2)
    assert 9000 < done.bytes_sent < sum(len(content) for _, content in version(2))  # all but one.py
    assert board.boot() == 2


def test_leftovers_of_another_version_are_removed(board):
    with pytest.raises(UserError):
        board.deploy(2, lambda device: CutAfter(device, 9, True))
    board.deploy(3)
    with Device(board.virtual.port) as device:
        assert "deploy" not in device.eval("__import__('os').listdir('/')")
