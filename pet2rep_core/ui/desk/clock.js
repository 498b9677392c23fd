// Active time on an item: it runs while the page is seen and somebody has done something in the last minute.
const IDLE_MS = 60000;
const TICK_MS = 1000;
const SIGNS_OF_LIFE = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll"];

export class Clock {
  constructor(onTick) {
    this.onTick = onTick;
    this.ms = 0;
    this.counted = this.lively = Date.now();
    this.running = false;
    this.onLife = () => this.live();
    this.onSight = () => this.count();
    for (const name of SIGNS_OF_LIFE) document.addEventListener(name, this.onLife, { capture: true, passive: true });
    document.addEventListener("visibilitychange", this.onSight);
    this.ticking = setInterval(() => this.count(), TICK_MS);
  }

  close() {
    for (const name of SIGNS_OF_LIFE) document.removeEventListener(name, this.onLife, { capture: true });
    document.removeEventListener("visibilitychange", this.onSight);
    clearInterval(this.ticking);
  }

  // Begin with what was counted on this item before.
  begin(ms) {
    this.count();
    this.ms = ms;
    this.running = true;
    this.live();
  }

  stop() {
    this.count();
    this.running = false;
  }

  live() {
    this.count();
    this.lively = this.counted;
  }

  // Add what has passed since the last count, up to a minute after the last sign of life.
  count() {
    const now = Date.now();
    const hidden = this.hidden;
    this.hidden = document.visibilityState === "hidden";
    const until = Math.min(now, this.lively + IDLE_MS);
    if (this.running && !hidden && until > this.counted) this.ms += until - this.counted;
    this.counted = now;
    this.onTick(this.ms);
    return Math.round(this.ms);
  }
}

export function minutes(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
