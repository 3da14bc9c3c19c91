"""SensorManager when the hardware fails: no answer, a chip that comes back, a stuck bus, a foreign chip."""

from conditions import until
from imu_board import Board, near, printed
from virtual_i2c import I2C, wires

from mpos import SensorManager, TaskManager
from mpos.sensors.sensor import GRAVITY

_LEVEL = (0, 0, GRAVITY)


def test_without_an_answer_there_is_none_and_one_line():
    with Board() as board:
        board.vanish()
        lines, values = printed(lambda: [SensorManager.read_accelerometer() for _ in range(100)])
        assert values == [None] * 100
        assert len(lines) == 1 and "No motion sensor at 0x6b" in lines[0]
        assert SensorManager.get_sensor_list() == []


async def test_retries_come_ever_more_rarely():
    with Board() as board:
        board.vanish()
        before = board.wires.transfers
        SensorManager.read_accelerometer()
        each = board.wires.transfers - before
        attempts = 1
        for _ in range(60):  # 0.1, 0.2 and 0.4 s after one another: three retries in the first 0.7 s
            await TaskManager.sleep_ms(10)
            SensorManager.read_gyroscope()
        attempts = (board.wires.transfers - before) // each
        assert 2 <= attempts <= 4, attempts


async def test_a_sensor_that_vanishes_and_comes_back_is_read_again():
    with Board() as board:
        assert near(SensorManager.read_accelerometer(), _LEVEL)
        board.vanish()
        lines, value = printed(SensorManager.read_accelerometer)
        assert value is None and len(lines) == 1
        board.chip.power_up()
        board.attach()
        await until(lambda: SensorManager.read_accelerometer() is not None)
        assert near(SensorManager.read_accelerometer(), _LEVEL)


def test_a_single_error_costs_no_reading():
    with Board() as board:
        SensorManager.read_accelerometer()
        good, failures = board.chip.read, [OSError(5)]

        def read(register, buffer):
            if failures:
                raise failures.pop()
            good(register, buffer)

        board.chip.read = read
        lines, value = printed(SensorManager.read_accelerometer)
        assert near(value, _LEVEL)
        assert not lines
        assert SensorManager.stats() == {"errors": 1, "recoveries": 0, "failures": 0}


async def test_a_chip_that_was_reset_by_a_dip_of_its_supply_is_configured_again():
    with Board() as board:
        assert near(SensorManager.read_accelerometer(), _LEVEL)
        board.chip.power_up()
        assert SensorManager.read_accelerometer() is None
        await until(lambda: SensorManager.read_accelerometer() is not None)
        assert near(SensorManager.read_accelerometer(), _LEVEL)


def test_a_bus_held_by_a_chip_is_freed_by_clocking():
    lines = wires(0)
    for clocks in (1, 5, 9):
        opened = []

        def reopen(opened=opened):
            opened.append(I2C(0))
            return opened[-1]

        with Board(scl=lines.scl, sda=lines.sda, reopen=reopen) as board:
            SensorManager.read_accelerometer()
            board.wires.hold(clocks)
            stops = board.wires.stops
            assert near(SensorManager.read_accelerometer(), _LEVEL), clocks
            assert board.wires.held == 0
            assert board.wires.stops == stops + 1
            assert len(opened) == 1
            assert SensorManager.stats() == {"errors": 1, "recoveries": 1, "failures": 0}


def test_a_bus_that_stays_stuck_is_none_and_no_loop():
    lines = wires(0)
    with Board(scl=lines.scl, sda=lines.sda, reopen=lambda: I2C(0)) as board:
        SensorManager.read_accelerometer()
        board.wires.hold(1000)
        before = board.wires.transfers
        told, value = printed(SensorManager.read_accelerometer)
        assert value is None and len(told) == 1
        assert board.wires.transfers == before + 2
        assert SensorManager.stats()["recoveries"] == 0


def test_a_foreign_chip_at_the_address_is_named():
    with Board() as board:
        board.chip.registers[0] = 0x77
        lines, value = printed(SensorManager.read_accelerometer)
        assert value is None
        assert lines == [
            "No motion sensor at 0x6b: no driver knows the chip at 0x6b (0x00: 0x77, 0x0f: 0x00, 0x0f: 0x00, "
            "0x75: 0x00, 0x00: 0x77). It is tried again"
        ]


async def test_a_sensor_that_vanishes_in_mid_stream_comes_back_in_the_same_stream():
    with Board() as board:
        stream = SensorManager.stream(SensorManager.TYPE_ACCELEROMETER, hz=100)
        count = 0
        async for sample in stream:
            assert near(sample.value, _LEVEL)
            count += 1
            if count == 3:
                board.vanish()
                TaskManager.create_task(come_back(board))
            if count == 6:
                break
        assert stream.missed > 0


async def come_back(board):
    await TaskManager.sleep_ms(50)
    board.chip.power_up()
    board.attach()
