// The explorers of the page: each stands in an element with `data-explorer`.
import {element} from './controls.js';
import {scanExplorer} from './explore_scan.js';
import {thresholdExplorer} from './explore_threshold.js';
import {walkExplorer} from './explore_walk.js';

const explorers = {walk: walkExplorer, scan: scanExplorer, threshold: thresholdExplorer};
const places = document.querySelectorAll('[data-explorer]');
try {
  const answer = await fetch(new URL('./made/explore.json', import.meta.url));
  if (!answer.ok) throw new Error(`explore.json: ${answer.status}`);
  const numbers = await answer.json();
  for (const place of places) {
    place.replaceChildren();
    explorers[place.dataset.explorer](place, numbers);
  }
} catch (e) {
  const sorry = `The explorer could not be started (${e.message}). Reload the page.`;
  for (const place of places) place.replaceChildren(element('p', {role: 'status'}, sorry));
}
