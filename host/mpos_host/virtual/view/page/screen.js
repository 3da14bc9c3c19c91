// The board's screen: its pixels on a canvas, and the finger on it.

// RGB565 as the canvas wants it: 0xAABBGGRR, little-endian. The high bits are repeated, so that white is white.
const COLORS = new Uint32Array(65536);
for (let value = 0; value < 65536; value++) {
  const red = value >> 11, green = (value >> 5) & 63, blue = value & 31;
  COLORS[value] =
    0xff000000 | (((blue << 3) | (blue >> 2)) << 16) | (((green << 2) | (green >> 4)) << 8) | (red << 3) | (red >> 2);
}

const MAIN_BUTTON = 0, RIGHT_BUTTON = 2;

// The browser's names of keys that are not characters, and LVGL's.
const KEYS = {
  ArrowUp: "UP", ArrowDown: "DOWN", ArrowRight: "RIGHT", ArrowLeft: "LEFT", Escape: "ESC", Delete: "DEL",
  Backspace: "BACKSPACE", Enter: "ENTER", Home: "HOME", End: "END", PageDown: "NEXT", PageUp: "PREV",
};

export class Screen {
  down = null; // why the board does not run

  constructor(canvas, send, pick) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.send = send;
    this.pick = pick;
    this.finger = null; // the id of the pointer that touches
    this.inspecting = false;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", (event) => this.release(event));
    canvas.addEventListener("keydown", (event) => this.type(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  resize(width, height) {
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.scale(this.times ?? 1);
  }

  // Device pixels are whole multiples of the board's, so that it is sharp on any display.
  scale(times) {
    this.times = times;
    const ratio = window.devicePixelRatio || 1;
    const size = Math.max(1, Math.round(times * ratio)) / ratio;
    this.canvas.style.width = `${this.canvas.width * size}px`;
    this.canvas.style.height = `${this.canvas.height * size}px`;
  }

  // Message: u16 count, x, y, width, height of each area as u16, then their pixels.
  draw(message) {
    const words = new Uint16Array(message);
    let at = 1 + 4 * words[0];
    for (let area = 0; area < words[0]; area++) {
      const [x, y, width, height] = words.subarray(1 + 4 * area, 5 + 4 * area);
      const image = this.context.createImageData(width, height);
      const colors = new Uint32Array(image.data.buffer);
      for (let index = 0; index < colors.length; index++) colors[index] = COLORS[words[at + index]];
      at += colors.length;
      this.context.putImageData(image, x, y);
    }
    // The server waits for this: a page in the background gets no more than it can show.
    requestAnimationFrame(() => this.send({ do: "shown" }));
  }

  inspect(on) {
    this.inspecting = on;
    this.canvas.classList.toggle("inspecting", on);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (value, size) => Math.min(size - 1, Math.max(0, Math.floor(value)));
    return [
      within(((event.clientX - box.left) * this.canvas.width) / box.width, this.canvas.width),
      within(((event.clientY - box.top) * this.canvas.height) / box.height, this.canvas.height),
    ];
  }

  press(event) {
    const [x, y] = this.point(event);
    if (event.button === RIGHT_BUTTON || (this.inspecting && event.button === MAIN_BUTTON)) {
      this.pick(x, y);
    } else if (event.button === MAIN_BUTTON && this.finger === null) {
      this.canvas.focus();
      this.finger = event.pointerId;
      this.canvas.setPointerCapture(event.pointerId);
      this.send({ do: "touch", x, y, pressed: true });
    }
  }

  move(event) {
    if (event.pointerId !== this.finger) return;
    const [x, y] = this.point(event);
    this.send({ do: "touch", x, y, pressed: true });
  }

  // Tab is the browser's, so that the page can be used without a mouse: Next and Prev are on Page Down and Up.
  type(event) {
    const key = KEYS[event.key] ?? ([...event.key].length === 1 ? event.key : null);
    if (key === null || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.send({ do: "key", key });
  }

  release(event) {
    if (event.pointerId !== this.finger) return;
    this.finger = null;
    const [x, y] = this.point(event);
    this.send({ do: "touch", x, y, pressed: false });
  }
}
