"""Download demo: a file comes down while its progress is shown, and can be cancelled and tried again."""

import hashlib
import os

import lvgl as lv

from mpos import Activity, CancelledError, DownloadManager, TaskManager, UiBridge

DEFAULT_URL = "http://127.0.0.1:8000/demo.bin"
OUTFILE = "/demo_download.bin"


class DemoDownload(Activity):
    """Extras: `url`, the address to download, which then starts at once; `outfile`, where to put it."""

    def onCreate(self):
        self.url = self.extras.get("url", DEFAULT_URL)
        self.outfile = self.extras.get("outfile", OUTFILE)
        self.task = None
        self.percent = self.speed = 0

        screen = lv.obj()
        screen.set_flex_flow(lv.FLEX_FLOW.COLUMN)
        screen.set_flex_align(lv.FLEX_ALIGN.SPACE_EVENLY, lv.FLEX_ALIGN.CENTER, lv.FLEX_ALIGN.CENTER)
        screen.set_style_pad_all(10, 0)
        screen.remove_flag(lv.obj.FLAG.SCROLLABLE)

        title = lv.label(screen)
        title.set_text("Download demo")
        title.set_style_text_font(lv.font_montserrat_16, 0)
        # Not scrolling: an animation would keep the board awake for as long as the app is shown.
        self._line(screen, self.url, lv.label.LONG_MODE.DOTS).set_height(20)
        self.bar = lv.bar(screen)
        self.bar.set_size(lv.pct(95), 16)
        self.bar.set_range(0, 100)
        self.status = self._line(screen, "Ready", lv.label.LONG_MODE.WRAP)
        self.digest = self._line(screen, "", lv.label.LONG_MODE.WRAP)
        self.digest.set_style_text_color(lv.palette_main(lv.PALETTE.GREY), 0)

        button = lv.button(screen)
        button.set_size(140, 40)
        self.caption = lv.label(button)
        self.caption.set_text("Start")
        self.caption.center()
        UiBridge.on(button, lv.EVENT.CLICKED, self.on_button)
        self.setContentView(screen)

    def onStart(self, screen):
        if "url" in self.extras:
            self.start()

    def onDestroy(self, screen):
        self.cancel()

    def on_button(self, event):
        if self.task is None or self.task.done():  # done: a quick finger cancelled it before its first step
            self.start()
        else:
            self.cancel()

    def start(self):
        self.task = TaskManager.create_task(self.download(), "download")

    def cancel(self):
        if self.task is not None:
            self.task.cancel()

    async def download(self):
        """The whole story of one download, top to bottom."""
        self.speed = 0
        self.caption.set_text("Cancel")
        self.digest.set_text("")
        self.show_progress(0)

        caption = "Retry"
        try:
            await DownloadManager.download_url(
                self.url,
                outfile=self.outfile,
                progress_callback=self.show_progress,
                speed_callback=self.note_speed,
            )
            received = os.stat(self.outfile)[6]
            self.status.set_text("Complete: %s, %s" % (size(received), rate(self.speed)))
            digest = await sha256_of(self.outfile)
            self.digest.set_text("SHA-256 " + digest)
            print("Complete: %d bytes, SHA-256 %s" % (received, digest))
            caption = "Again"
        except CancelledError:
            if self.screen is not None:
                self.status.set_text("Cancelled at %d %%" % self.percent)
            raise
        except Exception as error:
            why = reason(error)
            self.status.set_text("Failed: " + why)
            print("Failed: " + why)
        finally:
            self.task = None
            if self.screen is not None:
                self.caption.set_text(caption)

    def show_progress(self, percent):
        self.percent = percent
        self.bar.set_value(percent, False)
        self.show_figures()

    def note_speed(self, bytes_per_second):
        # Once a second: a percent of a large file takes longer, and a size that is not known has none.
        self.speed = bytes_per_second
        self.show_figures()

    def show_figures(self):
        percent = "%d %%   " % self.percent if self.percent or not self.speed else ""
        self.status.set_text(percent + rate(self.speed))

    def _line(self, parent, text, long_mode):
        label = lv.label(parent)
        label.set_width(lv.pct(95))
        label.set_long_mode(long_mode)
        label.set_style_text_align(lv.TEXT_ALIGN.CENTER, 0)
        label.set_text(text)
        return label


async def sha256_of(path):
    """The SHA-256 of a file in hexadecimal, read in pieces, between which others have their turn."""
    digest = hashlib.sha256()
    buffer = bytearray(4096)
    view = memoryview(buffer)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                return digest.digest().hex()
            digest.update(view[:count])
            await TaskManager.sleep_ms(0)


def reason(error):
    """What an exception says, without the number in front of an OSError's words."""
    words = error.args[-1] if error.args else ""
    return words if isinstance(words, str) and words else str(error) or type(error).__name__


def size(number):
    """A number of bytes as people read it."""
    if number < 1024:
        return "%d B" % number
    if number < 1024 * 1024:
        return "%d KB" % (number // 1024)
    return "%.1f MB" % (number / (1024 * 1024))


def rate(bytes_per_second):
    """A speed as people read it, nothing when it is not known yet."""
    return size(bytes_per_second) + "/s" if bytes_per_second else ""
