// The page of the live view. One WebSocket carries everything; server.py and viewer.py have its messages.
import { Screen } from "./screen.js";
import { Figures } from "./figures.js";
import { Inspector } from "./inspector.js";

const get = (id) => document.getElementById(id);
const RETRY_MS = 1000;
const LOG_CHARACTERS = 200000;

let socket = null;
let isUp = false;

function send(request) {
  if (socket !== null && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
}

const inspector = new Inspector(send);
const screen = new Screen(get("screen"), send, (x, y) => inspector.pick(x, y));
const figures = new Figures();

function connect() {
  const address = new URL("socket", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onmessage = (event) => {
    if (typeof event.data === "string") receive(JSON.parse(event.data));
    else screen.draw(event.data);
  };
  socket.onclose = () => {
    isUp = false;
    showState("not connected", "bad", "The board is gone: `mpos run` has ended.");
    setTimeout(connect, RETRY_MS);
  };
}

const receivers = {
  hello(news) {
    isUp = true;
    document.title = get("title").textContent = news.title;
    get("port").textContent = news.port;
    screen.resize(news.width, news.height);
    get("log").replaceChildren();
  },
  state(news) {
    if ("paused" in news) get("pause").setAttribute("aria-pressed", String(news.paused));
    if ("down" in news) screen.down = news.down;
    const isPaused = get("pause").getAttribute("aria-pressed") === "true";
    if (screen.down) showState("down", "bad", screen.down);
    else if (isPaused) showState("paused", "warn", "");
    else showState("running", "good", "");
  },
  frames(news) {
    figures.addFrames(news.frames);
  },
  sample(news) {
    figures.addSample(news);
  },
  silence(news) {
    figures.silent(news.why);
  },
  log(news) {
    print(news.text);
  },
  answer(news) {
    if (news.to === "line") print(news.value);
    else if (news.to === "tree") inspector.show(news.value);
  },
  error(news) {
    print(`${news.text}\n`, "failed");
  },
};

function receive(news) {
  receivers[news.kind](news);
}

function showState(name, kind, why) {
  const status = get("status");
  status.textContent = name;
  status.className = `pill ${kind}`;
  get("veil").hidden = !why;
  get("veil").textContent = why;
}

function print(text, kind) {
  const log = get("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  const part = document.createElement("span");
  part.textContent = text;
  if (kind) part.className = kind;
  log.append(part);
  while (log.textContent.length > LOG_CHARACTERS) log.firstChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

// The console's line, with what was typed before under the arrow keys.

const typed = [];
let place = 0;

get("repl").addEventListener("submit", (event) => {
  event.preventDefault();
  const line = get("line").value;
  if (!line.trim()) return;
  typed.push(line);
  place = typed.length;
  get("line").value = "";
  print(`>>> ${line}\n`, "typed");
  get("log").scrollTop = get("log").scrollHeight;
  send({ do: "line", line });
});

get("line").addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  place = Math.min(typed.length, Math.max(0, place + step));
  get("line").value = typed[place] ?? "";
});

// Buttons

get("restart").addEventListener("click", () => {
  showState("starting", "warn", "");
  send({ do: "restart" });
});
get("reset").addEventListener("click", () => {
  showState("starting", "warn", "");
  send({ do: "reset" });
});
get("pause").addEventListener("click", (event) => {
  send({ do: "pause", on: event.currentTarget.getAttribute("aria-pressed") !== "true" });
});
get("inspect").addEventListener("click", (event) => {
  const on = event.currentTarget.getAttribute("aria-pressed") !== "true";
  event.currentTarget.setAttribute("aria-pressed", String(on));
  screen.inspect(on);
});
for (const button of document.querySelectorAll("[data-scale]")) {
  button.addEventListener("click", () => scale(Number(button.dataset.scale)));
}

function scale(times) {
  screen.scale(times);
  inspector.mark();
  for (const button of document.querySelectorAll("[data-scale]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.scale) === times));
  }
}

scale(window.innerWidth >= 1080 ? 2 : 1);
connect();
