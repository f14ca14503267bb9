// A file that a visitor chose, as a picture to work on, or a sentence about what is wrong with it.

export const MOST = 64e6; // pixels of a picture
const ROOM = 16e6;        // pixels of a canvas, on every phone
const SHOWN = 1280 ** 2;  // pixels that outline and area are worked out on

// What is wrong, in words for the visitor.
export class Refusal extends Error {}

const KINDS = 'Choose a JPEG, PNG or WebP. (An iPhone saves JPEG with Settings, Camera, ' +
  'Formats, Most Compatible.)';

// Width and height of a picture file before it is decoded.
async function sizeOf(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((ready, fail) => Object.assign(image, {onload: ready, onerror: fail}));
  } catch {
    throw new Refusal(
      `${file.name} is not a picture that this browser can open, or a very large one. ${KINDS}`);
  } finally {
    URL.revokeObjectURL(image.src);
  }
  return [image.naturalHeight, image.naturalWidth];
}

// A size (h, w), shrunk to at most so many pixels.
function within([h, w], most) {
  const shrink = Math.min(1, Math.sqrt(most / (h * w)));
  return [h, w].map(side => Math.max(1, Math.floor(side * shrink)));
}

// A canvas of a picture at some size, transparent parts on black.
function painted(bitmap, [h, w]) {
  const canvas = Object.assign(document.createElement('canvas'), {width: w, height: h});
  const context = canvas.getContext('2d', {willReadFrequently: true, alpha: false});
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, w, h);
  return canvas;
}

// The pixels (h, w, 4) that a canvas holds.
function pixelsOf(canvas) {
  const {width, height} = canvas;
  return canvas.getContext('2d').getImageData(0, 0, width, height).data;
}

// A picture, upright: {own: size (h, w), pixels, size: theirs, canvas to show, shown: its size}.
export async function openPhoto(file) {
  const own = await sizeOf(file);
  if (own[0] * own[1] > MOST) {
    throw new Refusal(`${file.name} has ${own[1]} x ${own[0]} pixels, and this page takes ` +
      `${MOST / 1e6} million. Save it smaller.`);
  }
  try {
    const bitmap = await createImageBitmap(file, {colorSpaceConversion: 'none'});
    const size = within(own, ROOM), shown = within(own, SHOWN);
    const pixels = pixelsOf(painted(bitmap, size)), canvas = painted(bitmap, shown);
    bitmap.close();
    return {own, pixels, size, canvas, shown};
  } catch (e) {
    throw new Refusal(`${file.name} cannot be decoded here (${e.message}). ${KINDS}`);
  }
}
