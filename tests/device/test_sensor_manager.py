"""mpos.sensors: SensorManager on the simulated I2C bus, whose chips answer at register level."""

from imu_board import Board, near

import mpos.sensor_manager
from mpos import SensorManager
from mpos.sensors.sensor import GRAVITY


def test_the_module_and_the_class_are_the_same_thing():
    for name in dir(SensorManager):
        if name[0] != "_":
            assert getattr(mpos.sensor_manager, name) == getattr(SensorManager, name), name
    assert mpos.sensor_manager.SensorManager is SensorManager
    assert mpos.sensor_manager.Sensor


def test_the_accelerometer_is_in_metres_per_second_squared_and_the_gyroscope_in_degrees_per_second():
    with Board() as board:
        board.chip.move(g=(0.5, -0.25, 1.0), dps=(90.0, -45.0, 10.0), celsius=31.5)
        assert near(SensorManager.read_accelerometer(), (GRAVITY / 2, -GRAVITY / 4, GRAVITY))
        assert near(SensorManager.read_gyroscope(), (90, -45, 10))
        temperature = SensorManager.get_default_sensor(SensorManager.TYPE_IMU_TEMPERATURE)
        assert SensorManager.read_sensor(temperature) == 31.5


def test_a_reading_beyond_the_range_is_clipped_and_a_wider_range_shows_it():
    with Board(gyroscope_dps=256) as board:
        board.chip.move(dps=(400.0, 0.0, -400.0))
        assert near(SensorManager.read_gyroscope(), (256, 0, -256))
    with Board(gyroscope_dps=512, accelerometer_g=16) as board:
        board.chip.move(dps=(400.0, 0.0, -400.0), g=(15.0, 0.0, 0.0))
        assert near(SensorManager.read_gyroscope(), (400, 0, -400), 0.02)
        assert near(SensorManager.read_accelerometer(), (15 * GRAVITY, 0, 0))


def test_the_sensors_are_listed_with_what_an_app_wants_to_know():
    with Board():
        sensors = SensorManager.get_sensor_list()
        types = [sensor.type for sensor in sensors]
        assert SensorManager.TYPE_ACCELEROMETER in types
        assert SensorManager.TYPE_GYROSCOPE in types
        assert SensorManager.TYPE_IMU_TEMPERATURE in types
        sensor = SensorManager.get_default_sensor(SensorManager.TYPE_ACCELEROMETER)
        assert (sensor.name, sensor.vendor, sensor.version) == ("QMI8658 Accelerometer", "QST Corporation", 1)
        assert (sensor.max_range, sensor.resolution, sensor.power) == ("±8 g", "0.0024 m/s²", 0.2)
        assert SensorManager.get_default_sensor(SensorManager.TYPE_MAGNETIC_FIELD) is None
        assert SensorManager.get_default_sensor(999) is None
        assert SensorManager.read_sensor(None) is None


def test_a_chip_that_faces_the_earth_shows_the_sky_upwards():
    with Board(mounted_position=SensorManager.FACING_EARTH) as board:
        board.chip.move(g=(0.1, 0.2, -1.0))
        assert near(SensorManager.read_accelerometer(), (GRAVITY / 10, GRAVITY / 5, GRAVITY))


def test_without_a_bus_and_before_init_there_is_none():
    from mpos.hardware import Hardware

    before, Hardware.current = Hardware.current, None
    try:
        SensorManager.deinit()
        assert not SensorManager.is_available()
        assert SensorManager.get_sensor_list() == []
        assert SensorManager.read_accelerometer() is None
        assert SensorManager.init(None)
        assert SensorManager.is_available()
        assert SensorManager.read_accelerometer() is None
        assert SensorManager.get_default_sensor(SensorManager.TYPE_ACCELEROMETER) is None
    finally:
        Hardware.current = before
        SensorManager.deinit()


def test_a_range_that_the_chip_has_not_is_named():
    with Board(accelerometer_g=7):
        try:
            SensorManager.read_accelerometer()
        except ValueError as error:
            assert str(error) == "QMI8658 accelerometer_g 7: choose one of [2, 4, 8, 16]"
        else:
            raise AssertionError("no error")


def test_the_mock_rocks_or_lies_still():
    try:
        assert SensorManager.init_mock(motion=False)
        assert near(SensorManager.read_accelerometer(), (0, 0, GRAVITY))
        assert SensorManager.read_gyroscope() == (0, 0, 0)
        magnet = SensorManager.get_default_sensor(SensorManager.TYPE_MAGNETIC_FIELD)
        assert len(SensorManager.read_sensor(magnet)) == 3
        SensorManager.init_mock()
        x, y, z = SensorManager.read_accelerometer()
        assert abs(x * x + y * y + z * z - GRAVITY * GRAVITY) < 0.01
        assert SensorManager.read_gyroscope() != (0, 0, 0)
    finally:
        SensorManager.deinit()
