"""SensorManager.stream: samples at a rate, late ones dropped and counted, one read for several readers."""

from time import ticks_diff, ticks_ms

from imu_board import Board, near

from mpos import SensorManager, TaskManager

_ACCELEROMETER = SensorManager.TYPE_ACCELEROMETER


async def take(stream, count, pause_ms=0):
    """`count` samples of `stream`, with a pause after each."""
    samples = []
    async for sample in stream:
        samples.append(sample)
        if len(samples) == count:
            break
        if pause_ms:
            await TaskManager.sleep_ms(pause_ms)
    return samples


async def test_samples_come_with_value_and_time_at_the_rate():
    with Board() as board:
        board.chip.move(dps=(1.0, 2.0, 3.0))
        SensorManager.read_gyroscope()
        stream = SensorManager.stream(SensorManager.TYPE_GYROSCOPE, hz=100)
        samples = await take(stream, 11)
        assert all([near(sample.value, (1, 2, 3)) for sample in samples])
        # Nine periods at least, however late the first one and the last one came.
        assert ticks_diff(samples[-1].ticks_ms, samples[0].ticks_ms) >= 9 * 10


async def test_the_rate_does_not_drift_whatever_the_reader_takes():
    with Board():
        SensorManager.read_accelerometer()
        for hz in (30, 7, 62.5):
            stream = SensorManager.stream(_ACCELEROMETER, hz=hz)
            began = ticks_ms()
            samples = await take(stream, 6, pause_ms=int(500 / hz))
            periods = len(samples) - 1 + stream.dropped
            took = ticks_diff(samples[-1].ticks_ms, began)
            # The last sample is never before its time on the grid of the first.
            assert took >= int((periods - 1) * 1000 / hz) - 1, (hz, took, periods)


def test_due_times_of_a_thousand_samples_are_those_of_the_rate():
    stream = SensorManager.stream(_ACCELEROMETER, hz=30)
    stream._due = 0
    for _ in range(900):
        stream._advance(1)
    assert stream._due == 30000000
    stream._advance(900)
    assert stream._due == 60000000
    SensorManager.deinit()


async def test_a_reader_that_is_too_slow_loses_samples_and_they_are_counted():
    with Board() as board:
        SensorManager.read_accelerometer()
        before = board.chip.reads
        stream = SensorManager.stream(_ACCELEROMETER, hz=100)
        samples = await take(stream, 4, pause_ms=35)
        assert len(samples) == 4
        assert stream.dropped >= 6
        assert board.chip.reads == before + 4  # what is dropped is not read


async def test_two_readers_at_one_rate_share_each_read():
    with Board() as board:
        SensorManager.read_accelerometer()
        before = board.chip.reads
        streams = [SensorManager.stream(_ACCELEROMETER, hz=50) for _ in range(3)]
        first, second, third = await TaskManager.gather(*[take(stream, 8) for stream in streams])
        dropped = sum([stream.dropped for stream in streams])
        assert board.chip.reads - before <= 8 + dropped
        assert dropped or first == second == third


async def test_a_reader_at_half_the_rate_shares_reads_with_a_fast_one():
    with Board() as board:
        SensorManager.read_accelerometer()
        before = board.chip.reads
        fast = SensorManager.stream(_ACCELEROMETER, hz=50)
        slow = SensorManager.stream(_ACCELEROMETER, hz=25)
        _, found = await TaskManager.gather(take(fast, 12), take(slow, 5))
        assert len(found) == 5
        assert board.chip.reads - before <= 12 + 2 + fast.dropped + slow.dropped


async def test_leaving_the_loop_leaves_nothing_behind():
    with Board() as board:
        tasks = len(TaskManager.task_list)
        await take(SensorManager.stream(_ACCELEROMETER, hz=200), 3)
        assert len(TaskManager.task_list) == tasks
        reader = TaskManager.create_task(take(SensorManager.stream(_ACCELEROMETER, hz=200), 1000000))
        await TaskManager.sleep_ms(20)
        reader.cancel()
        await TaskManager.sleep_ms(1)
        assert reader.done()
        before = board.chip.reads
        await TaskManager.sleep_ms(20)
        assert board.chip.reads == before


async def test_a_reader_that_never_rests_does_not_stop_the_others():
    with Board():
        turns = []

        async def other():
            while True:
                turns.append(1)
                await TaskManager.sleep_ms(0)

        task = TaskManager.create_task(other())
        async for _ in SensorManager.stream(_ACCELEROMETER, hz=1000):
            began = ticks_ms()
            while ticks_diff(ticks_ms(), began) < 5:
                pass
            if len(turns) > 5:
                break
        task.cancel()


def test_a_rate_that_cannot_be_is_named():
    for hz in (0, -5, 1001):
        try:
            SensorManager.stream(_ACCELEROMETER, hz=hz)
        except ValueError as error:
            assert str(error) == "hz %s: more than 0, and 1000 at most" % hz
        else:
            raise AssertionError(hz)
    SensorManager.deinit()


async def test_the_first_sample_of_a_stream_does_not_hold_up_the_loop_until_the_chip_has_started():
    with Board():
        turns = []

        async def other():
            while True:
                turns.append(1)
                await TaskManager.sleep_ms(0)

        task = TaskManager.create_task(other())
        stream = SensorManager.stream(_ACCELEROMETER, hz=50)
        await take(stream, 1)
        task.cancel()
        assert stream.missed >= 1  # before the chip had started
        assert len(turns) > stream.missed
