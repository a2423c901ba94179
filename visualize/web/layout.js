// Positions of boxes, frames and edges. Each open module is laid out on its own, in layers, and then
// counts as one box of the module around it. An edge crosses a frame through a port in its border.
// Everything is computed from top to bottom; left to right swaps widths and heights.

const GAP = 22, PORT = 14;  // pixels between boxes, and the width of a port

function layout(found, turned, titles = new Map()) {
  const frameOf = path => path ?? '';
  const groups = new Map([['', { path: null, items: [], edges: new Map(), depth: 0, parent: null }]]);
  for (const path of found.frames) {
    const above = chains.get(path).slice(0, -1).filter(p => found.frames.has(p));
    groups.set(path, { path, items: [], edges: new Map(), depth: above.length + 1, parent: frameOf(above.at(-1)) });
  }
  for (const group of groups.values()) {
    group.item = { group, w: 0, h: 0 };
    if (group.parent != null) groups.get(group.parent).items.push(group.item);
  }
  for (const box of found.boxes) {
    box.item = { box, w: turned ? box.height : box.width, h: turned ? box.width : box.height };
    groups.get(frameOf(box.frames.at(-1))).items.push(box.item);
  }

  const connect = (group, a, b, edge, label) => {
    if (a === b) return;
    let byTarget = group.edges.get(a);
    if (!byTarget) group.edges.set(a, byTarget = new Map());
    let link = byTarget.get(b);
    if (!link) byTarget.set(b, link = { a, b, label: 0, light: true, ports: new Map() });
    link.label = Math.max(link.label, label);
    if (label && !turned) link.words = Math.max(link.words ?? 0, edge.label.length * 6.4 + 9);
    link.light &&= ['constant', 'parameter', 'gradient'].includes(edge.source.kind) && edge.source !== found.boxes[0];
    edge.links.push(link);
    return link;
  };
  const port = (group, kind, key) => {
    group[kind] ??= new Map();
    if (!group[kind].has(key)) {
      const item = { port: kind, w: PORT, h: 0, owner: group.item };
      group[kind].set(key, item);
      group.items.push(item);
    }
    return group[kind].get(key);
  };
  for (const edge of found.edges) {
    edge.links = [];
    const up = edge.source.frames, down = edge.target.frames;
    let common = 0;
    while (common < up.length && common < down.length && up[common] === down[common]) common++;
    let a = edge.source.item, aPort = null;
    const join = (group, from, to, ends, label) => {  // ends: the ports at which it meets frames
      const link = connect(group, from, to, edge, label);
      for (const [item, at] of ends) if (link && at) link.ports.set(item, at);
    };
    for (let k = up.length - 1; k >= common; k--) {  // out of the frames around the source
      const group = groups.get(up[k]), out = port(group, 'outs', edge.source.key);
      join(group, a, out, [[a, aPort]], 0);
      a = group.item;
      aPort = out;
    }
    let b = edge.target.item, bPort = null;
    const inner = [];
    for (let k = down.length - 1; k >= common; k--) {
      const group = groups.get(down[k]), into = port(group, 'ins', edge.source.key);
      inner.unshift([group, into, b, bPort]);
      b = group.item;
      bPort = into;
    }
    const labelled = edge.label ? (turned ? edge.label.length * 6 + 10 : 15) : 0;
    join(groups.get(frameOf(up[common - 1])), a, b, [[a, aPort], [b, bPort]], labelled);
    for (const [group, into, item, at] of inner) join(group, into, item, [[item, at]], 0);
  }

  const order = [...groups.values()].sort((a, b) => b.depth - a.depth);
  for (const group of order) {
    group.links = [...group.edges.values()].flatMap(m => [...m.values()]);
    layers(group);
    const pad = group.path == null ? [16, 16, 16, 16] : turned ? [12, 12, 26, 12] : [27, 12, 12, 12];
    if (group.path != null) {
      const title = titles.get(group.path) ?? 0;
      if (turned) group.length = Math.max(group.length, title + 22 - pad[0] - pad[1]);
      else {  // arrows that enter stay right of the title
        const first = Math.min(Infinity, ...(group.ins ? [...group.ins.values()].map(i => i.x) : []));
        const shift = Math.max(0, title + 24 - (first + pad[2]));
        for (const item of group.all) item.x += shift === Infinity ? 0 : shift;
        group.breadth += Number.isFinite(shift) ? shift : 0;
        group.breadth = Math.max(group.breadth, title + 22 - pad[2] - pad[3]);
      }
    }
    for (const item of group.all) { item.x += pad[2]; item.y += pad[0]; }
    group.item.w = group.breadth + pad[2] + pad[3];
    group.item.h = group.length + pad[0] + pad[1];
  }
  for (const group of order.reverse()) {  // from the outermost in: positions on the sheet
    const at = group.item, left = group.path == null ? 0 : at.X, top = group.path == null ? 0 : at.Y;
    if (group.path == null) { at.X = 0; at.Y = 0; }
    for (const item of group.all) { item.X = left + item.x - item.w / 2; item.Y = top + item.y; }
  }
  for (const edge of found.edges) edge.points = route(edge);
  const root = groups.get('').item;
  const swap = p => turned ? [p[1], p[0]] : p;
  for (const edge of found.edges) edge.points = edge.points.map(swap);
  for (const box of found.boxes) {
    [box.x, box.y] = swap([box.item.X, box.item.Y]);
  }
  const rects = [];
  for (const group of groups.values()) if (group.path != null) {
    const [x, y] = swap([group.item.X, group.item.Y]), [w, h] = swap([group.item.w, group.item.h]);
    rects.push({ path: group.path, x, y, w, h, depth: group.depth });
  }
  const [width, height] = swap([root.w, root.h]);
  return { rects: rects.sort((a, b) => a.depth - b.depth), width, height };
}

