// Ways to read an image pixel by pixel, and what a state remembers of it on the way.

// Pixels of an (h, w) image row by row, and column by column.
const rows = (h, w) => Array.from({length: h * w}, (_, i) => i);
const columns = (h, w) => rows(h, w).map(i => i % h * w + Math.floor(i / h));

// Row by row, every other one backwards: no jumps.
const snake = (h, w) => rows(h, w).map(i => {
  const row = Math.floor(i / w);
  return row % 2 ? row * w + w - 1 - i % w : i;
});

// Hilbert's curve: each quarter is walked to its end before the next. A square, side a power of 2.
function hilbert(side) {
  return rows(side, side).map(i => {
    let [x, y] = [0, 0];
    for (let s = 1; s < side; s *= 2, i = Math.floor(i / 4)) {
      const right = i >> 1 & 1, down = (i ^ right) & 1;
      if (!down) [x, y] = right ? [s - 1 - y, s - 1 - x] : [y, x];
      [x, y] = [x + s * right, y + s * down];
    }
    return y * side + x;
  });
}

export const WALKS = {
  'rows': rows,
  'columns': columns,
  'rows, backwards': (h, w) => rows(h, w).reverse(),
  'columns, backwards': (h, w) => columns(h, w).reverse(),
  'snake': snake,
  'Hilbert': hilbert,
};

// What a walk has read by a step, and the share of each pixel that the state still holds.
export function walkData({mask, size: [h, w]}, {walk, step, skinDelta, lesionDelta}) {
  const order = WALKS[walk](h, w), delta = order.map(i => mask[i] ? lesionDelta : skinDelta);
  const memory = new Float64Array(h * w).fill(NaN); // NaN: not read yet
  let passed = 0;
  for (let s = step; s >= 0; s--) {
    memory[order[s]] = Math.exp(-passed);
    passed += delta[s];
  }
  return {order, delta, memory, here: order[step]};
}
