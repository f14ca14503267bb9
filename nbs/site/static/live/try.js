// "Try it in the browser": a photograph is outlined on the visitor's own machine.
import {button, element, slider} from './controls.js';
import {above, border, cleanMask, share} from './mask.js';
import {network, probabilities} from './network.js';
import {openPhoto, Refusal} from './photo.js';
import {stroked} from './plate.js';
import {resizeMap} from './resample.js';

const example = new URL('./made/example.jpg', import.meta.url);
const LEAST = 800; // pixels of the longer side on the screen
const percent = x => `${(100 * x).toFixed(1)}%`;
const seconds = ms => `${(ms / 1000).toFixed(2)} s`;

// The place where a photograph is dropped or chosen; `chosen` gets the file.
function dropZone(parent, chosen) {
  const input = element('input', {type: 'file', accept: 'image/*', class: 'live-file'});
  const words = element('span', {}, 'Choose a photograph, or drop one here');
  const zone = element('label', {class: 'drop'}, input, words);
  const over = on => event => {
    event.preventDefault();
    zone.classList.toggle('over', on);
  };
  zone.addEventListener('dragover', over(true));
  zone.addEventListener('dragleave', over(false));
  zone.addEventListener('drop', event => {
    over(false)(event);
    chosen(event.dataTransfer.files[0]);
  });
  input.addEventListener('change', () => {
    if (input.files[0]) chosen(input.files[0]);
    input.value = ''; // the same file may be chosen again
  });
  parent.append(zone);
}

// The synthetic example, as if it had been chosen.
async function exampleFile() {
  const answer = await fetch(example);
  if (!answer.ok) throw new Refusal('The example could not be fetched. Reload the page.');
  return new File([await answer.blob()], 'The example, a synthetic lesion');
}

// A photograph with its mask's border: a light line in a dark rim, seen on every skin.
function drawOutline(canvas, photo, mask) {
  const [h, w] = photo.shown, scale = Math.max(1, LEAST / Math.max(h, w));
  Object.assign(canvas, {width: w * scale, height: h * scale});
  const context = canvas.getContext('2d'), line = .005 * Math.max(canvas.width, canvas.height);
  context.drawImage(photo.canvas, 0, 0, canvas.width, canvas.height);
  stroked(context, border(mask, photo.shown), scale, 'cyan', line, 'black');
}

// One photograph from its file to its probabilities, and the time they took.
async function look(file, say) {
  if (!file) throw new Refusal('That was no file. Drop or choose a photograph.');
  const photo = await openPhoto(file);
  say('Fetching the network (17 MB the first time) ...');
  const net = await network();
  say(`Looking at ${file.name} ...`);
  await new Promise(shown => setTimeout(shown, 30)); // the sentence, before the work
  const start = performance.now(), p = await probabilities(net, photo);
  const took = performance.now() - start;
  return {photo, took, name: file.name, map: resizeMap(p, net.size, photo.shown)};
}

// The page: where to choose, what happens, the outline, the threshold and the numbers.
class Page {
  turn = 0; // how many files have been chosen

  constructor(root) {
    const choose = element('div', {class: 'choose'});
    dropZone(choose, file => this.show(async () => file));
    button(choose, 'Use the example', () => this.show(exampleFile));
    this.status = element('p', {role: 'status'}, 'No photograph yet.');
    this.result = element('div', {hidden: ''});
    root.replaceChildren(choose, this.status, this.result);
    this.canvas = element('canvas', {role: 'img', class: 'photo'});
    this.result.append(this.canvas);
    const range = {min: .05, max: .95, step: .01, value: .5, show: v => v.toFixed(2)};
    this.threshold = slider(this.result, 'threshold', range, () => this.outline());
    this.facts = element('dl');
    this.result.append(this.facts);
  }

  // Look at a file; if another is chosen meanwhile, only the last one is shown.
  async show(take) {
    const turn = ++this.turn;
    const say = text => turn === this.turn && (this.status.textContent = text);
    try {
      const seen = await look(await take(), say);
      if (turn !== this.turn) return;
      Object.assign(this, seen);
      this.result.hidden = false;
      this.outline();
      say(`${this.name}: move the threshold, and watch the outline.`);
    } catch (e) {
      if (turn === this.turn) this.result.hidden = true;
      say(e instanceof Refusal ? e.message : `This did not work (${e.message}). Reload the page.`);
    }
  }

  // The outline at the slider's threshold, without another look.
  outline() {
    const {photo, map} = this;
    this.mask = cleanMask(above(map, Number(this.threshold.value)), photo.shown);
    drawOutline(this.canvas, photo, this.mask);
    const area = share(this.mask), [h, w] = photo.own;
    const words = area ? `lesion outlined, ${percent(area)} of the picture` : 'nothing is outlined';
    this.canvas.setAttribute('aria-label', `${this.name}: ${words}`);
    this.say({
      'lesion': area ? `${percent(area)} of the picture` : 'no pixel is above the threshold',
      'picture': `${w} x ${h} pixels`,
      'time': `${seconds(this.took)} for the network, on this device`,
    });
  }

  // The numbers, as terms and values.
  say(facts) {
    const rows = Object.entries(facts).map(([name, value]) =>
      element('div', {}, element('dt', {}, name), element('dd', {}, value)));
    this.facts.replaceChildren(...rows);
  }
}

const root = document.querySelector('#live-try');
root.page = new Page(root); // the test of the page looks at its mask