// The points of an edge: for each piece of it, the bottom of one box and the top of the next.
function route(edge) {
  const points = [];
  for (const link of edge.links) {
    for (const item of link.reversed ? [link.b, ...[...link.path].reverse(), link.a] : [link.a, ...link.path, link.b]) {
      const x = item.X + item.w / 2;
      if (item.dummy) points.push([x, item.Y], [x, item.Y + item.h]);
      else if (item.port === 'ins') points.push([x, item.owner.Y], [x, item.Y]);
      else if (item.port) points.push([x, item.Y], [x, item.owner.Y + item.owner.h]);
      else if (item.box === edge.source) points.push([x, item.Y + (link.reversed ? 0 : item.h)]);
      else if (item.box === edge.target) points.push([x, item.Y + (link.reversed ? item.h : 0)]);
    }
  }
  return points.filter((p, k) => !k || Math.abs(p[0] - points[k - 1][0]) + Math.abs(p[1] - points[k - 1][1]) > 0.5);
}

// --- One group, in layers ---

function layers(group) {
  const items = group.items, links = group.links;
  for (const item of items) { item.out = []; item.in = []; }
  orient(items, links);
  for (const l of links) { const [a, b] = l.reversed ? [l.b, l.a] : [l.a, l.b]; a.out.push({ to: b, l }); b.in.push({ to: a, l }); }
  rank(items);
  const all = [...items], rows = [];
  for (const l of links) {  // a long edge gets a place of its own in each layer that it crosses
    const [a, b] = l.reversed ? [l.b, l.a] : [l.a, l.b];
    l.path = [];
    for (let r = a.rank + 1; r < b.rank; r++) {
      const dummy = { dummy: true, w: 8, h: 0, rank: r, out: [], in: [] };
      l.path.push(dummy);
      all.push(dummy);
    }
    l.chain = [a, ...l.path, b];
  }
  for (const item of all) { item.up = []; item.down = []; }
  for (const l of links) for (let k = 0; k + 1 < l.chain.length; k++) {
    const [a, b] = [l.chain[k], l.chain[k + 1]];
    // long edges (10) and the path of the data (8) run straight, the ends of long edges (1) and
    // edges of parameters and constants (0.5) bend
    const weight = a.dummy && b.dummy ? 10 : a.dummy || b.dummy ? 1 : l.light ? 0.5 : 8;
    a.down.push({ to: b, weight, l }); b.up.push({ to: a, weight, l });
  }
  for (const item of all) (rows[item.rank] ??= []).push(item);
  for (let r = 0; r < rows.length; r++) rows[r] ??= [];
  arrange(rows);
  place(rows);
  let y = 0;
  rows.forEach((row, r) => {
    const height = Math.max(0, ...row.map(i => i.h));
    for (const item of row) {
      item.y = y + (item.dummy || item.port ? 0 : (height - item.h) / 2);
      if (item.dummy) item.h = height;
    }
    const label = Math.max(0, ...row.flatMap(i => i.down.map(d => d.l.label)));
    const ports = row.every(i => i.port) || (rows[r + 1] ?? []).every(i => i.port);
    y += height + (r + 1 < rows.length ? (ports ? 10 : GAP + label) : 0);
  });
  group.all = all;
  group.length = y;
  const left = Math.min(0, ...all.map(i => i.x - i.w / 2)), right = Math.max(0, ...all.map(i => i.x + i.w / 2), ...links.map(l => l.words ? l.a.x + l.words : 0));
  for (const item of all) item.x -= left;
  group.breadth = right - left;
}

function orient(items, links) {  // reverses the edges that would close a cycle
  const out = new Map(items.map(i => [i, []])), mark = new Map();
  for (const l of links) { l.reversed = false; out.get(l.a).push(l); }
  for (const start of items) {
    if (mark.has(start)) continue;
    const stack = [[start, 0]];
    mark.set(start, 1);
    while (stack.length) {
      const top = stack.at(-1), list = out.get(top[0]);
      if (top[1] >= list.length) { mark.set(top[0], 2); stack.pop(); continue; }
      const l = list[top[1]++];
      if (mark.get(l.b) === 1) l.reversed = true;
      else if (!mark.has(l.b)) { mark.set(l.b, 1); stack.push([l.b, 0]); }
    }
  }
}

