// From probabilities to a mask, as the package's `binary_mask`, and a mask's border.

// Pixels of a map that are above a threshold, as 0 and 1.
export function above(map, threshold) {
  const t = Math.fround(threshold), mask = new Uint8Array(map.length);
  for (let i = 0; i < map.length; i++) mask[i] = map[i] > t ? 1 : 0;
  return mask;
}

// Marks in `seen` all pixels of one value that hang together with the one at `start`; how many.
function flood(map, start, steps, seen, mark, queue) {
  let end = 1;
  queue[0] = start;
  seen[start] = mark;
  for (let n = 0; n < end; n++) {
    for (const step of steps) {
      const next = queue[n] + step;
      if (map[next] === map[start] && !seen[next]) {
        seen[next] = mark;
        queue[end++] = next;
      }
    }
  }
  return end;
}

// Regions of lesion in a mask with a frame of skin, numbered from 1; the largest one's number.
function numbered(framed, wide, regions, queue) {
  const corners = [-wide - 1, -wide, -wide + 1, -1, 1, wide - 1, wide, wide + 1];
  let count = 0, largest = 0, most = 0;
  for (let i = 0; i < framed.length; i++) {
    if (!framed[i] || regions[i]) continue;
    const size = flood(framed, i, corners, regions, ++count, queue);
    if (size > most) [largest, most] = [count, size];
  }
  return largest;
}

// The largest region of a mask (h, w), its holes filled.
export function cleanMask(mask, [h, w]) {
  const wide = w + 2, n = wide * (h + 2), framed = new Uint8Array(n), outside = new Uint8Array(n);
  const regions = new Int32Array(n), queue = new Int32Array(n), clean = new Uint8Array(h * w);
  const inner = row => (row + 1) * wide + 1;
  for (let row = 0; row < h; row++) {
    framed.set(mask.subarray(row * w, (row + 1) * w), inner(row));
  }
  const largest = numbered(framed, wide, regions, queue);
  for (let i = 0; i < n; i++) framed[i] = largest && regions[i] === largest ? 1 : 0;
  flood(framed, 0, [-wide, -1, 1, wide], outside, 1, queue); // the rest is lesion, or a hole in it
  for (let row = 0; row < h; row++) {
    for (let column = 0; column < w; column++) {
      clean[row * w + column] = 1 - outside[inner(row) + column];
    }
  }
  return clean;
}

// The share of a mask that is lesion.
export function share(mask) {
  return mask.reduce((sum, m) => sum + m, 0) / mask.length;
}

// The border of a mask (h, w) between its pixels, as a path; a pixel is a unit wide.
export function border(mask, [h, w]) {
  const path = new Path2D();
  for (let row = 0, i = 0; row < h; row++) {
    for (let column = 0; column < w; column++, i++) {
      if (column && mask[i] !== mask[i - 1]) {
        path.moveTo(column, row);
        path.lineTo(column, row + 1);
      }
      if (row && mask[i] !== mask[i - w]) {
        path.moveTo(column, row);
        path.lineTo(column + 1, row);
      }
    }
  }
  return path;
}
