// A calculation by hand: moments that fill one number each, and the elements that each number uses.

const data = JSON.parse(document.getElementById('data').textContent);
const byId = id => document.getElementById(id);
const VALUE = 0, GRADIENT = 1, SLOPE = `∂${data.symbol}/∂`;
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text != null) element.textContent = text;
  return element;
};

// --- Moments: {side, box, cell, line, arrival}; cell null is a whole array ---

const moments = [];
function add(side, box, lines, arrival) {
  const size = data.boxes[box].elements.length, single = lines && size <= data.limit;
  if (single) lines.forEach((line, cell) => moments.push({ side, box, cell, line, arrival }));
  else moments.push({ side, box, cell: null, line: null, arrival });
}
data.boxes.forEach((box, at) => { if (box.op) add(VALUE, at, data.forward[at], null); });
const forwards = moments.length;
moments.push({ side: GRADIENT, box: data.root, cell: null, line: null, arrival: null, start: true });
data.arrivals.forEach((arrival, at) => add(GRADIENT, arrival.target, arrival.lines, at));
const state = { at: forwards, asked: null, peek: null };  // asked: the moment whose number is hidden

// The texts of all cells after a number of moments: [box][side][cell]; '' is not yet known.
function texts(count) {
  const found = data.boxes.map(box => [box.op ? box.values.map(() => '') : [...box.values], box.values.map(() => '')]);
  const parts = data.boxes.map(box => box.values.map(() => 0));
  for (const m of moments.slice(0, count)) {
    const cells = m.cell == null ? found[m.box][m.side].keys() : [m.cell];
    for (const c of cells) {
      if (m.side === VALUE) found[m.box][VALUE][c] = data.boxes[m.box].values[c];
      else if (m.start) found[m.box][GRADIENT][c] = data.boxes[m.box].start[c];
      else { found[m.box][GRADIENT][c] = data.arrivals[m.arrival].totals[c]; parts[m.box][c] = data.arrivals[m.arrival].order; }
    }
  }
  return { found, parts };
}
const arrivalsAt = box => data.arrivals.filter(a => a.target === box);

// --- The graph ---

const cells = data.boxes.map(() => [[], []]), boxes = [], bends = new Map();
function cellOf(at, side, index) {
  const cell = make('button', 'cell ' + (side === VALUE ? 'value' : 'gradient'));
  cell.type = 'button';
  Object.assign(cell.dataset, { box: at, side, cell: index });
  cells[at][side][index] = cell;
  return cell;
}
function grid(at, side, label) {
  const box = data.boxes[at], view = make('div', 'side'), table = make('div', 'grid');
  view.append(make('span', 'label', label));
  if (!box.elements.length) { view.append(make('span', 'label', box.shape)); return view; }
  table.setAttribute('role', 'grid');
  table.setAttribute('aria-label', label);
  const plane = box.rows * box.columns;
  for (let start = 0; start < box.elements.length; start += plane) {
    const part = make('div', 'plane');
    part.setAttribute('role', 'rowgroup');
    for (let r = 0; r < box.rows; r++) {
      const row = make('div', 'line');
      row.setAttribute('role', 'row');
      for (let c = 0; c < box.columns; c++) {
        const cell = cellOf(at, side, start + r * box.columns + c);
        cell.setAttribute('role', 'gridcell');
        cell.tabIndex = start + r + c ? -1 : 0;
        row.append(cell);
      }
      part.append(row);
    }
    table.append(part);
  }
  view.append(table);
  return view;
}
function boxOf(at) {
  const box = data.boxes[at], view = make('section', `box ${box.kind}`);
  view.setAttribute('role', 'group');
  const longest = Math.max(0, ...[...box.values, ...box.start, ...arrivalsAt(at).flatMap(a => a.totals)].map(text => text.length));
  view.style.setProperty('--digits', longest);
  view.setAttribute('aria-label', box.op ? `${box.name}, the output of ${box.op}` : box.name);
  view.dataset.box = at;
  if (box.op) {
    const head = make('h2');
    head.append(make('b', '', box.name), ` = ${box.how}`);
    head.title = box.engine;
    view.append(head);
  }
  if (box.elements.length === 1) {
    const row = make('div', 'row');
    if (!box.number) row.append(make('span', 'label', box.name));
    row.append(cellOf(at, VALUE, 0));
    if (box.wants) row.append(make('span', 'bar', '|'), make('span', 'label', SLOPE + box.name), cellOf(at, GRADIENT, 0));
    view.append(row);
  } else {
    const pair = make('div', 'pair');
    pair.append(grid(at, VALUE, box.name));
    if (box.wants) pair.append(grid(at, GRADIENT, SLOPE + box.name));
    view.append(pair);
  }
  return view;
}
for (const column of data.columns) {
  const view = make('div', 'column');
  for (const item of column) {
    if (item.length === 1) view.append(boxes[item[0]] = boxOf(item[0]));
    else {
      const bend = make('i', 'bend');
      if (!bends.has(item.join())) bends.set(item.join(), []);
      bends.get(item.join()).push(bend);
      view.append(bend);
    }
  }
  byId('graph').append(view);
}

