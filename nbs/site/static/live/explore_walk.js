// A walk over an image: the path, and what the state remembers of each pixel.
import {picture, unpacked} from './arrays.js';
import {Chart} from './chart.js';
import {button, choice, element, slider} from './controls.js';
import {border} from './mask.js';
import {css, enlarged, mixed, Plate, stroked} from './plate.js';
import {WALKS, walkData} from './walks.js';

const centre = (i, w, scale) => [(i % w + .5) * scale, (Math.floor(i / w) + .5) * scale];
const percent = share => `${(100 * share).toFixed(share < .1 ? 1 : 0)}%`;

// The path so far: a piece of it is as strong as the memory of its pixel.
function drawPath(context, {order, memory}, step, w, scale, colour) {
  context.lineWidth = Math.max(1.5, scale / 4);
  for (let s = 1; s <= step; s++) {
    context.strokeStyle = css(colour, .2 + .8 * memory[order[s - 1]]);
    context.beginPath();
    context.moveTo(...centre(order[s - 1], w, scale));
    context.lineTo(...centre(order[s], w, scale));
    context.stroke();
  }
}

// Where the walk has come to.
function drawHere(context, here, w, scale, colours) {
  context.beginPath();
  context.arc(...centre(here, w, scale), Math.max(4, .6 * scale), 0, 7);
  Object.assign(context, {fillStyle: css(colours.orange), strokeStyle: css(colours.paper)});
  context.lineWidth = 2;
  context.fill();
  context.stroke();
}

// What is left of the four neighbours of the pixel that is read now, in words.
function neighbours({memory, here}, [h, w]) {
  const row = Math.floor(here / w), column = here % w;
  const places = {above: [row - 1, column], left: [row, column - 1],
    right: [row, column + 1], below: [row + 1, column]};
  const told = Object.entries(places)
    .filter(([, [r, c]]) => r >= 0 && r < h && c >= 0 && c < w)
    .map(([name, [r, c]]) => [name, memory[r * w + c]]);
  const read = told.filter(([, m]) => !isNaN(m)).map(([name, m]) => `${name} ${percent(m)}`);
  const unread = told.filter(([, m]) => isNaN(m)).map(([name]) => name);
  return `Left of its neighbours: ${read.join(', ') || 'nothing'}` +
    `${unread.length ? `; not read yet: ${unread.join(', ')}` : ''}.`;
}

// The explorer: controls, three plates, a sentence.
export function walkExplorer(root, {walk: numbers}) {
  const [h, w] = numbers.mask.shape, image = unpacked(numbers.image);
  const scene = {mask: unpacked(numbers.mask), size: [h, w]};
  const photo = picture([h, w], i => image.slice(3 * i, 3 * i + 3));
  const edge = border(scene.mask, [h, w]);
  const bar = element('div', {class: 'controls'}), plates = element('div', {class: 'plates'});
  const said = element('p', {class: 'said', role: 'status'});
  root.append(bar, plates, said);
  let data;

  const walk = choice(bar, 'walk', Object.keys(WALKS), update);
  const step = slider(bar, 'step', {min: 0, max: h * w - 1, step: 1, value: 530}, update);
  const size = {min: 0, max: .2, step: .005, value: .02, show: v => v.toFixed(3)};
  const skin = slider(bar, 'Δ on skin', size, update);
  const lesion = slider(bar, 'Δ on the lesion', size, update);
  const here = () => Number(step.value);

  const path = new Plate(plates, 'The path: as strong as the memory of it', h / w,
    (context, width, _, colours) => {
      const scale = enlarged(context, photo, width);
      stroked(context, edge, scale, 'black', 1.5, 'transparent');
      drawPath(context, data, here(), w, scale, [255, 255, 255]);
      drawHere(context, data.here, w, scale, colours);
    });
  const left = new Plate(plates, 'Share left of each pixel (grey: not read yet)', h / w,
    (context, width, _, colours) => {
      const heat = picture([h, w], i => isNaN(data.memory[i]) ? colours.unread :
        mixed(colours.paper, colours.blue, data.memory[i]));
      const scale = enlarged(context, heat, width);
      stroked(context, edge, scale, css(colours.ink), 1.5, 'transparent');
      drawHere(context, data.here, w, scale, colours);
    });
  const line = new Plate(plates, 'The same in the order of reading (grey: lesion)', .85,
    (context, width, height, colours) => {
      const axes = {x: [0, h * w], y: [0, 1], label: 'step'};
      const chart = new Chart(context, width, height, colours, axes);
      data.order.forEach((i, s) => scene.mask[i] && chart.band(s, 'unread'));
      chart.line(data.order.slice(0, here() + 1).map(i => data.memory[i]), 'blue');
      chart.dot(here(), 1, 'orange');
    });

  function update() {
    const [skinDelta, lesionDelta] = [skin, lesion].map(s => Number(s.value));
    data = walkData(scene, {walk: walk.value, step: here(), skinDelta, lesionDelta});
    const row = Math.floor(data.here / w), column = data.here % w;
    const held = data.memory.reduce((n, m) => n + (m > .01), 0);
    said.textContent = `Step ${here()} reads row ${row}, column ${column}, ` +
      `${scene.mask[data.here] ? 'lesion' : 'skin'}. More than 1% is left of ${held} pixels. ` +
      neighbours(data, [h, w]);
    path.says(`The image and its walk (${walk.value}) up to step ${here()}`);
    left.says(said.textContent);
    line.says(`Share left against the step of reading; ${held} pixels above 1%`);
    for (const plate of [path, left, line]) plate.redraw();
  }
  player(bar, step);
  update();
}

// A button that walks on by itself, until it is pressed again or the walk ends.
function player(parent, step) {
  let timer;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    press.textContent = 'Walk';
  };
  const on = () => {
    if (Number(step.value) >= Number(step.max)) return stop();
    step.value = Number(step.value) + 1;
    step.dispatchEvent(new Event('input'));
  };
  const press = button(parent, 'Walk', () => {
    if (timer) return stop();
    timer = setInterval(on, 60);
    press.textContent = 'Stop';
  });
}
