"""Drivers of motion sensors: each is found by its identity and reads its registers, in all its ranges."""

from imu_board import Board, near

from mpos import SensorManager
from mpos.sensors.sensor import GRAVITY

_SIX_AXES = ("QMI8658", "MPU6886", "WSEN_ISDS", "LSM6DSO")
_ADDRESSES = {"QMI8658": 0x6B, "MPU6886": 0x68, "WSEN_ISDS": 0x6B, "LSM6DSO": 0x6A, "BMA423": 0x19}
_DPS = {
    "QMI8658": (16, 32, 64, 128, 256, 512, 1024, 2048),
    "MPU6886": (250, 500, 1000, 2000),
    "WSEN_ISDS": (125, 250, 500, 1000, 2000),
    "LSM6DSO": (125, 250, 500, 1000, 2000),
}
_HZ = {
    "QMI8658": (62, 125, 250, 500, 1000),
    "MPU6886": (50, 100, 125, 250, 500, 1000),
    "WSEN_ISDS": (12, 26, 52, 104, 208, 416, 833),
    "LSM6DSO": (12, 26, 52, 104, 208, 416, 833),
    "BMA423": (50, 100, 200, 400, 800, 1600),
}


def board(chip, **options):
    return Board(chip, _ADDRESSES[chip], **options)


def test_each_chip_is_found_and_read_without_being_named():
    for name in _ADDRESSES:
        with board(name) as one:
            one.chip.move(g=(0.5, -0.25, -1.0), dps=(90.0, -45.0, 10.0), celsius=-7.0)
            assert near(SensorManager.read_accelerometer(), (GRAVITY / 2, -GRAVITY / 4, -GRAVITY), 0.05), name
            kinds = [sensor.type for sensor in SensorManager.get_sensor_list()]
            temperature = SensorManager.get_default_sensor(SensorManager.TYPE_TEMPERATURE)
            assert temperature is None
            temperature = SensorManager.get_default_sensor(SensorManager.TYPE_IMU_TEMPERATURE)
            assert abs(SensorManager.read_sensor(temperature) + 7) < 0.01, name
            if name in _SIX_AXES:
                assert near(SensorManager.read_gyroscope(), (90, -45, 10), 0.05), name
                assert SensorManager.TYPE_GYROSCOPE in kinds
            else:
                assert SensorManager.read_gyroscope() is None
                assert SensorManager.TYPE_GYROSCOPE not in kinds


def test_each_range_of_each_accelerometer_shows_three_quarters_of_itself():
    for name in _ADDRESSES:
        for g in (2, 4, 8, 16):
            with board(name, accelerometer_g=g) as one:
                full = 0.75 * g
                one.chip.move(g=(full, -full, 0.0))
                step = GRAVITY * g / 2048  # of the coarsest chip, of 12 bits
                found = SensorManager.read_accelerometer()
                assert near(found, (full * GRAVITY, -full * GRAVITY, 0), step), (name, g, found)


def test_each_range_of_each_gyroscope_shows_three_quarters_of_itself():
    for name in _SIX_AXES:
        for dps in _DPS[name]:
            with board(name, gyroscope_dps=dps) as one:
                full = 0.75 * dps
                one.chip.move(dps=(full, -full, 0.0))
                found = SensorManager.read_gyroscope()
                assert near(found, (full, -full, 0), dps / 16384), (name, dps, found)


def test_each_rate_of_each_chip_can_be_had_and_others_are_refused():
    for name in _ADDRESSES:
        for hz in _HZ[name]:
            with board(name, hz=hz):
                assert near(SensorManager.read_accelerometer(), (0, 0, GRAVITY), 0.05), (name, hz)
        with board(name, hz=77):
            try:
                SensorManager.read_accelerometer()
            except ValueError as error:
                assert "hz 77: choose one of" in str(error)
            else:
                raise AssertionError(name)


def test_a_value_beyond_the_range_is_clipped_and_does_not_change_its_sign():
    for name in _ADDRESSES:
        with board(name, accelerometer_g=2) as one:
            one.chip.move(g=(5.0, -5.0, 0.0))
            x, y, z = SensorManager.read_accelerometer()
            assert 1.95 * GRAVITY < x < 2.05 * GRAVITY, (name, x)
            assert -2.05 * GRAVITY < y < -1.95 * GRAVITY, (name, y)


def test_the_registers_hold_what_the_data_sheets_say():
    expected = {
        # 8 g and 256 deg/s at 1 kHz; both low passes; both sensors on
        "QMI8658": ((0x02, 0x60), (0x03, 0x23), (0x04, 0x43), (0x06, 0x77), (0x08, 0x03)),
        # awake; 1 kHz; 92 Hz; 500 deg/s; 8 g; 99 Hz
        "MPU6886": ((0x6B, 0x01), (0x19, 0x00), (0x1A, 0x02), (0x1B, 0x08), (0x1C, 0x10), (0x1D, 0x02)),
        # 208 Hz, 8 g; 208 Hz, 500 deg/s; BDU and IF_INC
        "WSEN_ISDS": ((0x10, 0x5C), (0x11, 0x54), (0x12, 0x44)),
        "LSM6DSO": ((0x10, 0x5C), (0x11, 0x54), (0x12, 0x44)),
        # no power save; accelerometer on; performance mode, norm_avg4, 200 Hz; 4 g
        "BMA423": ((0x7C, 0x00), (0x7D, 0x04), (0x40, 0xA9), (0x41, 0x01)),
    }
    for name, registers in expected.items():
        with board(name) as one:
            SensorManager.read_accelerometer()
            for register, value in registers:
                assert one.chip.registers[register] == value, (name, hex(register))


def test_readings_of_the_data_sheets_examples():
    with board("QMI8658", accelerometer_g=2, gyroscope_dps=2048) as one:
        SensorManager.read_accelerometer()
        one.chip.measure = lambda: None  # from here on the registers hold what is put there
        one.chip.registers[0x35:0x41] = b"\x00\x40\x00\xc0\xff\xff\x10\x00\xf0\xff\x00\x80"
        assert near(SensorManager.read_accelerometer(), (GRAVITY, -GRAVITY, -GRAVITY / 16384), 1e-5)
        assert near(SensorManager.read_gyroscope(), (1, -1, -2048), 1e-5)
    with board("MPU6886", accelerometer_g=2, gyroscope_dps=250) as one:
        SensorManager.read_accelerometer()
        one.chip.measure = lambda: None
        one.chip.registers[0x3B:0x41] = b"\x40\x00\xc0\x00\xff\xff"
        assert near(SensorManager.read_accelerometer(), (GRAVITY, -GRAVITY, -GRAVITY / 16384), 1e-5)
        one.chip.registers[0x43:0x49] = b"\x00\x83\xff\x7d\x80\x00"  # 131 counts are 1 deg/s
        assert near(SensorManager.read_gyroscope(), (1, -1, -250), 0.001)
    with board("LSM6DSO", gyroscope_dps=125, accelerometer_g=2) as one:
        SensorManager.read_accelerometer()
        one.chip.measure = lambda: None
        one.chip.registers[0x28:0x2E] = b"\xe8\x03\x18\xfc\x00\x00"  # 1000 counts of 0.061 mg
        assert near(SensorManager.read_accelerometer(), (0.061 * GRAVITY, -0.061 * GRAVITY, 0), 1e-5)
        one.chip.registers[0x22:0x28] = b"\xe8\x03\x18\xfc\x00\x00"  # 1000 counts of 4.375 mdps
        assert near(SensorManager.read_gyroscope(), (4.375, -4.375, 0), 1e-5)
