"""The examples of TaskManager's specification, in its order and as an app would contain them.

docs/task-manager.md lists what is still to come.
"""

import asyncio
import json

import lvgl as lv
from conditions import until
from imu_board import Board, near

from mpos import DownloadManager, TaskManager
from mpos.app import activities
from mpos.app.activity import Activity
from mpos.sensors.sensor import GRAVITY


async def run_activity(activity, done):
    """Start `activity`, wait for `done()`, finish it."""
    assert activities.start(activity)
    await until(done)
    activity.finish()


async def test_quick_start_creating_background_tasks(lvgl_loop):
    class MyActivity(Activity):
        def onCreate(self):
            # Launch a background task
            TaskManager.create_task(self.download_data())

        async def download_data(self):
            print("Starting download...")
            # Simulate network operation
            await TaskManager.sleep(2)
            print("Download complete!")
            done.append(True)

    done = []
    await run_activity(MyActivity(), lambda: done)


async def test_delayed_operations():
    began = asyncio.core.ticks()
    await TaskManager.sleep(0.03)
    await TaskManager.sleep_ms(20)
    assert asyncio.core.ticks_diff(asyncio.core.ticks(), began) >= 49


async def test_timeout_operations(server):
    async def download_with_timeout(path, timeout):
        try:
            data = await TaskManager.wait_for(DownloadManager.download_url(server + path), timeout=timeout)
            return len(data)
        except Exception as e:
            return e

    assert await download_with_timeout("/fixed?size=1000", 10) == 1000
    assert isinstance(await download_with_timeout("/stall_before_head", 0.1), asyncio.TimeoutError)


async def test_event_notifications():
    log = []

    async def wait_for_event(event):
        await event.wait()
        log.append("Event occurred!")

    event = await TaskManager.notify_event()
    TaskManager.create_task(wait_for_event(event))
    await TaskManager.sleep_ms(1)
    assert not log
    event.set()
    await until(lambda: log)


async def test_downloading_data(server, lvgl_loop):
    class AppStoreActivity(Activity):
        parsed = None

        def onCreate(self):
            self.setContentView(lv.obj())

        def onResume(self, screen):
            super().onResume(screen)
            TaskManager.create_task(self.download_app_index())

        async def download_app_index(self):
            try:
                data = await DownloadManager.download_url(server + "/echo")
                if data:
                    parsed = json.loads(data)
                    self.update_ui(parsed)
            except Exception as e:
                print(f"Download failed: {e}")

        def update_ui(self, parsed):
            self.parsed = parsed

    activity = AppStoreActivity()
    await run_activity(activity, lambda: activity.parsed)
    assert activity.parsed["method"] == "GET"


async def test_periodic_tasks(lvgl_loop):
    class Monitor(Activity):
        def onCreate(self):
            self.values = []
            self.setContentView(lv.obj())
            self.monitoring = True
            self.task = TaskManager.create_task(self.monitor_sensor())

        async def monitor_sensor(self):
            while self.monitoring:
                self.values.append(len(self.values))
                await TaskManager.sleep(0.005)

        def onDestroy(self, screen):
            self.monitoring = False

    activity = Monitor()
    await run_activity(activity, lambda: len(activity.values) >= 3)
    await until(activity.task.done)


async def test_download_with_progress(server, lvgl_loop, screen):
    shown = []
    progress_label = lv.label(screen)

    async def update_progress(percent):
        progress_label.set_text(f"Downloading: {percent}%")
        shown.append(percent)

    success = await DownloadManager.download_url(
        server + "/fixed?size=50000", outfile="/large.bin", progress_callback=update_progress
    )
    if success:
        progress_label.set_text("Download complete!")
    assert progress_label.get_text() == "Download complete!"
    assert shown == sorted(set(shown)) and shown[-1] == 100
    with open("/large.bin", "rb") as file:
        assert len(file.read()) == 50000


async def test_concurrent_downloads(server):
    class App:
        def __init__(self, icon_url):
            self.icon_url = icon_url

    async def download_multiple_icons(apps):
        tasks = []
        for app in apps:
            task = DownloadManager.download_url(app.icon_url)
            tasks.append(task)
        results = []
        for i, task in enumerate(tasks):
            try:
                data = await TaskManager.wait_for(task, timeout=5)
                results.append(data)
            except Exception as e:
                print(f"Icon {i} failed: {e}")
                results.append(None)
        return results

    paths = ("/fixed?size=10", "/status/404", "/fixed?size=30")
    results = await download_multiple_icons([App(server + path) for path in paths])
    assert [result and len(result) for result in results] == [10, None, 30]


async def test_wait_for_raises_asyncios_own_timeout_error():
    async def download_operation():
        await TaskManager.sleep(10)

    try:
        await TaskManager.wait_for(download_operation(), timeout=0.01)
        raise AssertionError("no timeout")
    except asyncio.TimeoutError:
        pass


