// Labelled controls; each calls `changed` when the visitor moves it. Keys work as browsers do it.

let count = 0;

// An element with attributes and children.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A slider with its name before it and its value behind it; returns the input.
export function slider(parent, name, {min, max, step, value, show = String}, changed) {
  const id = `live-${++count}`;
  const input = element('input', {type: 'range', id, min, max, step, value});
  const output = element('output', {for: id}, show(Number(input.value)));
  input.addEventListener('input', () => {
    output.value = show(Number(input.value));
    changed();
  });
  const label = element('label', {for: id}, name);
  parent.append(element('div', {class: 'control'}, label, input, output));
  return input;
}

// A list to choose from; returns the select.
export function choice(parent, name, options, changed) {
  const id = `live-${++count}`;
  const select = element('select', {id}, ...options.map(o => element('option', {value: o}, o)));
  select.addEventListener('change', changed);
  parent.append(element('div', {class: 'control'}, element('label', {for: id}, name), select));
  return select;
}

// A box to tick; returns the input.
export function tick(parent, name, changed) {
  const id = `live-${++count}`, input = element('input', {type: 'checkbox', id});
  input.addEventListener('change', changed);
  parent.append(element('div', {class: 'control'}, input, element('label', {for: id}, name)));
  return input;
}

// A button.
export function button(parent, name, pressed) {
  const made = element('button', {type: 'button'}, name);
  made.addEventListener('click', pressed);
  parent.append(made);
  return made;
}
