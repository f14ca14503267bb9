// Resizing as the package does it: bilinear, and averaging where it shrinks.
// `resizeBytes` rounds as Pillow does, once for each axis: width, then height. (Newer versions of
// Pillow sometimes take height first: one level of 255 more or less.) `resizeMap` is torch's.

// For each of `to` places the first of `from` pixels that it takes, and their weights (sum 1).
export function taps(from, to) {
  const scale = from / to, support = Math.max(1, scale);
  return Array.from({length: to}, (_, i) => {
    const centre = (i + .5) * scale;
    const first = Math.max(0, Math.floor(centre - support + .5));
    const end = Math.min(from, Math.floor(centre + support + .5));
    const raw = Array.from({length: end - first}, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + .5 - centre) / support));
    const sum = raw.reduce((a, b) => a + b, 0);
    return {first, weights: raw.map(w => w / sum)};
  });
}

// Weighted sums along one axis of an array (outer, from, inner).
function along(source, target, outer, from, inner, lines, finish) {
  for (let o = 0; o < outer; o++) {
    lines.forEach(({first, weights}, i) => {
      const read = (o * from + first) * inner, write = (o * lines.length + i) * inner;
      for (let k = 0; k < inner; k++) {
        let sum = 0;
        for (let j = 0; j < weights.length; j++) sum += weights[j] * source[read + j * inner + k];
        target[write + k] = finish(sum);
      }
    });
  }
  return target;
}

const ONE = 1 << 22; // Pillow's weights are whole numbers: this many are 1

// Pixels (h, w, channels) of bytes to (H, W, channels), as Pillow's `resize` with BILINEAR.
export function resizeBytes(pixels, [h, w], [H, W], channels) {
  const whole = lines => lines.map(({first, weights}) =>
    ({first, weights: weights.map(v => Math.floor(v * ONE + .5))}));
  const round = sum => Math.floor((sum + ONE / 2) / ONE);
  const wide = w === W ? pixels :
    along(pixels, new Uint8Array(h * W * channels), h, w, channels, whole(taps(w, W)), round);
  return h === H ? wide :
    along(wide, new Uint8Array(H * W * channels), 1, h, W * channels, whole(taps(h, H)), round);
}

// A map (h, w) of numbers to (H, W), as torch's `interpolate` with `antialias`.
export function resizeMap(map, [h, w], [H, W]) {
  const same = sum => sum;
  const wide = along(map, new Float32Array(h * W), h, w, 1, taps(w, W), same);
  return along(wide, new Float32Array(H * W), 1, h, W, taps(h, H), same);
}
