// What the loop and its tasks use: tiles, plots, the table of tasks, errors.

const get = (id) => document.getElementById(id);
const SECONDS = 60; // that the plots show
const FRAME_MS = 33; // the period of LVGL's refresh: a frame that took longer makes the next one late
const SLOW_STEP_MS = 50; // TaskManager.enable_statistics
// Upper ends of the classes of LvglLoop's lateness histogram, in ms; the last is open.
const LATENESS = [0, 1, 2, 5, 10, 20, 50, 100];

const now = () => Date.now() / 1000;
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export class Figures {
  constructor() {
    this.frames = [[], [], []]; // time, ms in time, ms late
    this.loop = [[], [], []]; // time, turns a second, lateness
    this.heap = [[], [], []]; // time, KB, KB after a collection
    this.before = null;
    const dots = (name) => ({ stroke: color(name), paths: () => null, points: { show: true, size: 5, fill: color(name) } });
    this.plots = [
      plot("frame-plot", this.frames, [dots("accent"), dots("bad")]),
      plot("loop-plot", this.loop, [
        { stroke: color("accent"), width: 2, points: { show: false } },
        { stroke: color("warn"), fill: `${color("warn")}33`, scale: "late", paths: uPlot.paths.stepped({ align: -1 }), points: { show: false } },
      ], true),
      plot("heap-plot", this.heap, [{ stroke: color("accent"), fill: `${color("accent")}22`, width: 2, points: { show: false } }, dots("warn")]),
    ];
    this.isDrawing = false;
    setInterval(() => this.draw(), 1000); // the plots move on without news too
  }

  addFrames(frames) {
    for (const [, ms] of frames) push(this.frames, now(), ms <= FRAME_MS ? ms : null, ms > FRAME_MS ? ms : null);
    this.draw();
  }

  addSample({ stats, tasks, errors }) {
    get("silence").hidden = true;
    const at = now();
    const before = this.before;
    const lvgl = stats.lvgl;
    const used = stats.heap_used / 1024;
    const isSame = before && lvgl && before.stats.lvgl && lvgl.turns >= before.stats.lvgl.turns; // no reset between
    if (isSame) {
      const seconds = at - before.at;
      const turns = (lvgl.turns - before.stats.lvgl.turns) / seconds;
      const late = LATENESS.filter((_, index) => lvgl.lateness[index] > before.stats.lvgl.lateness[index]).at(-1) ?? 0;
      push(this.loop, at, turns, late);
      get("turns").textContent = turns.toFixed(turns < 10 ? 1 : 0);
      get("fps").textContent = ((lvgl.frames - before.stats.lvgl.frames) / seconds).toFixed(0);
      get("late").textContent = late === 100 ? ">50" : `≤${late}`;
    }
    const isCollected = isSame && used < before.stats.heap_used / 1024;
    push(this.heap, at, used, isCollected ? used : null);
    get("heap").title = `of ${Math.round((stats.heap_used + stats.heap_free) / 1024)} KB`;
    get("heap").textContent = Math.round(used);
    for (const [name, count] of [["slow", stats.slow_steps], ["errors", stats.errors]]) {
      get(name).textContent = count;
      get(`${name}-tile`).classList.toggle("bad", count > 0);
    }
    this.showTasks(tasks, isSame ? before : null, at);
    if (errors) showErrors(errors);
    else if (!stats.errors) showErrors([]);
    this.before = { at, stats, tasks };
    this.draw();
  }

  silent(why) {
    get("silence").textContent = `No figures: ${why}.`;
    get("silence").hidden = false;
  }

  showTasks(tasks, before, at) {
    const busyBefore = new Map((before?.tasks ?? []).map(([name, , , , busy], index) => [`${index} ${name}`, busy]));
    get("tasks").replaceChildren(
      ...tasks.map(([name, state, age, steps, busy, longest], index) => {
        const known = busyBefore.get(`${index} ${name}`);
        const share = known === undefined ? busy / Math.max(age, 1) : (busy - known) / ((at - before.at) * 1000);
        const row = document.createElement("tr");
        const cells = [name, state, `${(age / 1000).toFixed(0)} s`, steps, `${(100 * share).toFixed(1)} %`, `${longest} ms`];
        row.append(...cells.map((text) => cell(text)));
        row.children[1].className = `state-${state}`;
        row.children[5].classList.toggle("bad", longest > SLOW_STEP_MS);
        return row;
      }),
    );
  }

  draw() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      for (const one of this.plots) one.setData(one.data_);
    });
  }
}

function push(data, ...values) {
  values.forEach((value, index) => data[index].push(value));
  while (data[0][0] < now() - 2 * SECONDS) for (const series of data) series.shift();
}

function plot(id, data, series, hasSecondAxis) {
  const place = get(id);
  const axis = { stroke: color("quiet"), grid: { stroke: color("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui", size: 40 };
  const options = {
    width: place.clientWidth || 320,
    height: 130,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, hasSecondAxis ? 0 : 8, 0, 0],
    scales: {
      x: { time: false, range: () => [now() - SECONDS, now()] },
      y: { range: (_, __, most) => [0, Math.max(1, (most ?? 1) * 1.1)] },
      late: { range: (_, __, most) => [0, Math.max(10, (most ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 22,
        splits: (self) => [45, 30, 15].map((seconds) => self.scales.x.max - seconds),
        values: () => ["−45 s", "−30 s", "−15 s"],
      },
      axis,
      ...(hasSecondAxis ? [{ ...axis, scale: "late", side: 1, grid: { show: false } }] : []),
    ],
    series: [{}, ...series],
  };
  const made = new uPlot(options, data, place);
  made.data_ = data;
  new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: options.height })).observe(place);
  return made;
}

function cell(text) {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}

function showErrors(errors) {
  get("error-card").hidden = !errors.length;
  get("error-list").replaceChildren(
    ...errors.toReversed().flatMap(([name, traceback]) => {
      const title = document.createElement("b");
      title.textContent = name;
      const text = document.createElement("pre");
      text.textContent = traceback;
      return [title, text];
    }),
  );
}
