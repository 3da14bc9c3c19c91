"""Calibration and mounting of the motion sensor: measured at rest, applied, kept over boots."""

from imu_board import Board, near, printed

from mpos import SensorManager
from mpos.sensors.calibration import CalibrationStore, is_rotation
from mpos.sensors.sensor import GRAVITY

_LEVEL = (0, 0, GRAVITY)


def accelerometer():
    return SensorManager.get_default_sensor(SensorManager.TYPE_ACCELEROMETER)


def gyroscope():
    return SensorManager.get_default_sensor(SensorManager.TYPE_GYROSCOPE)


async def test_a_calibrated_sensor_shows_rest_as_rest_now_and_after_a_boot():
    with Board() as board:
        board.chip.move(g=(0.05, -0.03, 1.02), dps=(1.5, -2.0, 0.5))
        offsets = await SensorManager.calibrate(accelerometer(), samples=5)
        assert near(offsets, (0.05 * GRAVITY, -0.03 * GRAVITY, 0.02 * GRAVITY))
        assert near(await SensorManager.calibrate(gyroscope(), samples=5), (1.5, -2, 0.5))
        for _ in range(2):
            assert near(SensorManager.read_accelerometer(), _LEVEL)
            assert near(SensorManager.read_gyroscope(), (0, 0, 0))
            board.start()


def test_plain_code_calibrates_without_a_loop():
    with Board() as board:
        board.chip.move(dps=(1.5, -2.0, 0.5))
        assert near(SensorManager.calibrate_sensor(gyroscope(), samples=3), (1.5, -2, 0.5))
        assert near(SensorManager.read_gyroscope(), (0, 0, 0))
        assert SensorManager.calibrate_sensor(None) is None


def test_calibrating_twice_is_calibrating_once():
    with Board() as board:
        board.chip.move(g=(0.05, 0.0, 1.0))
        first = SensorManager.calibrate_sensor(accelerometer(), samples=3)
        assert near(SensorManager.calibrate_sensor(accelerometer(), samples=3), first)


def test_a_chip_on_the_underside_is_calibrated_for_the_device_lying_on_its_back():
    with Board(mounted_position=SensorManager.FACING_EARTH) as board:
        board.chip.move(g=(0.02, 0.0, -1.01))
        offsets = SensorManager.calibrate_sensor(accelerometer(), samples=3)
        assert near(offsets, (0.02 * GRAVITY, 0, -0.01 * GRAVITY))
        assert near(SensorManager.read_accelerometer(), _LEVEL)


def test_a_device_in_motion_is_not_calibrated_and_told_so():
    with Board() as board:
        good, sign = board.chip.measure, [1]

        def measure():
            sign[0] = -sign[0]
            board.chip.move(g=(0.5 * sign[0], 0.0, 1.0))
            good()

        sensor = accelerometer()
        board.chip.measure = measure
        lines, offsets = printed(lambda: SensorManager.calibrate_sensor(sensor, samples=6))
        assert offsets is None
        assert lines == ["Not calibrated: the device was moved"]
        assert CalibrationStore().accel_offsets == (0, 0, 0)
        found = SensorManager.check_stationarity(samples=6)
        assert not found["is_stationary"] and found["gyro_variance"] == 0
        assert found["message"].startswith("The device moves: movement (variance ")


def test_a_sensor_that_does_not_answer_is_not_calibrated():
    with Board() as board:
        sensor = accelerometer()
        board.vanish()
        lines, offsets = printed(lambda: SensorManager.calibrate_sensor(sensor, samples=3))
        assert offsets is None
        assert lines[-1] == "Not calibrated: 0 of 3 readings"
        assert SensorManager.check_stationarity(samples=2) is None
        assert SensorManager.check_calibration_quality(samples=2) is None


def test_the_quality_names_what_is_wrong():
    with Board() as board:
        found = SensorManager.check_calibration_quality(samples=3)
        assert found["quality_rating"] == "Good" and found["issues"] == []
        assert found["quality_score"] > 0.99
        assert near(found["accel_mean"], _LEVEL) and near(found["gyro_variance"], (0, 0, 0))
        board.chip.move(g=(1.0, 0.0, 0.2), dps=(30.0, 0.0, 0.0))
        found = SensorManager.check_calibration_quality(samples=3)
        assert found["quality_rating"] != "Good"
        assert len(found["issues"]) == 3
        assert SensorManager.check_stationarity(samples=3)["is_stationary"]


def test_the_mounting_turns_both_sensors_and_is_kept():
    with Board() as board:
        # The chip's y is the device's x, its -x the device's y: turned by 90 degrees about z.
        SensorManager.set_mounting((2, -1, 3))
        board.chip.move(g=(0.1, 0.2, 1.0), dps=(10.0, 20.0, 30.0))
        for _ in range(2):
            assert near(SensorManager.read_accelerometer(), (0.2 * GRAVITY, -0.1 * GRAVITY, GRAVITY))
            assert near(SensorManager.read_gyroscope(), (20, -10, 30))
            board.start()
        SensorManager.set_mounting(None)
        assert near(SensorManager.read_gyroscope(), (10, 20, 30))


def test_a_chip_mounted_on_its_side_is_calibrated():
    with Board() as board:
        SensorManager.set_mounting((1, 3, -2))  # the chip's -y points to the sky
        board.chip.move(g=(0.01, -1.03, 0.02))
        SensorManager.calibrate_sensor(accelerometer(), samples=3)
        assert near(SensorManager.read_accelerometer(), _LEVEL)


def test_only_rotations_are_mountings():
    found = [
        (x, y, z) for x in range(-3, 4) for y in range(-3, 4) for z in range(-3, 4) if is_rotation((x, y, z))
    ]
    assert len(found) == 24  # of a cube
    for axes in ((1, 2, -3), (1, 1, 3), (1, 2), (0, 1, 2), (2, 1, 3)):
        with Board():
            try:
                SensorManager.set_mounting(axes)
            except ValueError as error:
                assert str(axes) in str(error)
            else:
                raise AssertionError(axes)


def test_a_damaged_file_counts_as_none():
    with Board() as board:
        SensorManager.read_accelerometer()
        CalibrationStore().save()
        for text in ("", "[]", "{", '{"accel_offsets": [1], "gyro_offsets": "abc", "mounting": [1, 2, -3]}'):
            with open("/calibration/imu.json", "w") as file:
                file.write(text)
            board.start()
            assert near(SensorManager.read_accelerometer(), _LEVEL), text
