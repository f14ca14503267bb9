// A plain line chart on a plate: axes, lines, stems, dots.
import {element} from './controls.js';
import {css} from './plate.js';

const LEFT = 40, RIGHT = 8, TOP = 8, BOTTOM = 32; // around the lines, in CSS pixels
const short = v => String(Number.isInteger(v) ? v : Number(v.toPrecision(2)));

export class Chart {
  // `x` and `y` are [lowest, highest]; `label` stands below.
  constructor(context, width, height, colours, {x, y, label}) {
    Object.assign(this, {context, colours});
    const [x0, x1] = x, [y0, y1] = y;
    this.x = v => LEFT + (v - x0) / (x1 - x0) * (width - LEFT - RIGHT);
    this.y = v => height - BOTTOM - (v - y0) / (y1 - y0) * (height - TOP - BOTTOM);
    this.axes(x, y);
    context.textAlign = 'center';
    context.fillText(label, (LEFT + width - RIGHT) / 2, height - 5);
  }

  // The frame's two sides, the ends of both axes, and a line at 0.
  axes([x0, x1], [y0, y1]) {
    const {context, colours} = this;
    this.path([[x0, y1], [x0, y0], [x1, y0]], 'line', {wide: 1});
    if (y0 < 0) this.path([[x0, 0], [x1, 0]], 'line', {wide: 1, dash: [2, 3]});
    context.fillStyle = css(colours.faint);
    context.textAlign = 'right';
    for (const v of [y0, y1]) context.fillText(short(v), LEFT - 5, this.y(v) + (v === y1 ? 9 : 0));
    for (const v of [x0, x1]) {
      context.textAlign = v === x0 ? 'left' : 'right';
      context.fillText(short(v), this.x(v), this.y(y0) + 14);
    }
  }

  // A line through points [x, y].
  path(points, colour, {wide = 2, dash = []} = {}) {
    const {context, colours} = this;
    const look = {strokeStyle: css(colours[colour]), lineWidth: wide, lineJoin: 'round'};
    Object.assign(context, look);
    context.setLineDash(dash);
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(this.x(x), this.y(y)));
    context.stroke();
    context.setLineDash([]);
  }

  // A line through values at 0, 1, 2 ...
  line(values, colour, look) {
    this.path([...values].map((v, i) => [i, v]), colour, look);
  }

  // Values as lines from 0, those below it in another colour.
  stems(values, colour, below = colour) {
    values.forEach((v, i) => this.path([[i, 0], [i, v]], v < 0 ? below : colour));
  }

  // A step's whole height, filled.
  band(step, colour) {
    const {context, colours} = this, wide = this.x(step + 1) - this.x(step) + .5;
    context.fillStyle = css(colours[colour]);
    context.fillRect(this.x(step), TOP, wide, this.y(0) - TOP);
  }

  // A point with a rim.
  dot(x, y, colour) {
    const {context, colours} = this;
    Object.assign(context, {fillStyle: css(colours[colour]), strokeStyle: css(colours.paper)});
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(this.x(x), this.y(y), 5, 0, 7);
    context.fill();
    context.stroke();
  }
}

// The lowest and the highest of many values, 0 among them.
export function range(...lists) {
  const all = lists.flatMap(values => [...values]);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  return low < high ? [low, high] : [0, 1];
}

// The names of lines in their colours, behind a plate's title: [[name, colour], ...].
export function legend(plate, names) {
  for (const [name, colour] of names) {
    const look = {class: 'name', style: `color: var(--live-${colour})`};
    plate.title.append(' ', element('span', look, name));
  }
}