// The arrows: from box to box through the bends, forward in a step forward, else backward.
const edges = [];
for (const [target, box] of data.boxes.entries()) for (const source of new Set(box.inputs)) edges.push([source, target]);
const svg = (tag, attributes) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
function wires(now) {
  const stage = byId('graph').getBoundingClientRect(), down = matchMedia('(max-width: 760px)').matches;
  const place = (element, end) => {
    const r = element.getBoundingClientRect(), x = r.left - stage.left, y = r.top - stage.top;
    if (down) return [x + r.width / 2, end ? y + r.height : y];
    return [end ? x + r.width : x, y + r.height / 2];
  };
  const drawn = [];
  for (const [source, target] of edges) {
    const lit = now && now.target === target && (now.source == null || now.source === source);
    const kind = lit ? (now.side === GRADIENT ? ' back' : ' on') : '';
    const stops = [place(boxes[source], true)];
    for (const bend of bends.get(`${source},${target}`) ?? []) stops.push(place(bend, false), place(bend, true));
    stops.push(place(boxes[target], false));
    let path = `M${stops[0].join()}`;
    for (let k = 1; k < stops.length; k++) {
      const [a, b] = stops[k - 1], [x, y] = stops[k];
      path += down ? ` C${a},${(b + y) / 2} ${x},${(b + y) / 2} ${x},${y}` : ` C${(a + x) / 2},${b} ${(a + x) / 2},${y} ${x},${y}`;
    }
    const wire = svg('path', { class: 'wire' + kind, d: path });
    const reverse = kind === ' back', [x, y] = reverse ? stops[0] : stops.at(-1), s = reverse ? 1 : -1;
    const tip = down ? `M${x},${y} l-4.5,${s * 9} h9 z` : `M${x},${y} l${s * 9},-4.5 v9 z`;
    drawn[kind ? 'push' : 'unshift'](wire, svg('path', { class: 'head' + kind, d: tip }));
  }
  byId('wires').replaceChildren(...drawn);
}

// --- The board ---

