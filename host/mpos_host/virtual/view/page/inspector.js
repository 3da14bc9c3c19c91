// Names the widget that is clicked on, and shows the tree of all.

const get = (id) => document.getElementById(id);

export class Inspector {
  constructor(send) {
    this.send = send;
    this.point = null; // where was clicked, until the tree has come
    this.chosen = null;
    get("widget-close").addEventListener("click", () => this.close());
  }

  pick(x, y) {
    this.point = [x, y];
    this.send({ do: "tree" });
  }

  close() {
    get("widget").hidden = true;
    this.chosen = null;
    this.mark();
  }

  show(roots) {
    const all = [];
    const add = (widget, parents, isHidden) => {
      const hidden = isHidden || widget.flags.includes("HIDDEN");
      all.push({ widget, parents, hidden });
      for (const child of widget.children) add(child, [...parents, widget], hidden);
    };
    for (const root of roots) add(root, [], false);
    // What is drawn last lies on top; the layers above the screen count only where they have something.
    const isAt = ({ widget, hidden }) =>
      !hidden &&
      this.point[0] >= widget.x && this.point[0] < widget.x + widget.width &&
      this.point[1] >= widget.y && this.point[1] < widget.y + widget.height;
    const found = this.point && all.filter((one) => isAt(one) && (one.parents.length || one.widget === roots[0]));
    this.tree = all;
    this.choose(found?.at(-1) ?? all[0]);
  }

  choose(one) {
    this.chosen = one.widget;
    get("widget").hidden = false;
    get("path").textContent = [...one.parents, one.widget].map(title).join(" › ");
    const { widget } = one;
    const facts = {
      type: `lv.${widget.type}`,
      text: widget.text || "–",
      place: `${widget.x}, ${widget.y}  ${widget.width} × ${widget.height}`,
      flags: widget.flags.join(", ") || "–",
      states: widget.states.join(", ") || "–",
    };
    get("facts").replaceChildren(
      ...Object.entries(facts).flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
    );
    get("tree").replaceChildren(
      ...this.tree.map((other) => {
        const row = element("button", title(other.widget));
        row.style.paddingLeft = `${6 + 14 * other.parents.length}px`;
        row.classList.toggle("chosen", other === one);
        row.classList.toggle("away", other.hidden);
        row.addEventListener("click", () => this.choose(other));
        return row;
      }),
    );
    get("tree").querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
    this.mark();
  }

  // Frame the chosen widget on the screen.
  mark() {
    const mark = get("mark");
    mark.hidden = this.chosen === null;
    if (mark.hidden) return;
    const size = get("screen").getBoundingClientRect().width / get("screen").width;
    for (const [side, value] of [["left", "x"], ["top", "y"], ["width", "width"], ["height", "height"]]) {
      mark.style[side] = `${this.chosen[value] * size}px`;
    }
  }
}

function title(widget) {
  return widget.text ? `${widget.type} "${widget.text.split("\n")[0]}"` : widget.type;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