function rank(items) {
  const waiting = new Map(items.map(i => [i, i.in.length])), ready = items.filter(i => !i.in.length), order = [];
  for (const item of items) item.rank = 0;
  const anyIn = items.some(i => i.port === 'ins');
  for (const item of ready) if (anyIn && item.port !== 'ins') item.rank = 1;
  while (ready.length) {
    const item = ready.pop();
    order.push(item);
    for (const { to } of item.out) {
      to.rank = Math.max(to.rank, item.rank + 1);
      waiting.set(to, waiting.get(to) - 1);
      if (!waiting.get(to)) ready.push(to);
    }
  }
  for (const item of order.reverse()) {  // an item without inputs stands just before the item that uses it
    if (!item.in.length && item.out.length && item.port !== 'ins') {
      item.rank = Math.max(item.rank, Math.min(...item.out.map(o => o.to.rank)) - 1);
    }
  }
  const last = Math.max(0, ...items.filter(i => i.port !== 'outs').map(i => i.rank));
  for (const item of items) if (item.port === 'outs') item.rank = last + 1;
}

function arrange(rows) {  // reduces crossings: sorts each row by the mean place of its neighbours, down and up
  const number = () => rows.forEach(row => row.forEach((item, k) => { item.at = k; }));
  const crossings = () => {
    let n = 0;
    for (const row of rows) {
      const ends = row.flatMap(a => a.down.map(d => [a.at, d.to.at]));
      if (ends.length > 400) continue;
      for (let i = 0; i < ends.length; i++) for (let j = i + 1; j < ends.length; j++) {
        if ((ends[i][0] - ends[j][0]) * (ends[i][1] - ends[j][1]) < 0) n++;
      }
    }
    return n;
  };
  number();
  let best = crossings(), kept = rows.map(row => [...row]);
  for (let sweep = 0; sweep < 8 && best; sweep++) {
    const down = sweep % 2 === 0, order = rows.map((_, k) => down ? k : rows.length - 1 - k);
    for (const r of order) {
      const middle = item => {
        const at = (down ? item.up : item.down).map(n => n.to.at);
        return at.length ? at.reduce((a, b) => a + b) / at.length : item.at;
      };
      const keys = new Map(rows[r].map(i => [i, middle(i)]));
      rows[r].sort((a, b) => keys.get(a) - keys.get(b) || a.at - b.at);
      rows[r].forEach((item, k) => { item.at = k; });
    }
    const n = crossings();
    if (n < best) { best = n; kept = rows.map(row => [...row]); }
  }
  kept.forEach((row, r) => { rows[r] = row; });
  number();
}

function place(rows) {  // sets x: near the neighbours, in order, without overlap
  for (const row of rows) {
    let x = 0;
    for (const item of row) { x += item.w / 2; item.x = x; x += item.w / 2 + GAP; }
    for (const item of row) item.x -= x / 2;
  }
  // an edge meets a frame at its port, which need not be in the middle
  const exit = (item, l) => l.ports.has(item) ? l.ports.get(item).x - item.w / 2 : 0;
  for (let sweep = 0; sweep < 24; sweep++) {
    const order = sweep % 2 ? [...rows].reverse() : rows;
    for (const row of order) {
      const wanted = row.map(item => {
        let total = 0, weights = 0;
        const near = sweep < 16 ? (sweep % 2 ? item.down : item.up) : [...item.up, ...item.down];
        for (const { to, weight, l } of near) {
          total += weight * (to.x + exit(to, l) - exit(item, l));
          weights += weight;
        }
        return weights ? [total / weights, weights] : [item.x, 0.1];
      });
      settle(row, wanted);
    }
  }
}

function settle(row, wanted) {  // the places nearest to the wanted ones that keep the order and the gaps
  const blocks = [];
  let shift = 0;
  row.forEach((item, k) => {
    if (k) shift += (row[k - 1].w + item.w) / 2 + (item.dummy || row[k - 1].dummy ? 12 : GAP);
    item.shift = shift;
    let block = { sum: (wanted[k][0] - shift) * wanted[k][1], weight: wanted[k][1], items: [item] };
    while (blocks.length && blocks.at(-1).sum / blocks.at(-1).weight >= block.sum / block.weight) {
      const last = blocks.pop();
      block = { sum: last.sum + block.sum, weight: last.weight + block.weight, items: [...last.items, ...block.items] };
    }
    blocks.push(block);
  });
  for (const block of blocks) for (const item of block.items) item.x = block.sum / block.weight + item.shift;
}
