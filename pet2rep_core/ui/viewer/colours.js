// Values become colours: the same rules as pet2rep_core/imaging/render.py.
export const LEVELS = 4096;
const FADE_IN = 1024; // PET below a quarter of the window fades in, so that background does not veil the CT

// Table of LEVELS packed colours from points [position, red, green, blue].
export function makeTable(points) {
  const table = new Uint8Array(LEVELS * 3);
  let n = 0;
  for (let level = 0; level < LEVELS; level += 1) {
    const at = level / (LEVELS - 1);
    while (n < points.length - 2 && at > points[n + 1][0]) n += 1;
    const [p, q] = [points[n], points[n + 1]];
    for (let c = 1; c <= 3; c += 1) {
      const value = at >= q[0] ? q[c] : ((q[c] - p[c]) / (q[0] - p[0])) * (at - p[0]) + p[c];
      table[level * 3 + c - 1] = Math.floor(value + 0.5);
    }
  }
  return table;
}

export function packed(table) {
  const out = new Uint32Array(LEVELS);
  for (let n = 0; n < LEVELS; n += 1) out[n] = pack(table[3 * n], table[3 * n + 1], table[3 * n + 2]);
  return out;
}

function pack(red, green, blue) {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

const GREYS = Uint32Array.from({ length: 256 }, (_, n) => pack(n, n, n));

// floor(clip((v - low) * top / (high - low)) + 0.5); NaN is 0, as a comparison with it is false
function scaled(value, low, width, top) {
  const at = ((value - low) * top) / width;
  return at >= top ? top : at > 0 ? (at + 0.5) | 0 : 0;
}

export function paintCt(out, ct, window) {
  const width = window.high - window.low;
  for (let n = 0; n < out.length; n += 1) out[n] = GREYS[scaled(ct[n], window.low, width, 255)];
}

export function paintPet(out, pet, window, colours) {
  const width = window.high - window.low;
  for (let n = 0; n < out.length; n += 1) out[n] = colours[scaled(pet[n], window.low, width, LEVELS - 1)];
}

export class Blend {
  constructor(table, opacity) {
    this.rest = new Float32Array(LEVELS);
    this.share = new Float32Array(LEVELS * 3);
    for (let n = 0; n < LEVELS; n += 1) {
      const alpha = opacity * Math.min(n / FADE_IN, 1);
      this.rest[n] = 1 - alpha;
      for (let c = 0; c < 3; c += 1) this.share[3 * n + c] = table[3 * n + c] * alpha + 0.5;
    }
  }

  paint(out, pet, petWindow, ct, ctWindow) {
    const { rest, share } = this;
    const petWidth = petWindow.high - petWindow.low;
    const ctWidth = ctWindow.high - ctWindow.low;
    for (let n = 0; n < out.length; n += 1) {
      const level = scaled(pet[n], petWindow.low, petWidth, LEVELS - 1);
      const grey = scaled(ct[n], ctWindow.low, ctWidth, 255) * rest[level];
      const at = 3 * level;
      out[n] = (0xff000000 | ((grey + share[at + 2]) << 16) | (((grey + share[at + 1]) & 255) << 8) | (grey + share[at])) >>> 0;
    }
  }
}
