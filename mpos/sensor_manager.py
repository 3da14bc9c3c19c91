"""`import mpos.sensor_manager as SensorManager`: the module has every name of the class."""

from .sensors.manager import SensorManager
from .sensors.sensor import Sensor  # noqa: F401


def __getattr__(name):
    return getattr(SensorManager, name)
