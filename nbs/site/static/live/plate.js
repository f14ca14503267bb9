// Canvases that fit their column, follow the page's colours, and say in words what they show.
import {element} from './controls.js';

const COLOURS = ['paper', 'ink', 'faint', 'line', 'unread', 'blue', 'orange', 'green'];

// The colours of live.css as they are now, each as [red, green, blue].
function colours(place) {
  const probe = element('i', {});
  place.append(probe);
  const found = COLOURS.map(name => {
    probe.style.color = `var(--live-${name})`;
    return [name, getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number)];
  });
  probe.remove();
  return Object.fromEntries(found);
}

// The colour that lies `share` of the way from one to another.
export function mixed(from, to, share) {
  return from.map((v, k) => v + share * (to[k] - v));
}

export function css(rgb, alpha = 1) {
  return `rgb(${rgb.map(Math.round).join(' ')} / ${alpha})`;
}

// Call back when the page turns light or dark.
function onTheme(changed) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  const theme = {attributes: true, attributeFilter: ['data-theme']};
  new MutationObserver(changed).observe(document.documentElement, theme);
}

// A titled canvas, `tall` times as high as wide; `draw(context, width, height, colours)` paints it.
export class Plate {
  constructor(parent, title, tall, draw) {
    Object.assign(this, {tall, draw});
    this.canvas = element('canvas', {role: 'img', 'aria-label': title});
    this.title = element('div', {class: 'title'}, title);
    this.box = element('div', {class: 'plate'}, this.title, this.canvas);
    parent.append(this.box);
    new ResizeObserver(() => this.redraw()).observe(this.box);
    onTheme(() => this.redraw());
  }

  // What the canvas shows, for those who do not see it.
  says(text) {
    this.canvas.setAttribute('aria-label', text);
  }

  redraw() {
    const width = this.box.clientWidth, height = Math.round(width * this.tall);
    if (!width) return;
    const context = this.canvas.getContext('2d'), dense = devicePixelRatio;
    Object.assign(this.canvas, {width: width * dense, height: height * dense});
    context.scale(dense, dense);
    context.font = `13px ${getComputedStyle(this.canvas).fontFamily}`;
    this.draw(context, width, height, colours(this.box));
  }
}

// A canvas of pixels, enlarged to the whole plate; gives the size of one pixel there.
export function enlarged(context, source, width) {
  const scale = width / source.width;
  context.imageSmoothingEnabled = false;
  context.drawImage(source, 0, 0, width, source.height * scale);
  return scale;
}

// A path in pixels of an enlarged picture, drawn with a line of so many CSS pixels, in a rim.
export function stroked(context, path, scale, colour, wide, rim) {
  context.save();
  context.scale(scale, scale);
  context.lineCap = 'round';
  for (const [strokeStyle, lineWidth] of [[rim, 1.8 * wide], [colour, wide]]) {
    Object.assign(context, {strokeStyle, lineWidth: lineWidth / scale});
    context.stroke(path);
  }
  context.restore();
}
