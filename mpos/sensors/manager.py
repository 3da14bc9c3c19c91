"""SensorManager: the one door to the device's sensors. All methods are class methods.

A board names its motion sensor in `Hardware(imu=...)` or calls `SensorManager.init()`; apps read.
"""

from time import sleep_ms

from micropython import const

from ..hardware import Hardware
from ..task_manager import TaskManager
from . import sensor as _types
from .bus import RegisterBus
from .calibration import CalibrationStore, is_rotation
from .imu import Imu
from .sensor import TYPE_ACCELEROMETER, TYPE_GYROSCOPE, TYPE_SOC_TEMPERATURE, TYPE_TEMPERATURE, Sensor

_PAUSE_MS = const(10)  # between two readings of a calibration


class SensorManager:
    """`from mpos import SensorManager`, or `import mpos.sensor_manager as SensorManager`."""

    TYPE_ACCELEROMETER = _types.TYPE_ACCELEROMETER
    TYPE_MAGNETIC_FIELD = _types.TYPE_MAGNETIC_FIELD
    TYPE_GYROSCOPE = _types.TYPE_GYROSCOPE
    TYPE_TEMPERATURE = _types.TYPE_TEMPERATURE
    TYPE_IMU_TEMPERATURE = _types.TYPE_IMU_TEMPERATURE
    TYPE_SOC_TEMPERATURE = _types.TYPE_SOC_TEMPERATURE
    FACING_EARTH = _types.FACING_EARTH
    FACING_SKY = _types.FACING_SKY

    _instance = None
    _initialized = False
    _imu = None
    _store = None
    _channels = {}

    @classmethod
    def get(cls):
        """The one instance, for code that wants an object: its methods are the class's."""
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    # -- Setting up

    @classmethod
    def init(
        cls,
        i2c_bus,
        address=0x6B,
        mounted_position=_types.FACING_SKY,
        scl=None,
        sda=None,
        reopen=None,
        **options,
    ):
        """Say where the motion sensor is. It is found and started at its first use. Returns True.

        `i2c_bus` is a `machine.I2C`, or None when the board has no motion sensor. `mounted_position`
        FACING_EARTH turns the accelerometer's z round, for a chip on the underside. `scl`, `sda` and `reopen`
        are for freeing a stuck bus: see RegisterBus. `options` go to the driver (`accelerometer_g`,
        `gyroscope_dps`, `hz`); ValueError at the first use if the chip has no such.
        """
        cls.deinit()
        cls._store = CalibrationStore()
        if i2c_bus is not None:
            bus = RegisterBus(i2c_bus, address, scl, sda, reopen)
            cls._imu = Imu(bus, cls._store, mounted_position, options)
        cls._initialized = True
        return True

    @classmethod
    def init_iio(cls, folder="/sys/bus/iio/devices"):
        """Take the motion sensors of a Linux device. Returns False if there are none."""
        from .iio import IioFolder, IioSensors

        cls.deinit()
        store = CalibrationStore()
        imu = Imu(IioFolder(folder), store, _types.FACING_SKY, find=IioSensors)
        if not imu.find():
            return False
        cls._imu, cls._store, cls._initialized = imu, store, True
        return True

    @classmethod
    def init_mock(cls, motion=True):
        """Simulate a motion sensor, on a platform without: a slow rocking, or at rest. Returns True."""
        from .mock import MockImu

        cls.deinit()
        cls._store = CalibrationStore()
        cls._imu = MockImu(motion)
        cls._initialized = True
        return True

    @classmethod
    def deinit(cls):
        """Forget the motion sensor; streams that run get no more samples."""
        cls._imu = cls._store = None
        cls._channels = {}
        cls._initialized = False

    @classmethod
    def is_available(cls):
        """Whether `init()` was called or the board names a motion sensor. It may still not answer."""
        return cls._ensure()

    @classmethod
    def set_mounting(cls, axes):
        """Say how the chip is mounted, and keep it over boots: the chip's axes that are the device's x, y
        and z, 1 to 3, negative for the other way. (2, -1, 3) is a chip turned by 90 degrees. None: as
        `init()` says.

        Raises ValueError for what is no rotation, RuntimeError before `init()`, OSError on a full flash.
        """
        if axes is not None and not is_rotation(axes):
            raise ValueError("mounting %r: a rotation of the axes (1, 2, 3), such as (2, -1, 3)" % (axes,))
        if not cls._ensure():
            raise RuntimeError("SensorManager.init() comes before set_mounting()")
        cls._store.mounting = None if axes is None else tuple(axes)
        cls._store.save()

    # -- Reading

    @classmethod
    def get_sensor_list(cls):
        """The list of Sensor that the device has, of what has answered."""
        if not cls._ensure():
            return []
        sensors = list(cls._imu.sensors()) if cls._imu is not None else []
        if _processor_temperature() is not None:
            sensors.append(
                Sensor(
                    "Processor Temperature", TYPE_SOC_TEMPERATURE, "Espressif", 1, "-40 to 125 °C", "1 °C", 0
                )
            )
        return sensors

    @classmethod
    def get_default_sensor(cls, sensor_type):
        """The first Sensor of `sensor_type`, or None."""
        for sensor in cls.get_sensor_list():
            if sensor.type == sensor_type:
                return sensor
        return None

    @classmethod
    def read_sensor(cls, sensor):
        """One reading of `sensor`: (x, y, z) or a number, in its type's units; None without an answer."""
        return None if sensor is None else cls._read(sensor.type)

    read_sensor_once = read_sensor

    @classmethod
    def read_accelerometer(cls):
        """(x, y, z) in m/s2 as the device lies now, gravity included; None without an answer."""
        return cls._read(TYPE_ACCELEROMETER)

    @classmethod
    def read_gyroscope(cls):
        """(x, y, z) in degrees a second; None without an answer."""
        return cls._read(TYPE_GYROSCOPE)

    @classmethod
    def stream(cls, sensor_type, hz=50):
        """`async for sample in SensorManager.stream(SensorManager.TYPE_ACCELEROMETER, hz=50)`.

        See SensorStream for what it gives and counts.
        `sensor_type` may be a Sensor. Raises ValueError for a rate that cannot be (1000 at most).
        """
        from .stream import Channel, SensorStream

        kind = getattr(sensor_type, "type", sensor_type)
        channel = cls._channels.get(kind)
        if channel is None:
            channel = cls._channels[kind] = Channel(kind, cls._read)
        return SensorStream(channel, hz)

    @classmethod
    def orientation(cls, hz=50, time_constant_s=0.5):
        """`async for orientation in SensorManager.orientation()`: `orientation.roll` and `.pitch` in degrees.

        `time_constant_s`: for how long the gyroscope is trusted more than gravity.
        """
        from .orientation import OrientationStream

        return OrientationStream(cls.stream(TYPE_ACCELEROMETER, hz), cls._read, time_constant_s)

    # -- Motions

    @classmethod
    def motions(cls, kind, **options):
        """`async for ticks_ms in SensorManager.motions("step")`: the time of each such motion.

        `kind` is "shake", "tilt", "free_fall", "tap" or "step"; `options` are those of the detector in
        mpos.sensors.motion, and `hz`. Raises ValueError for another kind.
        """
        from .motion import MotionEvents, new_detector

        hz = options.pop("hz", None)
        detector = new_detector(kind, options)
        return MotionEvents(cls.stream(TYPE_ACCELEROMETER, hz or detector.hz), detector)

    @classmethod
    async def wait_for_motion(cls, kind, **options):
        """`await` it until the device is shaken, tilted...: the first of `motions()`. Returns its time."""
        return await cls.motions(kind, **options).__anext__()

    # -- Calibrating

    @classmethod
    async def calibrate(cls, sensor, samples=100):
        """Calibrate accelerometer or gyroscope of a device that lies at rest on its back, and keep it.

        Takes `samples` times 10 ms. Returns the offsets (x, y, z), or None: no answer, or the device
        moved, which is printed. Raises OSError on a full flash; the calibration then lasts until the reset.
        """
        steps = cls._calibration(sensor, samples)
        if cls._imu is not None:
            await TaskManager.sleep_ms(cls._imu.settling_ms())
        return await _on_the_loop(steps)

    @classmethod
    def calibrate_sensor(cls, sensor, samples=100):
        """`calibrate()` for plain code. It blocks the loop for a second: in a task, await `calibrate()`."""
        return _blocking(cls._calibration(sensor, samples))

    @classmethod
    def check_calibration_quality(cls, samples=50):
        """Judge the calibration of a device at rest. Blocks for `samples` times 10 ms.

        Returns a dict of accel_mean, accel_variance, gyro_mean, gyro_variance (each x, y, z), quality_score
        (0 to 1), quality_rating ("Good", "Fair", "Poor") and issues (list of texts); None without an answer.
        """
        from .measuring import quality

        return _blocking(quality(cls._read, samples))

    @classmethod
    def check_stationarity(cls, samples=30, variance_threshold_accel=0.5, variance_threshold_gyro=5.0):
        """Tell whether the device is at rest. Blocks for `samples` times 10 ms.

        Returns a dict of is_stationary, accel_variance, gyro_variance (the largest of the axes) and message;
        None without an answer.
        """
        from .measuring import stationarity

        return _blocking(stationarity(cls._read, samples, variance_threshold_accel, variance_threshold_gyro))

    @classmethod
    def _calibration(cls, sensor, samples):
        from .measuring import calibrate

        if sensor is None or not cls._ensure() or cls._imu is None:
            return iter(())
        return calibrate(cls._imu, cls._store, sensor.type, samples)

    # -- Counters

    @classmethod
    def stats(cls):
        """A dict of counters of the I2C bus: errors, recoveries, failures."""
        imu = cls._imu if cls._ensure() else None
        if not isinstance(imu, Imu):
            return {"errors": 0, "recoveries": 0, "failures": 0}
        return {"errors": imu.bus.errors, "recoveries": imu.bus.recoveries, "failures": imu.failures}

    @classmethod
    def _ensure(cls):
        if not cls._initialized:
            imu = getattr(Hardware.current, "imu", None)
            if imu is not None:
                cls.init(**imu)
        return cls._initialized

    @classmethod
    def _read(cls, kind, may_wait=True):
        if not cls._ensure():
            return None
        imu = cls._imu
        if kind == TYPE_SOC_TEMPERATURE:
            return _processor_temperature()
        if kind == TYPE_TEMPERATURE:
            value = None if imu is None else imu.read(_types.TYPE_IMU_TEMPERATURE, may_wait)
            return _processor_temperature() if value is None else value
        return None if imu is None else imu.read(kind, may_wait)


def _blocking(steps):
    """Run a generator of mpos.sensors.measuring to its end and return its result."""
    try:
        while True:
            next(steps)
            sleep_ms(_PAUSE_MS)
    except StopIteration as end:
        return end.value


async def _on_the_loop(steps):
    try:
        while True:
            next(steps)
            await TaskManager.sleep_ms(_PAUSE_MS)
    except StopIteration as end:
        return end.value


def _processor_temperature():
    try:
        import esp32
    except ImportError:
        return None
    read = getattr(esp32, "mcu_temperature", None)  # not on the first ESP32
    return None if read is None else read()
