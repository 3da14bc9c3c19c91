"""Motion events and orientation, from recorded courses of acceleration and from the sensor in motion."""

from math import cos, pi, radians, sin

from imu_board import Board

from mpos import SensorManager, TaskManager
from mpos.sensors.motion import DETECTORS, FreeFall, Shake, Step, Tap, Tilt, angle_between
from mpos.sensors.orientation import ComplementaryFilter
from mpos.sensors.sensor import GRAVITY


def told(detector, course, ms, hz=None):
    """How often `detector` speaks in `ms` of `course(t in s)`, which returns (x, y, z) in g."""
    period = 1000 / (hz or detector.hz)
    count, number = 0, 0
    while number * period < ms:
        now = int(number * period)
        x, y, z = course(now / 1000)
        count += detector.feed(x * GRAVITY, y * GRAVITY, z * GRAVITY, now)
        number += 1
    return count


def rest(t):
    return 0, 0, 1


def walking(t):
    return 0, 0, 1 + 0.35 * sin(2 * pi * 1.8 * t)


def shaking(t):
    return 2.5 * sin(2 * pi * 4 * t), 0, 1


def knocked_at(*times):
    def course(t):
        for at in times:
            if 0 <= t - at < 0.015:
                return 0, 0.3, 2.5
        return 0, 0, 1

    return course


def fallen_between(began, ended):
    return lambda t: (0, 0, 0.05) if began <= t < ended else (0, 0, 1)


def turned(degrees, seconds=1):
    def course(t):
        angle = radians(degrees) * min(1, t / seconds)
        return 0, sin(angle), cos(angle)

    return course


def test_rest_is_no_motion_of_any_kind():
    for kind, detector in DETECTORS.items():
        assert told(detector(), rest, 5000) == 0, kind


def test_a_shaken_device_is_told_and_walking_is_no_shaking():
    assert 1 <= told(Shake(), shaking, 1000) <= 3
    assert told(Shake(), walking, 5000) == 0
    assert told(Shake(), knocked_at(0.5), 2000) == 0


def test_a_tilt_is_told_once_for_each_angle():
    assert told(Tilt(), turned(20), 3000) == 0
    assert told(Tilt(), turned(40), 3000) == 1
    assert told(Tilt(angle=15), turned(20), 3000) == 1
    assert told(Tilt(), turned(90, seconds=3), 5000) in (2, 3)
    assert told(Tilt(), knocked_at(1), 3000) == 0


def test_a_fall_is_told_once_while_it_lasts():
    assert told(FreeFall(), fallen_between(0.5, 0.9), 2000) == 1
    assert told(FreeFall(), fallen_between(0.5, 0.55), 2000) == 0
    assert told(FreeFall(ms=30), fallen_between(0.5, 0.55), 2000) == 1


def test_each_tap_is_told_and_a_push_is_none():
    assert told(Tap(), knocked_at(0.5), 2000) == 1
    assert told(Tap(), knocked_at(0.5, 1.0, 1.5), 2000) == 3
    assert told(Tap(), fallen_between(0.5, 2), 2000) == 0
    assert told(Tap(), turned(90, seconds=0.5), 2000) == 0


def test_steps_are_counted_but_for_the_first_swing():
    assert told(Step(), walking, 10000) in (17, 18)  # 18 swings in 10 s
    assert told(Step(), turned(90), 3000) == 0
    assert told(Step(), knocked_at(1), 3000) == 0


def test_an_angle_between_vectors():
    assert abs(angle_between((1, 0, 0), (0, 2, 0)) - 90) < 0.001
    assert abs(angle_between((1, 1, 0), (-2, -2, 0)) - 180) < 0.1
    assert angle_between((0, 0, 0), (1, 0, 0)) == 0


async def move(board, course, ms):
    for now in range(0, ms, 5):
        board.chip.move(g=course(now / 1000))
        await TaskManager.sleep_ms(5)
    board.chip.move(g=(0.0, 0.0, 1.0))