function equation(line, hidden) {
  const view = make('div', line.terms.length > 3 ? 'equation many' : 'equation'), parts = [];
  view.append(make('span', 'left', line.left));
  for (const name of ['symbols', 'numbers']) {
    const text = line[name];
    if (!text || text === line.value || parts.includes(text)) continue;
    parts.push(text);
    const part = make('span', name);
    part.append(make('span', 'equals', ' = '), text);
    view.append(part);
  }
  view.append(make('span', 'equals', ' = '));
  if (hidden) {
    const ask = make('button', 'ask', '?');
    ask.type = 'button';
    ask.setAttribute('aria-label', 'Show the hidden number');
    ask.addEventListener('click', reveal);
    view.append(ask);
  } else view.append(make('span', 'result', line.value));
  if (line.reason) view.append(make('span', 'why', `  (${line.reason})`));
  return view;
}
function termList(line, hidden) {  // term by term, with the sum so far
  const list = make('ol', 'terms');
  line.terms.forEach(([symbols, numbers, value, total], k) => {
    const item = make('li'), last = hidden && k === line.terms.length - 1;
    const worked = numbers && numbers !== value ? `${numbers} = ` : '', result = make('div', '', worked);
    result.append(make('b', '', last ? '?' : value));
    item.append(make('div', '', symbols), result, make('div', 'so-far', `sum ${last ? '?' : total}`));
    list.append(item);
  });
  return list;
}
function sumOf(m, cell, hidden) {  // a gradient of several parts fills up
  const all = arrivalsAt(m.box), here = data.arrivals[m.arrival].order, view = make('div', 'sum');
  view.append(make('span', '', `${data.boxes[m.box].slopes[cell]} = `));
  all.forEach((arrival, k) => {
    if (k) view.append('+');
    const line = arrival.lines && arrival.lines[cell], known = arrival.order <= here;
    const part = make('span', known ? 'part' : 'part missing', known && line ? (hidden && arrival.order === here ? '?' : line.value) : '□');
    part.append(' ', make('small', '', `through ${data.boxes[arrival.source].name}`));
    view.append(part);
  });
  if (here === all.length && !hidden) view.append('=', make('b', 'result', data.arrivals[m.arrival].totals[cell]));
  return view;
}
function board(m, hidden) {
  const words = byId('words'), formula = byId('formula');
  words.replaceChildren(); formula.replaceChildren();
  const say = (text, engine) => {
    if (!engine) { words.append(text); return; }
    const term = make('abbr', '', text);
    term.title = engine; term.tabIndex = 0;
    term.setAttribute('aria-label', `${text} In the engine: ${engine}`);
    const more = make('span', 'engine', ` In the engine: ${engine}`);
    more.hidden = true;
    term.addEventListener('click', () => { more.hidden = !more.hidden; });  // where nothing hovers
    words.append(term, more);
  };
  if (!m) { say('The inputs are known. Step forward to compute the values.'); return; }
  const box = data.boxes[m.box];
  if (m.side === VALUE) say(`Forward: ${box.op} computes ${box.name}.`, box.engine);
  else if (m.start) {
    say(`The values are known. The backward pass starts at ${box.name}.`,
      'The engine calls the gradient of the output its cotangent.');
    const cell = m.cell ?? (box.start.length === 1 ? 0 : null);
    if (cell == null) formula.append(make('div', 'equation', `${SLOPE + box.name} is given.`));
    else formula.append(equation({ left: box.slopes[cell], symbols: '', numbers: '', value: box.start[cell], terms: [] }, hidden));
    if (m.flow && m.flow.lit.length) formula.append(make('div', 'note', 'It flows to the elements that are marked.'));
    return;
  } else say(data.arrivals[m.arrival].words, data.arrivals[m.arrival].engine);
  if (!m.line) {
    const left = m.side === VALUE ? box.name : SLOPE + box.name;
    formula.append(make('div', 'equation', box.elements.length ? `${left}: ${box.elements.length} numbers` : `${left}: an array of shape ${box.shape}`));
    if (box.elements.length) formula.append(make('div', 'note', 'Point at one of them to see where it comes from.'));
    return;
  }
  formula.append(equation(m.line, hidden));
  if (m.line.note) formula.append(make('div', 'note', m.line.note));
  if (m.side === GRADIENT && data.arrivals[m.arrival].of > 1) formula.append(sumOf(m, m.cell, hidden));
  if (m.line.terms.length > 1) formula.append(termList(m.line, hidden));
}

// --- Showing a moment ---