async def test_safe_ui_updates_from_async_tasks(lvgl_loop, screen):
    label = lv.label(screen)

    async def fetch_data():
        await TaskManager.sleep_ms(1)
        return [1, 2, 3]

    async def background_task():
        data = await fetch_data()
        label.set_text(f"Got {len(data)} items")

    TaskManager.create_task(background_task())
    await until(lambda: label.get_text() == "Got 3 items")


async def test_a_flag_that_is_checked_for_a_complex_update(server):
    class Flagged:
        download_complete = False

        async def download_task(self):
            self.download_complete = False
            data = await DownloadManager.download_url(server + "/fixed?size=20")
            self.data = data
            self.download_complete = True

    flagged = Flagged()
    TaskManager.create_task(flagged.download_task())
    await until(lambda: flagged.download_complete)
    assert len(flagged.data) == 20


async def test_activity_lifecycle(lvgl_loop):
    class Looping(Activity):
        def onCreate(self):
            self.checks = 0
            self.setContentView(lv.obj())
            self.running = True
            self.task = TaskManager.create_task(self.monitor_loop())

        async def monitor_loop(self):
            while self.running:
                await self.check_status()
                await TaskManager.sleep(0.005)

        async def check_status(self):
            self.checks += 1

        def onDestroy(self, screen):
            self.running = False

    activity = Looping()
    await run_activity(activity, lambda: activity.checks >= 2)
    await until(activity.task.done)


async def test_network_operations_file_and_stream(server):
    assert json.loads(await DownloadManager.download_url(server + "/echo"))["method"] == "GET"
    assert await DownloadManager.download_url(server + "/fixed?size=3000", outfile="/file.bin") is True
    received = []

    async def process_chunk(chunk):
        received.append(len(chunk))

    await DownloadManager.download_url(server + "/chunked?size=3000", chunk_callback=process_chunk)
    assert sum(received) == 3000


async def test_websocket_communication(websockets_url, lvgl_loop):
    import websocket

    class Listener(Activity):
        async def websocket_listener(self):
            ws = websocket.WebSocketApp(url, callbacks)
            await ws.run_forever()

        def onCreate(self):
            self.setContentView(lv.obj())
            TaskManager.create_task(self.websocket_listener())

    url = websockets_url["good"] + "/close?code=1000&count=2"
    messages = []
    callbacks = {"on_message": lambda ws, message: messages.append(message)}
    await run_activity(Listener(), lambda: messages == ["message 0", "message 1"])


async def test_bounded_concurrency(server):
    async def download_with_limit(urls, max_concurrent=5):
        results = []
        for i in range(0, len(urls), max_concurrent):
            batch = urls[i : i + max_concurrent]
            batch_results = []
            for url in batch:
                task = DownloadManager.download_url(url)
                try:
                    data = await TaskManager.wait_for(task, timeout=10)
                    batch_results.append(data)
                except Exception:
                    batch_results.append(None)
            results.extend(batch_results)
        return results

    urls = [server + "/fixed?size=%d" % size for size in range(1, 8)]
    assert [len(data) for data in await download_with_limit(urls, 3)] == list(range(1, 8))


async def test_sensor_polling(lvgl_loop):
    import mpos.sensor_manager as SensorManager

    class Poller(Activity):
        def onCreate(self):
            self.shown = []
            self.setContentView(lv.obj())
            self.active = True
            self.task = TaskManager.create_task(self.poll_sensors())

        async def poll_sensors(self):
            while self.active:
                accel = SensorManager.read_accelerometer()
                gyro = SensorManager.read_gyroscope()

                self.update_display(accel, gyro)
                await TaskManager.sleep(0.1)  # 100ms = 10 Hz

        def onDestroy(self, screen):
            self.active = False

        def update_display(self, accel, gyro):
            self.shown.append((accel, gyro))

    with Board() as board:
        board.chip.move(dps=(1.0, 2.0, 3.0))
        poller = Poller()
        await run_activity(poller, lambda: len(poller.shown) >= 2)
        await until(poller.task.done)
        for accel, gyro in poller.shown:
            assert near(accel, (0, 0, GRAVITY))
            assert near(gyro, (1, 2, 3))


async def test_a_task_that_never_completes_gets_a_timeout():
    task = TaskManager.create_task(TaskManager.notify_event().wait())
    try:
        await TaskManager.wait_for(task, timeout=0.01)
        raise AssertionError("no timeout")
    except asyncio.TimeoutError:
        assert task.done()


async def test_a_safe_task_catches_its_own_exception():
    caught = []

    async def risky_operation():
        raise ValueError("risky")

    async def safe_task():
        try:
            await risky_operation()
        except Exception as e:
            caught.append(f"Task failed: {e}")

    TaskManager.create_task(safe_task())
    await until(lambda: caught)
    assert caught == ["Task failed: risky"]
