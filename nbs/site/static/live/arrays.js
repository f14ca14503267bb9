// Arrays that came from Python in a JSON file, and pictures made of them.

const KINDS = {uint8: Uint8Array, float32: Float32Array, bool: Uint8Array};

// What `packed` of .ci/site_parts.py wrote: {shape, type, bytes} to a typed array.
export function unpacked({type, bytes}) {
  const raw = Uint8Array.from(atob(bytes), c => c.charCodeAt(0));
  return new KINDS[type](raw.buffer);
}

// A canvas of (h, w) pixels; `colour` gives red, green, blue and perhaps alpha of the i-th.
export function picture([h, w], colour) {
  const canvas = Object.assign(document.createElement('canvas'), {width: w, height: h});
  const context = canvas.getContext('2d'), image = context.createImageData(w, h);
  for (let i = 0; i < h * w; i++) {
    const [red, green, blue, alpha = 255] = colour(i);
    image.data.set([red, green, blue, alpha], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