function light(m) {
  for (const both of cells) for (const side of both) for (const cell of side) cell.classList.remove('lit', 'faint', 'now', 'flow');
  for (const box of boxes) box.classList.remove('now', 'via');
  if (!m) return;
  boxes[m.box].classList.add('now');
  if (m.arrival != null) boxes[data.arrivals[m.arrival].source].classList.add('via');
  const mark = (name, list) => { for (const [b, s, c] of list) if (cells[b][s][c]) cells[b][s][c].classList.add(name); };
  if (m.line) { m.line.lit.forEach(list => mark('lit', list)); mark('faint', m.line.faint); }
  if (m.flow) { mark('flow', m.flow.lit); mark('faint', m.flow.faint); mark('lit', m.flow.inputs ?? []); }
  if (m.cell != null) cells[m.box][m.side][m.cell].classList.add('now');
}
function paint() {
  const { found, parts } = texts(state.at + 1), hidden = state.asked === state.at, m = moments[state.at];
  data.boxes.forEach((box, at) => [VALUE, GRADIENT].forEach(side => cells[at][side].forEach((cell, c) => {
    const asked = hidden && m && m.box === at && m.side === side && (m.cell == null || m.cell === c);
    const text = asked ? '?' : found[at][side][c], name = side === VALUE ? box.elements[c] : box.slopes[c];
    cell.textContent = text || '\u00a0';
    cell.classList.toggle('ask', asked);
    cell.classList.toggle('partial', side === GRADIENT && !!text && parts[at][c] > 0 && parts[at][c] < arrivalsAt(at).length);
    cell.setAttribute('aria-label', asked ? `${name}: hidden, press Enter to show it` : `${name} ${text ? '= ' + text : 'is not known yet'}`);
  })));
  const shown = state.peek ?? m;
  light(shown);
  board(shown, hidden && !state.peek);
  wires(shown && !shown.start ? wireOf(shown) : null);
  byId('slider').value = state.at + 1;
  byId('step').textContent = state.at < 0 ? 'Inputs' : state.at < forwards ? `Forward ${state.at + 1} of ${forwards}`
    : `Backward ${state.at - forwards + 1} of ${moments.length - forwards}`;
}
const wireOf = m => m.side === VALUE ? { side: VALUE, target: m.box }
  : m.arrival == null ? null : { side: GRADIENT, source: m.box, target: data.arrivals[m.arrival].source };
