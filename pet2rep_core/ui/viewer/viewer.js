// Coronal pictures of one case: a plane is one PNG with all panes side by side, fetched once through the
// checked route and kept here. Scrolling never asks Streamlit.
const KEPT = 160;
const AHEAD = 4;
const STEPS = {
  ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -5, PageDown: 5, Home: -Infinity, End: Infinity,
};
const INSTANCES = new WeakMap();

class Viewer {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.pictures = new Map();
    this.wheel = 0;
    const frame = this.find(".viewer");
    frame.onkeydown = (event) => this.onKey(event);
    this.find(".panes").addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.find(".slider").oninput = (event) => this.show(Number(event.target.value));
  }

  update(data) {
    const sameCase = this.data?.case === data.case;
    const samePictures = sameCase && this.data.query === data.query;
    this.data = data;
    if (!samePictures) this.pictures.clear();
    this.layout();
    const slider = this.find(".slider");
    slider.max = data.planes - 1;
    slider.setAttribute("aria-label", data.texts.plane);
    this.find(".viewer").setAttribute("aria-label", data.texts.viewer);
    this.show(sameCase && this.plane !== undefined ? this.plane : data.start);
  }

  layout() {
    const { panes, letters, texts } = this.data;
    this.find(".panes").replaceChildren(...panes.map((pane) => {
      const figure = document.createElement("figure");
      figure.className = pane.light ? "pane light" : "pane";
      figure.dataset.kind = pane.kind;
      const canvas = document.createElement("canvas");
      canvas.setAttribute("role", "img");
      const caption = document.createElement("figcaption");
      caption.textContent = pane.caption;
      figure.append(canvas, caption);
      for (const [side, letter] of Object.entries(letters)) {
        const mark = document.createElement("span");
        mark.className = `letter ${side}`;
        mark.textContent = letter;
        figure.append(mark);
      }
      if (pane.bar) {
        const bar = document.createElement("span");
        bar.className = "bar";
        const ramp = document.createElement("i");
        ramp.style.background = `linear-gradient(to right, ${pane.bar.colours.join(", ")})`;
        bar.append(pane.bar.low, ramp, pane.bar.high);
        figure.append(bar);
      }
      return figure;
    }));
    this.find(".marks").setAttribute("aria-label", texts.key_slices);
    this.find(".marks").replaceChildren(texts.key_slices, ...this.data.marks.map((plane) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = String(plane);
      button.onclick = () => this.show(plane);
      return button;
    }));
  }

  onKey(event) {
    if (event.key === "Tab") return;
    event.stopPropagation(); // Streamlit listens for R and C on the document
    const step = STEPS[event.key];
    if (step === undefined || event.target.tagName === "BUTTON") return;
    event.preventDefault();
    this.show(this.plane + step);
  }

  onWheel(event) {
    if (event.ctrlKey) return;
    event.preventDefault();
    this.wheel += event.deltaY;
    const steps = Math.trunc(this.wheel / 40);
    if (steps) {
      this.wheel -= steps * 40;
      this.show(this.plane + steps);
    }
  }

  show(plane) {
    const { planes, first_mm: first, step_mm: step, texts, marks } = this.data;
    this.plane = Math.max(0, Math.min(planes - 1, plane));
    this.find(".slider").value = this.plane;
    const place = (first + step * this.plane).toFixed(1);
    this.find(".position").textContent = `${texts.plane} ${this.plane} / ${planes - 1} · y ${place} mm`;
    this.find(".marks").querySelectorAll("button").forEach((button, n) => {
      button.setAttribute("aria-pressed", String(marks[n] === this.plane));
    });
    this.draw(this.plane);
    for (let n = 1; n <= AHEAD; n += 1) {
      for (const near of [this.plane + n, this.plane - n]) if (near >= 0 && near < planes) this.picture(near).catch(() => {});
    }
  }

  picture(plane) {
    const known = this.pictures.get(plane);
    if (known) {
      this.pictures.delete(plane);
      this.pictures.set(plane, known);
      return known;
    }
    const { address, query, texts } = this.data;
    const coming = fetch(`${address}/${plane}.png?${query}`, { credentials: "same-origin" }).then(async (answer) => {
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || texts.failed);
      return createImageBitmap(await answer.blob());
    });
    coming.catch(() => this.pictures.get(plane) === coming && this.pictures.delete(plane));
    this.pictures.set(plane, coming);
    if (this.pictures.size > KEPT) this.pictures.delete(this.pictures.keys().next().value);
    return coming;
  }

  draw(plane) {
    const data = this.data;
    this.picture(plane).then((bitmap) => {
      if (this.plane !== plane || this.data !== data) return;
      this.find(".message").textContent = "";
      const canvases = this.root.querySelectorAll(".pane canvas");
      const width = bitmap.width / canvases.length;
      canvases.forEach((canvas, n) => {
        if (canvas.width !== width || canvas.height !== bitmap.height) {
          canvas.width = width;
          canvas.height = bitmap.height;
          this.placeScale(canvas);
        }
        canvas.getContext("2d").drawImage(bitmap, n * width, 0, width, bitmap.height, 0, 0, width, bitmap.height);
        canvas.setAttribute("aria-label", `${data.panes[n].caption}, ${data.texts.plane} ${plane}`);
      });
      this.find(".viewer").dataset.shown = `${data.case}:${plane}`;
    }, (error) => {
      if (this.plane === plane && this.data === data) this.find(".message").textContent = error.message || data.texts.failed;
    });
  }

  placeScale(canvas) {
    canvas.parentElement.querySelector(".scale")?.remove();
    const shown = Math.min(canvas.clientWidth / canvas.width, canvas.clientHeight / canvas.height);
    const scale = document.createElement("span");
    scale.className = "scale";
    const line = document.createElement("i");
    line.style.width = `${(100 / this.data.pixel_mm) * shown}px`;
    scale.append("10 cm", line);
    canvas.parentElement.append(scale);
  }
}

export default function (component) {
  const { parentElement, data } = component;
  let viewer = INSTANCES.get(parentElement);
  if (!viewer) {
    viewer = new Viewer(parentElement);
    INSTANCES.set(parentElement, viewer);
  }
  viewer.update(data);
  return () => INSTANCES.delete(parentElement);
}
