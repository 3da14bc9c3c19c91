"""SensorManager on Linux's IIO: its files, laid out as the kernel does, in a folder of the flash."""

import os

from imu_board import near, printed

from mpos import SensorManager
from mpos.sensors.calibration import CalibrationStore

_FOLDER = "/iio"


class Files:
    """The devices' files, `{"device/name": text}`; a context manager."""

    def __init__(self, files):
        self._files = files

    def __enter__(self):
        CalibrationStore().reset()
        os.mkdir(_FOLDER)
        for path, text in self._files.items():
            device = _FOLDER + "/iio:device" + path.split("/")[0]
            try:
                os.mkdir(device)
            except OSError:
                pass  # its second file
            with open(device + "/" + path.split("/")[1], "w") as file:
                file.write(text + "\n")
        return SensorManager.init_iio(_FOLDER)

    def __exit__(self, *exc):
        SensorManager.deinit()
        for device in os.listdir(_FOLDER):
            for name in os.listdir(_FOLDER + "/" + device):
                os.remove("%s/%s/%s" % (_FOLDER, device, name))
            os.rmdir(_FOLDER + "/" + device)
        os.rmdir(_FOLDER)


def xyz(name, x, y, z):
    return {name + "_x_raw": str(x), name + "_y_raw": str(y), name + "_z_raw": str(z)}


def test_raw_values_are_scaled_to_our_units():
    files = {"0/in_accel_scale": "0.5", "1/in_anglvel_scale": "0.001", "1/in_magn_x_scale": "0.01"}
    files.update({"1/in_magn_y_scale": "0.02", "1/in_magn_z_scale": "0.03", "0/in_temp_raw": "20"})
    files.update({"0/in_temp_scale": "1000", "0/in_temp_offset": "3"})
    files.update(xyz("0/in_accel", 1, -2, 19))
    files.update(xyz("1/in_anglvel", 1000, 0, -500))
    files.update(xyz("1/in_magn", 10, 10, 10))
    with Files(files) as available:
        assert available
        assert near(SensorManager.read_accelerometer(), (0.5, -1, 9.5), 1e-4)
        assert near(SensorManager.read_gyroscope(), (57.2958, 0, -28.6479), 1e-3)
        read = {sensor.type: SensorManager.read_sensor(sensor) for sensor in SensorManager.get_sensor_list()}
        assert near(read[SensorManager.TYPE_MAGNETIC_FIELD], (10, 20, 30), 1e-3)
        assert abs(read[SensorManager.TYPE_IMU_TEMPERATURE] - 23) < 1e-4


def test_the_mount_matrix_turns_the_axes():
    files = {"0/in_accel_scale": "1", "0/in_accel_mount_matrix": "0, 1, 0; -1, 0, 0; 0, 0, 1"}
    files.update(xyz("0/in_accel", 1, 2, 3))
    with Files(files):
        assert near(SensorManager.read_accelerometer(), (2, -1, 3))
        assert SensorManager.read_gyroscope() is None


def test_without_devices_it_is_false():
    for files in ({}, {"0/in_voltage_raw": "1"}):
        with Files(files) as available:
            assert not available
            assert not SensorManager._initialized
    assert not SensorManager.init_iio("/nothing_is_here")


def test_a_device_that_is_gone_is_none_and_one_line():
    files = xyz("0/in_accel", 1, 2, 3)
    with Files(files):
        assert near(SensorManager.read_accelerometer(), (1, 2, 3))
        os.remove(_FOLDER + "/iio:device0/in_accel_y_raw")
        lines, values = printed(lambda: [SensorManager.read_accelerometer() for _ in range(5)])
        assert values == [None] * 5
        assert len(lines) == 1 and lines[0].startswith("No motion sensor in /iio: OSError(")
