// Canvases that fit their column, follow the page's colours, and say in words what they show.
import {element} from './controls.js';

// A colour of live.css by its name, as [red, green, blue].
export function colour(place, name) {
  const probe = element('i', {style: `color: var(--live-${name})`});
  place.append(probe);
  const rgb = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return rgb;
}

// The colour that lies `share` of the way from one to another.
export function mixed(from, to, share) {
  return from.map((v, k) => v + share * (to[k] - v));
}

export function css(rgb) {
  return `rgb(${rgb.map(Math.round).join(' ')})`;
}

// Call back when the page turns light or dark.
export function onTheme(changed) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  const theme = {attributes: true, attributeFilter: ['data-theme']};
  new MutationObserver(changed).observe(document.documentElement, theme);
}

// A titled canvas, `tall` times as high as it is wide; `draw(context, width, height)` in CSS pixels.
export class Plate {
  constructor(parent, title, tall, draw) {
    Object.assign(this, {tall, draw});
    this.canvas = element('canvas', {role: 'img', 'aria-label': title});
    parent.append(element('figure', {}, element('figcaption', {}, title), this.canvas));
    new ResizeObserver(() => this.redraw()).observe(this.canvas.parentElement);
    onTheme(() => this.redraw());
  }

  // What the canvas shows, for those who do not see it.
  says(text) {
    this.canvas.setAttribute('aria-label', text);
  }

  redraw() {
    const width = this.canvas.parentElement.clientWidth, height = width * this.tall;
    if (!width) return;
    const dense = devicePixelRatio;
    Object.assign(this.canvas, {width: width * dense, height: height * dense});
    this.canvas.style.height = `${height}px`;
    const context = this.canvas.getContext('2d');
    context.scale(dense, dense);
    context.font = `13px ${getComputedStyle(this.canvas).fontFamily}`;
    this.draw(context, width, height);
  }
}
