// The volumes of a case: fetched once as a stream, decoded plane by plane, kept while the tab lives.
// Format "p2r volume 1": see pet2rep_core/imaging/packed.py.
const KEPT_BYTES = 6e8; // some five whole-body cases
const TRIES = 3;
const KEPT = new Map(); // "case/name" -> { volume, done, abort }

export class Volume {
  constructor(header) {
    const [nI, nJ, nK] = header.shape;
    Object.assign(this, { header, shape: header.shape, scale: header.scale, shift: header.shift });
    this.isPet = header.nan !== null;
    this.codes = this.isPet ? new Uint16Array(nI * nJ * nK).fill(header.nan) : new Int16Array(nI * nJ * nK).fill(-1024);
    this.strides = [1, nI * nK, nI]; // of I, J, K: a coronal plane lies in one piece
    this.ready = 0; // coronal planes that have arrived
    this.received = 0;
  }

  get whole() {
    return this.ready === this.shape[1];
  }

  // Coordinate along an axis of this volume of a coordinate of the case's grid.
  at(grid, axis) {
    return grid * this.scale[axis] + this.shift[axis];
  }

  valueOf(code) {
    if (!this.isPet) return code;
    return code === this.header.nan ? NaN : this.header.low + code * this.header.step;
  }

  // Value of the voxel that holds a place of the grid; NaN outside and where its plane has not come yet.
  nearest(place) {
    let index = 0;
    if (Math.floor(this.at(place[1], 1) + 0.5) >= this.ready) return NaN;
    for (let axis = 0; axis < 3; axis += 1) {
      const n = Math.floor(this.at(place[axis], axis) + 0.5);
      if (n < 0 || n >= this.shape[axis]) return NaN;
      index += n * this.strides[axis];
    }
    return this.valueOf(this.codes[index]);
  }

  take(bytes, firstPlane) {
    const size = bytes.length / 2;
    const codes = new Uint16Array(this.codes.buffer, firstPlane * this.strides[1] * 2, size);
    for (let n = 0; n < size; n += 1) codes[n] = bytes[n] | (bytes[n + size] << 8);
    this.ready = firstPlane + size / this.strides[1];
  }
}

// Return the volume's entry at once; its promise "done" follows, and "onPlanes" is called as planes arrive.
export function openVolume(source, name, onPlanes) {
  const key = `${source.key}/${name}`;
  let entry = KEPT.get(key);
  if (!entry) {
    const abort = new AbortController();
    entry = { key, volume: null, abort, listeners: new Set() };
    entry.done = load(source, name, entry);
    entry.done.catch(() => KEPT.get(key) === entry && KEPT.delete(key));
  }
  KEPT.delete(key);
  KEPT.set(key, entry);
  if (onPlanes) entry.listeners.add(onPlanes);
  return entry;
}

export function isWhole(source, name) {
  return Boolean(KEPT.get(`${source.key}/${name}`)?.volume?.whole);
}

// Stop what is still coming for other cases, and let go of the oldest ones when they take too much memory; without
// any key let go of all.
export function keepOnly(keys) {
  let bytes = 0;
  for (const entry of [...KEPT.values()].reverse()) {
    const wanted = keys.includes(entry.key.slice(0, entry.key.lastIndexOf("/")));
    bytes += entry.volume ? entry.volume.codes.byteLength : 0;
    if (wanted || (keys.length && entry.volume?.whole && bytes < KEPT_BYTES)) continue;
    entry.abort.abort();
    entry.listeners.clear();
    KEPT.delete(entry.key);
  }
}

// The server's answer was no. What it said is one sentence; an answer without leave becomes one in our language.
export class Refused extends Error {
  static of(status, said) {
    const refused = new Refused([said.error, said.hint].filter(Boolean).join(" "));
    // Only leave that has run out comes without a hint.
    return Object.assign(refused, { status, expired: status === 403 && said.hint === undefined });
  }
}

async function load(source, name, entry) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await receive(source, name, entry);
    } catch (error) {
      const passing = !entry.abort.signal.aborted && (error.status === undefined || error.status >= 500);
      if (!passing || attempt === TRIES) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 400 * attempt); });
    }
  }
}

async function receive(source, name, entry) {
  const answer = await fetch(`${source.api}/volume/${name}`, {
    headers: { "X-Case-Token": source.token, "Accept-Language": source.language }, credentials: "same-origin", signal: entry.abort.signal,
  });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw Refused.of(answer.status, said);
  }
  const reader = answer.body.getReader();
  const pieces = new Pieces(reader);
  const length = new DataView((await pieces.take(4)).buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(await pieces.take(length)));
  const volume = new Volume(header);
  entry.volume = volume;
  const planes = header.shape[1];
  const planeBytes = volume.strides[1] * 2;
  for (let first = 0; first < planes; first += header.block_planes) {
    const count = Math.min(header.block_planes, planes - first);
    volume.take(await pieces.take(count * planeBytes), first);
    for (const listener of entry.listeners) listener(volume);
  }
  await pieces.end();
  return volume;
}

// Hands out a byte stream in pieces of the sizes that are asked for.
class Pieces {
  constructor(reader) {
    this.reader = reader;
    this.chunk = new Uint8Array(0);
    this.used = 0;
  }

  // Read on to the end: until then the browser keeps the connection for this answer.
  async end() {
    while (!(await this.reader.read()).done);
  }

  async take(size) {
    const piece = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      if (this.used === this.chunk.length) {
        const { value, done } = await this.reader.read();
        if (done) throw new Error("");
        this.chunk = value;
        this.used = 0;
      }
      const part = this.chunk.subarray(this.used, this.used + size - filled);
      piece.set(part, filled);
      filled += part.length;
      this.used += part.length;
    }
    return piece;
  }
}
