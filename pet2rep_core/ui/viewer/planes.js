// Planes through volumes: the same rules as pet2rep_core/imaging/planes.py, which the tests compare pixel by pixel.
// Axes 0, 1, 2 are I (to the patient's left), J (to the back), K (to the head).
export const PLANES = {
  coronal: { across: 0, down: 2, normal: 1, downSign: -1 },
  axial: { across: 0, down: 1, normal: 2, downSign: 1 },
  sagittal: { across: 1, down: 2, normal: 0, downSign: -1 },
};

// Which pixels: centre (grid coordinates along across and down), mm of a pixel, columns and rows.
export function makeField(plane, centre, pixelMm, columns, rows, spacing) {
  const { across, down, downSign } = PLANES[plane];
  const acrossStep = pixelMm / spacing[across];
  const downStep = (downSign * pixelMm) / spacing[down];
  return {
    acrossStart: centre[0] - ((columns - 1) / 2) * acrossStep, acrossStep,
    downStart: centre[1] - ((rows - 1) / 2) * downStep, downStep,
    columns, rows,
  };
}

// Grid coordinates (across, down) of a place on a picture, in pixels from its upper left corner.
export function placeOnField(field, x, y) {
  return [field.acrossStart + (x - 0.5) * field.acrossStep, field.downStart + (y - 0.5) * field.downStep];
}

export function pixelOfPlace(field, across, down) {
  return [(across - field.acrossStart) / field.acrossStep + 0.5, (down - field.downStart) / field.downStep + 0.5];
}

// One plane of a volume at its own resolution, across contiguous; null where the plane lies outside. A slice that
// nobody needs any more may give its memory.
export function cutSlice(volume, plane, index, smooth, spare) {
  const { across, down, normal } = PLANES[plane];
  const place = volume.at(index, normal);
  const count = volume.shape[normal];
  if (place < -0.5 || place > count - 0.5) return null;
  const held = Math.min(Math.max(place, 0), count - 1);
  const below = smooth ? Math.floor(held) : Math.min(Math.floor(held + 0.5), count - 1);
  const part = smooth ? held - below : 0;
  const [width, height] = [volume.shape[across], volume.shape[down]];
  const values = spare?.values.length === width * height ? spare.values : new Float32Array(width * height);
  const [stepAcross, stepDown, stepNormal] = [volume.strides[across], volume.strides[down], volume.strides[normal]];
  // The inner loop follows the memory: I first, else K.
  const inner = across === 0 ? [width, stepAcross, 1] : [height, stepDown, width];
  const outer = across === 0 ? [height, stepDown, width] : [width, stepAcross, 1];
  for (let o = 0; o < outer[0]; o += 1) {
    const [at, to] = [below * stepNormal + o * outer[1], o * outer[2]];
    if (volume.isPet) copyPet(volume.codes, at, values, to, inner, stepNormal, part, volume.header);
    else copyCt(volume.codes, at, values, to, inner, stepNormal, part);
  }
  return { values, width, height };
}

// Two functions, so that the browser compiles each for its one type of codes.
function copyPet(codes, from, values, start, [count, step, stride], stepNormal, part, { low, step: unit, nan }) {
  for (let n = 0, at = from, to = start; n < count; n += 1, at += step, to += stride) {
    const first = codes[at];
    const value = first === nan ? NaN : low + first * unit;
    if (part === 0) {
      values[to] = value;
    } else {
      const second = codes[at + stepNormal];
      values[to] = value + ((second === nan ? NaN : low + second * unit) - value) * part;
    }
  }
}

function copyCt(codes, from, values, start, [count, step, stride], stepNormal, part) {
  if (part === 0) {
    for (let n = 0, at = from, to = start; n < count; n += 1, at += step, to += stride) values[to] = codes[at];
    return;
  }
  for (let n = 0, at = from, to = start; n < count; n += 1, at += step, to += stride) {
    const value = codes[at];
    values[to] = value + (codes[at + stepNormal] - value) * part;
  }
}

// Where the places of a row or column lie in a slice: the voxel below, the one above, the weight of that one.
// Places in the slice are those from "first" to before "end"; they lie in one piece.
function readAlong(start, step, count, scale, shift, size, smooth) {
  const [below, above, part] = [new Int32Array(count).fill(-1), new Int32Array(count), new Float64Array(count)];
  let [first, end] = [count, 0];
  for (let n = 0; n < count; n += 1) {
    const place = (start + n * step) * scale + shift;
    if (place < -0.5 || place > size - 0.5) continue;
    const held = Math.min(Math.max(place, 0), size - 1);
    below[n] = smooth ? Math.floor(held) : Math.min(Math.floor(held + 0.5), size - 1);
    part[n] = smooth ? held - below[n] : 0;
    above[n] = part[n] > 0 ? below[n] + 1 : below[n];
    first = Math.min(first, n);
    end = n + 1;
  }
  return { below, above, part, first, end };
}

// Read a slice at the pixels of a field: Float32Array of rows x columns, "spare" where it has that size; "outside"
// where there is no value. Down first, then across.
export function resample(slice, volume, plane, field, smooth, outside, spare) {
  const { columns, rows } = field;
  const out = spare?.length === columns * rows ? spare : new Float32Array(columns * rows);
  if (!slice) return out.fill(outside);
  const { across, down } = PLANES[plane];
  const { values, width, height } = slice;
  const x = readAlong(field.acrossStart, field.acrossStep, columns, volume.scale[across], volume.shift[across], width, smooth);
  const y = readAlong(field.downStart, field.downStep, rows, volume.scale[down], volume.shift[down], height, smooth);
  if (x.first >= x.end) return out.fill(outside);
  const { below, above, part, first, end } = x;
  const [leftmost, rightmost] = [below[first], above[end - 1]];
  const line = new Float64Array(width);
  for (let row = 0, to = 0; row < rows; row += 1, to += columns) {
    const top = y.below[row];
    if (top < 0) {
      out.fill(outside, to, to + columns);
      continue;
    }
    const weight = y.part[row];
    const away = (y.above[row] - top) * width; // of the row that is read beside it
    for (let at = leftmost, from = top * width + leftmost; at <= rightmost; at += 1, from += 1) {
      const value = values[from];
      line[at] = value + (values[from + away] - value) * weight;
    }
    out.fill(outside, to, to + first);
    for (let column = first; column < end; column += 1) {
      const value = line[below[column]];
      out[to + column] = value + (line[above[column]] - value) * part[column];
    }
    out.fill(outside, to + end, to + columns);
  }
  return out;
}