function goTo(at, ask = false) {
  const to = Math.max(-1, Math.min(moments.length - 1, at));
  state.asked = ask && byId('hide').checked && to > state.at ? to : null;
  state.at = to;
  state.peek = null;
  paint();
  const m = moments[to];
  if (m) boxes[m.box].scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
function reveal() { state.asked = null; paint(); }
const next = () => state.asked === state.at && state.asked != null ? reveal() : goTo(state.at + 1, true);
function skip() {  // to the last element of this array, or of the next one
  const same = (a, b) => a && b && a.box === b.box && a.side === b.side && a.arrival === b.arrival;
  let to = Math.min(state.at + 1, moments.length - 1);
  while (same(moments[to], moments[to + 1])) to++;
  goTo(to);
}

// --- Looking at one element: its line, and the elements that it flows into ---

function peekOf(box, side, cell) {
  const done = moments.slice(0, state.at + 1).filter(m => m.box === box && m.side === side && (m.cell == null || m.cell === cell));
  const last = done.at(-1), flow = { lit: [], faint: [] };
  data.arrivals.forEach(arrival => {
    if (side !== GRADIENT || arrival.source !== box || !arrival.lines) return;
    arrival.lines.forEach((line, i) => {
      const uses = list => list.some(([b, s, c]) => b === box && s === GRADIENT && c === cell);
      if (line.lit.some(list => uses(list))) flow.lit.push([arrival.target, GRADIENT, i]);
      else if (uses(line.faint)) flow.faint.push([arrival.target, GRADIENT, i], [arrival.target, VALUE, i]);
    });
  });
  if (!last) return null;
  const lines = side === VALUE ? data.forward[box] : last.arrival != null ? data.arrivals[last.arrival].lines : null;
  const own = data.forward[box] && data.forward[box][cell];
  if (side === GRADIENT && own) flow.inputs = own.lit.flat().filter(x => !flow.faint.some(y => x.join() === y.join()));
  return { ...last, box, side, cell, line: lines && lines[cell], flow };
}
function peek(target) {
  const cell = target && target.closest ? target.closest('.cell') : null;
  if (!cell || cell.classList.contains('ask')) { if (state.peek) { state.peek = null; paint(); } return; }
  const { box, side, cell: index } = cell.dataset;
  state.peek = peekOf(Number(box), Number(side), Number(index));
  paint();
}
const stage = byId('stage');
let pointer = '';  // where it was: under a pointer that rests, cells change and browsers send events
stage.addEventListener('pointerover', e => {
  const there = `${e.clientX},${e.clientY}`;
  if (e.pointerType !== 'touch' && there !== pointer) { pointer = there; peek(e.target); }
});
stage.addEventListener('pointermove', e => { pointer = `${e.clientX},${e.clientY}`; });
stage.addEventListener('pointerleave', () => peek(null));
stage.addEventListener('focusin', e => { if (e.target.matches(':focus-visible')) peek(e.target); });
stage.addEventListener('focusout', () => peek(null));
stage.addEventListener('click', e => {
  const cell = e.target.closest('.cell');
  if (cell && cell.classList.contains('ask')) reveal(); else peek(e.target);
});

// --- The controls ---

byId('first').addEventListener('click', () => goTo(-1));
byId('back').addEventListener('click', () => goTo(state.at - 1));
byId('next').addEventListener('click', next);
byId('skip').addEventListener('click', skip);
byId('last').addEventListener('click', () => goTo(moments.length - 1));
byId('slider').max = moments.length;
byId('slider').addEventListener('input', e => goTo(Number(e.target.value) - 1));
byId('hide').addEventListener('change', () => { if (!byId('hide').checked) reveal(); });
function theme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
}
byId('theme').addEventListener('click', theme);
function within(cell, key) {  // the cell that an arrow key leads to
  const rows = [...cell.closest('.grid').querySelectorAll('.line')], row = cell.parentElement;
  const r = rows.indexOf(row), c = [...row.children].indexOf(cell);
  const [dr, dc] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
  return rows[r + dr] && rows[r + dr].children[c + dc];
}
addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const cell = e.target.closest('.grid .cell'), slider = e.target.id === 'slider';
  if (cell && e.key.startsWith('Arrow') && !e.shiftKey) {
    const to = within(cell, e.key);
    if (to) { cell.tabIndex = -1; to.tabIndex = 0; to.focus(); }
    e.preventDefault();
    return;
  }
  if (slider && (e.key.startsWith('Arrow') || e.key === 'Home' || e.key === 'End')) return;
  const actions = { ArrowRight: e.shiftKey ? skip : next, ArrowLeft: () => goTo(state.at - 1), PageDown: next,
    PageUp: () => goTo(state.at - 1), Home: () => goTo(-1), End: () => goTo(moments.length - 1), d: theme,
    h: () => byId('hide').click(), Escape: () => { if (e.target.blur) e.target.blur(); peek(null); } };
  if (!(e.key in actions)) return;
  e.preventDefault();
  actions[e.key]();
});
// The arrangement with the largest letters that fits: gradients beside the values, or under them.
function fit() {
  const graph = byId('graph'), narrow = matchMedia('(max-width: 760px)').matches, largest = narrow ? 13 : 17;
  const fits = size => {
    graph.style.fontSize = `${size}px`;
    return graph.offsetWidth <= stage.clientWidth && (narrow || graph.offsetHeight <= stage.clientHeight);
  };
  let best = { size: 0 };
  for (const name of ['', 'stacked', 'stacked tall']) {
    graph.className = name;
    let size = largest;
    while (size >= 9.5 && !fits(size)) size -= 0.5;
    if (size >= 9.5 && size > best.size) best = { size, name };
  }
  if (!best.size) best = { size: 11, name: 'stacked' };  // it scrolls
  graph.className = best.name;
  graph.style.fontSize = `${best.size}px`;
  paint();
}
addEventListener('resize', fit);
fit();