async def test_a_motion_of_the_sensor_is_awaited():
    with Board(accelerometer_g=16) as board:
        SensorManager.read_accelerometer()
        waiting = TaskManager.create_task(SensorManager.wait_for_motion("free_fall", threshold=4, ms=50))
        await TaskManager.sleep_ms(40)
        assert not waiting.done()
        board.chip.move(g=(0.0, 0.0, 0.0))
        await TaskManager.wait_for(waiting, 5)


async def test_motions_come_one_after_the_other():
    with Board() as board:
        SensorManager.read_accelerometer()
        mover = TaskManager.create_task(move(board, turned(90, seconds=0.5), 3000))
        count = 0
        async for ticks in SensorManager.motions("tilt", angle=20, hz=50):
            assert isinstance(ticks, int)
            count += 1
            if count == 2:
                break
        mover.cancel()


async def test_an_unknown_motion_is_named():
    for wrong, error_type in ((("jump", {}), ValueError), (("shake", {"angle": 3}), TypeError)):
        try:
            SensorManager.motions(wrong[0], **wrong[1])
        except error_type as error:
            if error_type is ValueError:
                assert str(error) == "motion 'jump': one of free_fall, shake, step, tap, tilt"
        else:
            raise AssertionError(wrong)
    SensorManager.deinit()


def filtered(gyroscope, seconds=4, hz=50, accelerometer=None, **options):
    """Roll and pitch after `seconds`; `gyroscope(t)` in deg/s, `accelerometer(t)` in g."""
    one = ComplementaryFilter(**options)
    for number in range(seconds * hz):
        t = number / hz
        one.update((accelerometer or rest)(t), gyroscope(t) if gyroscope else None, 1 / hz if number else 0)
    return one.roll, one.pitch


def test_roll_and_pitch_follow_gravity():
    for degrees in (-150, -90, -30, 0, 10, 60, 120, 179):
        roll, pitch = filtered(None, accelerometer=lambda t, d=degrees: (0, sin(radians(d)), cos(radians(d))))
        assert abs(roll - degrees) < 0.1 and abs(pitch) < 0.1, degrees
    for degrees in (-80, -30, 45, 80):
        roll, pitch = filtered(
            None, accelerometer=lambda t, d=degrees: (-sin(radians(d)), 0, cos(radians(d)))
        )
        assert abs(pitch - degrees) < 0.1 and abs(roll) < 0.1, degrees


def test_a_gyroscope_that_drifts_does_not_turn_the_device():
    roll, pitch = filtered(lambda t: (1.0, -1.0, 0.0), seconds=20)
    assert abs(roll) < 0.6 and abs(pitch) < 0.6


def test_a_turn_is_followed_at_once_with_a_gyroscope():
    def turning(t):
        return 0, sin(radians(60 * t)), cos(radians(60 * t))

    roll, _ = filtered(lambda t: (60.0, 0.0, 0.0), seconds=2, accelerometer=turning)
    assert abs(roll - 60 * (2 - 1 / 50)) < 1
    lagging, _ = filtered(None, seconds=2, accelerometer=turning)
    assert lagging < roll - 20


def test_a_turn_over_the_top_goes_on_from_180_to_minus_180():
    def turning(t):
        return 0, sin(radians(90 * t)), cos(radians(90 * t))

    roll, _ = filtered(lambda t: (90.0, 0.0, 0.0), seconds=3, accelerometer=turning)
    assert abs(roll - (90 * (3 - 1 / 50) - 360)) < 2


async def test_the_orientation_of_the_sensor_is_a_stream():
    with Board() as board:
        board.chip.move(g=(0.0, 0.5, 0.866))
        async for orientation in SensorManager.orientation(hz=100):
            assert abs(orientation.roll - 30) < 0.5 and abs(orientation.pitch) < 0.5
            break
