// The rotating maximum-intensity projection of the PET, made once per case by a worker.
// At angle 0 it is seen from the front, at 90 degrees from the patient's left; it turns about the long axis.
export const FRAMES = 36;

// Runs in the worker; it is made from this function's text, so it must not use anything from outside. The first
// message brings the volume and is answered with the first frame; the second asks for the others.
function work() {
  let given = null;
  self.onmessage = ({ data }) => {
    const { codes, shape, spacing, nan, frames } = given ?? data;
    const order = [];
    if (given) for (let n = 1; n < frames; n += 1) order.push(n);
    else order.push(0);
    const TIE = 1e-6; // between two columns all voxels go the same way, whatever the last bit says
    const [nI, nJ, nK] = shape;
    const pixel = Math.max(spacing[0], spacing[1]);
    const reach = Math.hypot(nI * spacing[0], nJ * spacing[1]);
    let width = Math.ceil(reach / pixel) + 1;
    if ((width - nI) % 2) width += 1; // seen from the front, every voxel has a column of its own
    for (const frame of order) {
      const angle = (frame * 2 * Math.PI) / frames;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const column = new Int32Array(nI * nJ);
      for (let j = 0; j < nJ; j += 1) {
        for (let i = 0; i < nI; i += 1) {
          const u = (i - (nI - 1) / 2) * spacing[0] * cos + (j - (nJ - 1) / 2) * spacing[1] * sin;
          column[j * nI + i] = Math.floor(u / pixel + (width - 1) / 2 + 0.5 + TIE);
        }
      }
      const best = new Uint16Array(width * nK);
      const place = new Int32Array(width * nK).fill(-1);
      for (let j = 0; j < nJ; j += 1) {
        for (let k = 0; k < nK; k += 1) {
          const from = (j * nK + k) * nI;
          const row = k * width;
          for (let i = 0; i < nI; i += 1) {
            const code = codes[from + i];
            const to = row + column[j * nI + i];
            if (code !== nan && (code > best[to] || place[to] < 0)) {
              best[to] = code;
              place[to] = j * nI + i;
            }
          }
        }
      }
      self.postMessage({ frame, width, best, place }, [best.buffer, place.buffer]);
    }
    if (given) self.close();
    given = data;
  };
}

const KEPT = new Map(); // PET volume -> Mip
const KEPT_MIPS = 3;

export class Mip {
  static of(volume, spacing, onFrame) {
    let mip = KEPT.get(volume);
    if (!mip) {
      mip = new Mip(volume, spacing);
      KEPT.set(volume, mip);
      if (KEPT.size > KEPT_MIPS) {
        const [[oldest, dropped]] = KEPT;
        KEPT.delete(oldest);
        dropped.worker?.terminate();
      }
    }
    mip.onFrame = onFrame;
    return mip;
  }

  constructor(volume, spacing) {
    this.volume = volume;
    this.spacing = spacing;
    this.pixelMm = Math.max(spacing[0], spacing[1]);
    this.frames = [];
    try {
      this.start();
    } catch {
      this.refused = true; // said in the pane
    }
  }

  start() {
    const { volume, spacing } = this;
    const address = URL.createObjectURL(new Blob([`(${work})()`], { type: "text/javascript" }));
    this.worker = new Worker(address);
    URL.revokeObjectURL(address);
    this.worker.onmessage = ({ data }) => {
      this.frames[data.frame] = data;
      this.onFrame?.(data.frame);
    };
    this.worker.onerror = () => {
      this.refused = true;
      this.onFrame?.(null);
    };
    const codes = volume.codes.slice();
    this.worker.postMessage(
      { codes, shape: volume.shape, spacing, nan: volume.header.nan, frames: FRAMES }, [codes.buffer],
    );
  }

  // Make the other frames too, once nothing more urgent is on its way.
  goOn() {
    if (!this.goesOn && !this.refused) this.worker.postMessage({});
    this.goesOn = true;
  }

  get count() {
    return this.frames.filter(Boolean).length;
  }

  // The frame as a slice for planes.resample; u in pixels of pixelMm from the middle, down in grid K.
  slice(frame) {
    const made = this.frames[frame];
    if (!made) return null;
    if (!made.values) {
      const { best, place, width } = made;
      made.values = new Float32Array(best.length);
      for (let n = 0; n < best.length; n += 1) made.values[n] = place[n] < 0 ? NaN : this.volume.valueOf(best[n]);
      delete made.best;
      made.height = best.length / width;
    }
    return made;
  }

  // Grid coordinates of the hottest voxel along the ray through (u pixels from the middle, K of the grid).
  hottest(frame, u, gridK) {
    const made = this.slice(frame);
    if (!made) return null;
    const column = Math.floor(u + (made.width - 1) / 2 + 0.5);
    const k = Math.floor(this.volume.at(gridK, 2) + 0.5);
    if (column < 0 || column >= made.width || k < 0 || k >= made.height) return null;
    const at = made.place[k * made.width + column];
    if (at < 0) return null;
    const nI = this.volume.shape[0];
    const { shift } = this.volume;
    return [(at % nI) - shift[0], Math.floor(at / nI) - shift[1], k - shift[2]];
  }

  // Where a place of the grid appears on a frame: u pixels from the middle.
  across(frame, place) {
    const angle = (frame * 2 * Math.PI) / FRAMES;
    const [nI, nJ] = this.volume.shape;
    const x = (this.volume.at(place[0], 0) - (nI - 1) / 2) * this.spacing[0];
    const y = (this.volume.at(place[1], 1) - (nJ - 1) / 2) * this.spacing[1];
    return (x * Math.cos(angle) + y * Math.sin(angle)) / this.pixelMm;
  }

  // Letters at the left and right edge of a frame, from those of the coronal and sagittal planes.
  letters(frame, coronal, sagittal) {
    const angle = (frame * 2 * Math.PI) / FRAMES;
    const side = (x, y) => {
      const across = Math.abs(x) > 0.38 ? (x > 0 ? coronal.right : coronal.left) : "";
      const deep = Math.abs(y) > 0.38 ? (y > 0 ? sagittal.right : sagittal.left) : "";
      return Math.abs(x) >= Math.abs(y) ? across + deep : deep + across;
    };
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return { left: side(-cos, -sin), right: side(cos, sin), top: coronal.top, bottom: coronal.bottom };
  }
}
