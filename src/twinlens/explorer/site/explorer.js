"use strict";

// What `twinlens.explorer.page` wrote; rows, streams and so on are explained there.
const data = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const SVG = "http://www.w3.org/2000/svg";
const LOW = "low-resolution";  // no method has such a name
const GROUPS = {
  fixed: "Fixed", regressed: "Regressed", wrong: "Still wrong", right: "Still right",
};

// --- small parts ---------------------------------------------------------------------

function put(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((each) => each !== null));
  return element;
}

function h(tag, attributes, ...children) {
  return put(document.createElement(tag), attributes, children);
}

function s(tag, attributes, ...children) {
  return put(document.createElementNS(SVG, tag), attributes, children);
}

function named(list, name) {
  return list.find((each) => each.name === name);
}

function numbers(text) {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

function choice(label, chosen, options, change) {
  const select = h("select", { onchange: (event) => change(event.target.value) },
    options.map(([value, text]) =>
      h("option", { value, selected: value === chosen && "" }, text)));
  return h("label", {}, label, select);
}

// --- what is known of clips ------------------------------------------------------------

for (const dataset of data.datasets) dataset.of = numbers(dataset.labels);
const known = new Map();

function verdicts(dataset, recogniser, row, stream) {
  const key = [dataset.name, recogniser.name, row, stream].join("/");
  if (!known.has(key)) {
    const packed = data.taken[dataset.name][recogniser.name][row]?.[stream];
    if (!packed) return null;
    const taken = numbers(packed.taken);
    const right = taken.map((label, at) => Number(label === dataset.of[at]));
    const at = packed.views && numbers(packed.of_views);
    const views = at && Array.from(at, (each) => packed.views[each]);
    known.set(key, { taken, right, views });
  }
  return known.get(key);
}

function mean(values) {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

// For each class that has clips: its label, and which of the data set's clips it has.
function classes(dataset) {
  if (!dataset.groups) {
    dataset.groups = dataset.classes.map(() => []);
    dataset.of.forEach((label, at) => dataset.groups[label].push(at));
  }
  return dataset.groups.map((clips, label) => ({ label, clips }))
    .filter((each) => each.clips.length);
}

function share(found, clips) {
  return 100 * mean(clips.map((at) => found.right[at]));
}

// Accuracy in percent, as the table counts it.
function accuracy(dataset, found, metric) {
  if (metric === "views") return 100 * mean(found.views);
  if (metric === "clips") return 100 * mean(Array.from(found.right));
  return mean(classes(dataset).map((each) => share(found, each.clips)));
}

// Exact two-sided p of McNemar's test: a binomial of as many wins as losses.
function mcnemar(won, lost) {
  const total = won + lost;
  if (!total) return 1;
  const logs = [0];
  for (let n = 1; n <= total; n++) logs.push(logs[n - 1] + Math.log(n));
  let tail = 0;
  for (let k = 0; k <= Math.min(won, lost); k++)
    tail += Math.exp(logs[total] - logs[k] - logs[total - k] - total * Math.LN2);
  return Math.min(1, 2 * tail);
}

function className(dataset, label) {
  return dataset.classes[label] ?? `class ${label}`;
}

// --- where we are: #/dataset/recogniser/row/stream[/clip/Class/file]?against=...&... ------

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [dataset, recogniser, row, stream, , cls, file] =
    path.split("/").map(decodeURIComponent);
  const rest = new URLSearchParams(query || "");
  return {
    dataset: named(data.datasets, dataset), recogniser: named(data.recognisers, recogniser),
    row, stream, cls, file, against: rest.get("against") || against(row),
    find: rest.get("find") || "", only: rest.get("class") || "",
    left: rest.get("left"), right: rest.get("right"),
  };
}

function against(row) {
  return row === data.reference ? data.rows.find((each) => each.name !== row)?.name ?? row
    : data.reference;
}

function to(place) {
  const words = [place.dataset.name, place.recogniser.name, place.row, place.stream];
  if (place.file) words.push("clip", place.cls, place.file);
  const query = new URLSearchParams();
  if (place.against && place.against !== against(place.row)) query.set("against", place.against);
  if (place.find) query.set("find", place.find);
  if (place.only && !place.file) query.set("class", place.only);
  for (const side of ["left", "right"]) if (place[side]) query.set(side, place[side]);
  const text = query.toString();
  return `#/${words.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

function go(place) {
  location.hash = to(place);
}

// Rows of a recogniser's table that have a stream on a data set.
function rowsWith(place, stream) {
  return data.rows.filter((row) =>
    verdicts(place.dataset, place.recogniser, row.name, stream));
}

// --- the tables --------------------------------------------------------------------------

function home() {
  const sections = data.recognisers.map((recogniser) => [
    h("h2", {}, `${recogniser.label} (${recogniser.table}.csv)`),
    h("div", { class: "scroll" }, table(recogniser)),
  ]);
  const all = main.ownerDocument.createDocumentFragment();
  all.append(...sections.flat());
  const cells = [...all.querySelectorAll("td[data-table]")];
  const off = cells.filter((each) => each.classList.contains("differs"));
  const text = off.length
    ? h("p", { class: "alarm", id: "check" },
      `${off.length} of ${cells.length} numbers differ from the tables': they stand on red`)
    : h("p", { class: "quiet", id: "check" },
      `All ${cells.length} numbers were computed here from the clips' verdicts, and equal `
      + "the tables'. Choose one to see its clips.");
  main.replaceChildren(text, all);
}

function table(recogniser) {
  const columns = data.datasets.flatMap((dataset) =>
    recogniser.streams.map((stream) => ({ dataset, stream })));
  const head = columns.map(({ dataset, stream }) =>
    h("th", { scope: "col" }, `${dataset.label} ${stream.name}`));
  const rows = data.rows.map((row) =>
    h("tr", {}, h("th", { scope: "row" }, row.label),
      columns.map(({ dataset, stream }) => cell(dataset, recogniser, row.name, stream))));
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Method"), head)),
    h("tbody", {}, rows));
}

function cell(dataset, recogniser, row, stream) {
  const found = verdicts(dataset, recogniser, row, stream.name);
  const stated = data.cells[recogniser.name][dataset.name]?.[row]?.[stream.name];
  if (!found && stated === undefined) return h("td", {});
  const value = found ? accuracy(dataset, found, stream.metric) : NaN;
  const differs = !(Math.abs(value - stated) < 0.00501);
  const place = { dataset, recogniser, row, stream: stream.name };
  return h("td", {
    class: differs && "differs", "data-table": stated ?? "",
    title: differs && `the table says ${stated ?? "nothing"}`,
  }, h("a", { href: to(place) }, value.toFixed(2)));
}

// --- a method beside another ---------------------------------------------------------------

function method(place) {
  const { dataset, recogniser, stream } = place;
  const own = verdicts(dataset, recogniser, place.row, stream);
  const other = verdicts(dataset, recogniser, place.against, stream);
  const grouped = groups(own, other);
  main.replaceChildren(
    h("h2", {}, `${label(place.row)} beside ${label(place.against)}`),
    controls(place), summary(place, grouped), filters(place),
    h("div", { class: "sides" },
      h("div", {}, Object.keys(GROUPS).map((group) => clips(place, group, grouped[group]))),
      h("div", {}, scatter(place, own, other), h("div", { class: "scroll" },
        classTable(place, own, other)))));
}

function label(row) {
  return named(data.rows, row)?.label ?? row;
}

function controls(place) {
  const { dataset, recogniser, stream } = place;
  const rows = rowsWith(place, stream).map((each) => [each.name, each.label]);
  const change = (key) => (value) => go({ ...place, [key]: value });
  const streams = recogniser.streams.map(({ name }) => [name, name]);
  return h("form", { onsubmit: (event) => event.preventDefault() },
    choice("Data set", dataset.name, data.datasets.map((d) => [d.name, d.label]),
      (name) => go({ ...place, dataset: named(data.datasets, name), only: "", file: "" })),
    choice("Recogniser", recogniser.name, data.recognisers.map((r) => [r.name, r.label]),
      (name) => {
        const next = named(data.recognisers, name);
        go({ ...place, recogniser: next,
          stream: named(next.streams, stream) ? stream : next.streams[0].name });
      }),
    choice("Stream", stream, streams, change("stream")),
    choice("Method", place.row, rows, change("row")),
    choice("Against", place.against, rows, change("against")));
}

function filters(place) {
  const options = [["", "all"], ...classes(place.dataset).map(({ label: each }) =>
    [className(place.dataset, each), className(place.dataset, each)])];
  const find = h("input", {
    type: "search", value: place.find, id: "find",
    oninput: (event) => narrow(event.target.value),
    onchange: (event) => history.replaceState(null, "", to({ ...place, find: event.target.value })),
  });
  setTimeout(() => narrow(place.find));
  return h("form", { onsubmit: (event) => event.preventDefault() },
    choice("Class", place.only, options, (only) => go({ ...place, only })),
    h("label", {}, "Find clip", find));
}

// Hide the clips whose name lacks a text.
function narrow(text) {
  for (const item of main.querySelectorAll("ul.clips li"))
    item.hidden = !item.textContent.toLowerCase().includes(text.toLowerCase());
}

function groups(own, other) {
  const found = { fixed: [], regressed: [], wrong: [], right: [] };
  own.right.forEach((right, at) => {
    const before = other.right[at];
    const group = right ? (before ? "right" : "fixed") : before ? "regressed" : "wrong";
    found[group].push(at);
  });
  return found;
}

function summary(place, grouped) {
  const [won, lost] = [grouped.fixed.length, grouped.regressed.length];
  const counts = Object.entries(GROUPS).map(([group, text]) =>
    `${text.toLowerCase()} ${grouped[group].length}`);
  return h("p", { id: "summary" }, `Of all clips: ${counts.join(", ")}. Exact McNemar: p = `
    + `${mcnemar(won, lost).toPrecision(3)}.${counted(place)}`);
}

// Where the table counts views, say that all of this counts clips.
function counted(place) {
  const { metric } = named(place.recogniser.streams, place.stream);
  return metric === "views" ? " The table counts each of a clip's views; here clips count." : "";
}

function clips(place, group, members) {
  const { dataset } = place;
  const shown = members.filter((at) =>
    !place.only || className(dataset, dataset.of[at]) === place.only);
  const items = shown.map((at) => {
    const cls = className(dataset, dataset.of[at]);
    const pictures = data.media[dataset.name]?.[at] ? " ▣" : "";
    return h("li", {}, h("a", { href: to({ ...place, cls, file: dataset.clips[at] }) },
      `${cls}/${dataset.clips[at]}${pictures}`));
  });
  const open = group === "fixed" || group === "regressed" || Boolean(place.only);
  return h("details", { open: open && "", id: group },
    h("summary", {}, `${GROUPS[group]} (${shown.length})`), h("ul", { class: "clips" }, items));
}

function scatter(place, own, other) {
  const { dataset } = place;
  const at = (value) => 40 + 3.2 * value;
  const up = (value) => 340 - 3.2 * value;
  const ticks = [0, 25, 50, 75, 100].map((value) => [
    s("text", { x: at(value), y: 358, "text-anchor": "middle" }, value),
    s("text", { x: 32, y: up(value) + 4, "text-anchor": "end" }, value),
  ]);
  const points = classes(dataset).map(({ label: each, clips: members }) => {
    const [x, y] = [share(other, members), share(own, members)];
    const name = className(dataset, each);
    const colour = named(data.rows, place.row).color;
    return s("a", { href: to({ ...place, only: name }) },
      s("circle", { cx: at(x), cy: up(y), r: 5, fill: colour, "fill-opacity": 0.55 }),
      s("title", {}, `${name}: ${x.toFixed(1)} to ${y.toFixed(1)}`));
  });
  return h("figure", {},
    s("svg", { class: "scatter", viewBox: "0 0 380 390", role: "img",
      "aria-label": "accuracy of each class" },
    s("line", { x1: at(0), y1: up(0), x2: at(100), y2: up(100), stroke: "currentColor",
      "stroke-dasharray": "4 4", opacity: 0.4 }),
    s("rect", { x: at(0), y: up(100), width: 320, height: 320, fill: "none",
      stroke: "currentColor", opacity: 0.3 }),
    ticks.flat(), points,
    s("text", { x: 200, y: 378, "text-anchor": "middle" }, `${label(place.against)}: clips right (%)`),
    s("text", { x: 12, y: 180, "text-anchor": "middle", transform: "rotate(-90 12 180)" },
      `${label(place.row)}: clips right (%)`)),
    h("figcaption", {}, "A point is a class; choose one to see its clips."));
}

function classTable(place, own, other) {
  const rows = classes(place.dataset).map(({ label: each, clips: members }) => {
    const [before, now] = [share(other, members), share(own, members)];
    return { name: className(place.dataset, each), count: members.length, before, now };
  });
  rows.sort((a, b) => (a.now - a.before) - (b.now - b.before) || a.name.localeCompare(b.name));
  const lines = rows.map((row) => h("tr", { class: row.name === place.only && "chosen" },
    h("th", { scope: "row" }, h("a", { href: to({ ...place, only: row.name }) }, row.name)),
    h("td", {}, row.count), h("td", {}, row.before.toFixed(1)), h("td", {}, row.now.toFixed(1)),
    h("td", {}, (row.now - row.before).toFixed(1))));
  const head = ["Class", "Clips", label(place.against), label(place.row), "Difference"];
  return h("table", { id: "classes" },
    h("thead", {}, h("tr", {}, head.map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", {}, lines));
}

// --- a clip --------------------------------------------------------------------------------

function clip(place) {
  const { dataset } = place;
  const label_ = dataset.classes.indexOf(place.cls);
  const at = dataset.clips.findIndex((file, n) => file === place.file && dataset.of[n] === label_);
  if (at < 0) return absent(`${dataset.label} has no test clip ${place.cls}/${place.file}`);
  const media = data.media[dataset.name]?.[at];
  const scores = h("div", { id: "scores" });
  main.replaceChildren(
    h("h2", {}, `${place.cls}/${place.file}`),
    h("p", {}, h("a", { href: to({ ...place, file: "", only: "" }) },
      `back to ${label(place.row)} beside ${label(place.against)}`)),
    media ? pictures(place, at, media)
      : h("p", { class: "quiet" }, "This clip has no pictures here: they are of those clips"
        + ` of a class on which methods agree least (by ${data.chosen_by}); explorer.clips`
        + " in the config says of how many."),
    h("h2", {}, `${place.recogniser.label}, ${place.stream}`), scores,
    h("h2", {}, "What it is taken for"),
    ...data.recognisers.map((recogniser) => verdictTable(place, recogniser, at)));
  details(dataset, label_, (found) => bars(scores, place, found[at]));
}

function verdictTable(place, recogniser, at) {
  const { dataset } = place;
  const rows = data.rows.map((row) => {
    const cells = recogniser.streams.map(({ name }) => {
      const found = verdicts(dataset, recogniser, row.name, name);
      if (!found) return h("td", {});
      const right = found.right[at];
      return h("td", { class: right ? "right" : "wrong" },
        h("a", { href: to({ ...place, recogniser, row: row.name, stream: name }) },
          `${right ? "✓" : "✗"} ${className(dataset, found.taken[at])}`));
    });
    return h("tr", { class: row.name === place.row && "chosen" },
      h("th", { scope: "row" }, row.label), cells);
  });
  const head = [recogniser.label, ...recogniser.streams.map((each) => each.name)];
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", {}, rows)));
}

// Scores of a class's clips, from a file of their own.
const loaded = new Map();

function details(dataset, label_, use) {
  const key = `${dataset.name}/${label_}`;
  if (loaded.has(key)) return use(loaded.get(key));
  window.twinlensScores = (name, found) => loaded.set(name, found);
  const script = h("script", { src: `scores/${key}.js` });
  script.onload = () => use(loaded.get(key));
  script.onerror = () => use({});
  document.head.append(script);
  return null;
}

function bars(home_, place, found) {
  const scores = found?.[place.recogniser.name];
  const sides = [...new Set([place.against, place.row])].filter((row) => scores?.[row]?.[place.stream]);
  home_.className = "sides";
  home_.replaceChildren(...sides.map((row) => h("figure", {},
    h("figcaption", {}, `${label(row)}: scores after softmax`),
    scores[row][place.stream].map(([each, value]) => bar(place, each, value)))));
}

function bar(place, each, value) {
  const name = className(place.dataset, each);
  return h("div", { class: name === place.cls ? "bar own" : "bar" },
    h("span", {}, name), h("i", { style: `width:${100 * value}%` }), h("span", {}, value.toFixed(2)));
}

// Two methods' frames on either side of a line, their flow, and a row over time.
function pictures(place, at, media) {
  const sources = [[LOW, "low resolution"], ...data.rows.map((row) => [row.name, row.label])]
    .filter(([name]) => media.strips.includes(strips(name).frames));
  const known = sources.map(([name]) => name);
  const first = (...names) => names.find((each) => known.includes(each)) ?? LOW;
  const rows = {
    left: first(place.left, place.against), right: first(place.right, place.row),
  };
  const view = { frame: Math.floor(media.index.length / 2), split: 0.5, row: 0.5, images: {} };
  const scale = Math.max(1, Math.round(640 / media.width));  // for lines that are thin
  const split = h("canvas", { class: "split", width: scale * media.width, role: "img",
    height: scale * media.height, "aria-label": "frame by two methods" });
  const below = { left: beneath(rows.left, media), right: beneath(rows.right, media) };
  const draw = () => paint(view, media, split, below);
  for (const side of ["left", "right"])
    for (const [kind, name] of Object.entries(strips(rows[side])))
      if (media.strips.includes(name))
        view.images[side + kind] = image(`${place.dataset.name}/${at}/${name}`, draw);
  const ranges = {
    split: range("split", "Line between left and right", 1, 0.01, view, draw),
    frame: range("frame", "Frame", media.index.length - 1, 1, view, draw),
    row: range("row", "Row", 1, 0.005, view, draw),
  };
  draggable(split, view, ranges, draw);
  const side = (name, text) => choice(text, rows[name], sources,
    (value) => go({ ...place, [name]: value }));
  return h("div", { id: "pictures" },
    h("form", { onsubmit: (event) => event.preventDefault() },
      side("left", "Left"), side("right", "Right"), player(view, ranges, media, draw)),
    h("div", { class: "sides" },
      h("div", {}, split, Object.values(ranges)),
      h("div", { class: "pair" }, below.left.figure, below.right.figure)));
}

// What stands beside the frame for one method: its flow if there is some, a row over time.
function beneath(row, media) {
  const found = { flow: h("canvas", {}), profile: h("canvas", {}), none: h("p", { class: "quiet" }) };
  const flows = media.strips.includes(strips(row).flow);
  const text = flows ? `flow (full colour ${media.full.toFixed(1)} px a frame), row over time`
    : "row over time";
  found.none.textContent = flows ? "No flow of this frame is stored." : "";
  found.figure = h("figure", {}, h("figcaption", {}, `${caption(row)}: ${text}`),
    found.flow, found.none, found.profile);
  return found;
}

function image(name, draw) {
  const found = new Image();
  found.onload = draw;
  found.src = `media/${name}.webp`;
  return found;
}

function range(key, text, max, step, view, draw) {
  const input = h("input", { type: "range", min: 0, max, step, value: view[key], id: key,
    oninput: () => { view[key] = Number(input.value); draw(); } });
  return h("label", {}, text, input);
}

function draggable(split, view, ranges, draw) {
  const drag = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = split.getBoundingClientRect();
    view.split = clamp((event.clientX - box.left) / box.width);
    view.row = clamp((event.clientY - box.top) / box.height);
    for (const key of ["split", "row"]) ranges[key].lastChild.value = view[key];
    draw();
  };
  for (const kind of ["pointerdown", "pointermove"]) split.addEventListener(kind, drag);
}

function clamp(value) {
  return Math.min(1, Math.max(0, value));
}

function caption(row) {
  return named(data.rows, row)?.label ?? "low resolution";
}

function strips(row) {
  const found = named(data.rows, row);
  if (!found) return { frames: "low", flow: "" };
  return { frames: `frames-${found.frames_of}`, flow: `flow-${found.flow_of}` };
}

function player(view, ranges, media, draw) {
  let timer = null;
  const button = h("button", { type: "button", id: "play", onclick: () => {
    if (timer) { clearInterval(timer); timer = null; button.textContent = "Play"; return; }
    button.textContent = "Stop";
    timer = setInterval(() => {
      if (!button.isConnected) { clearInterval(timer); return; }
      view.frame = (view.frame + 1) % media.index.length;
      ranges.frame.lastChild.value = view.frame;
      draw();
    }, 80);
  } }, "Play");
  return button;
}

function paint(view, media, split, below) {
  const { width, height } = split;
  const line = Math.round(view.split * width);
  const row = Math.min(height - 2, Math.floor(view.row * height));
  const to_ = split.getContext("2d");
  to_.imageSmoothingEnabled = false;
  to_.clearRect(0, 0, width, height);
  for (const [side, from, until] of [["left", 0, line], ["right", line, width]]) {
    const image = view.images[`${side}frames`];
    if (!image?.naturalWidth) continue;
    to_.save();
    to_.beginPath();
    to_.rect(from, 0, until - from, height);
    to_.clip();
    frame(to_, image, media.index.length, view.frame, width, height);
    to_.restore();
  }
  to_.fillStyle = "#e69f00";
  to_.fillRect(Math.min(line, width - 2), 0, 2, height);
  for (let x = 0; x < width; x += 8) to_.fillRect(x, row, 4, 2);
  for (const side of ["left", "right"]) {
    flowOf(view, media, view.images[`${side}flow`], below[side]);
    profile(view.images[`${side}frames`], media, view.row, below[side].profile);
  }
}

function frame(to_, image, count, at, width, height) {
  const tall = image.naturalHeight / count;
  to_.drawImage(image, 0, at * tall, image.naturalWidth, tall, 0, 0, width, height);
}

// The flow of a frame; of some frames none is stored.
function flowOf(view, media, image, { flow, none }) {
  const at = media.flow_index.indexOf(media.index[view.frame]);
  flow.hidden = !image || at < 0;
  none.hidden = !flow.hidden;
  if (flow.hidden || !image.naturalWidth) return;
  flow.width = image.naturalWidth;
  flow.height = image.naturalHeight / media.flow_index.length;
  frame(flow.getContext("2d"), image, media.flow_index.length, at, flow.width, flow.height);
}

// A row of every frame, each below that of the frame before; between them what is missing.
function profile(image, media, row, canvas) {
  if (!image?.naturalWidth) return;
  const count = media.index.length;
  const tall = image.naturalHeight / count;
  const from = Math.min(tall - 1, Math.floor(row * tall));
  canvas.width = image.naturalWidth;
  canvas.height = media.index[count - 1] - media.index[0] + 1;
  const to_ = canvas.getContext("2d");
  to_.imageSmoothingEnabled = false;
  media.index.forEach((index, at) => to_.drawImage(image, 0, at * tall + from,
    canvas.width, 1, 0, index - media.index[0], canvas.width, 1));
}

// --- the page ------------------------------------------------------------------------------

function absent(text) {
  main.replaceChildren(h("p", { class: "alarm" }, text), h("p", {}, h("a", { href: "#/" }, "to the tables")));
}

function show() {
  const place = read();
  if (location.hash.length < 3) return home();
  if (!place.dataset || !place.recogniser) return absent("There is no such data set or recogniser.");
  if (!verdicts(place.dataset, place.recogniser, place.row, place.stream)) {
    const [first] = rowsWith(place, place.stream);
    return absent(`${label(place.row)} has no scores of the ${place.stream} stream`
      + `${first ? `; ${first.label} has` : ""}.`);
  }
  if (!verdicts(place.dataset, place.recogniser, place.against, place.stream)) {
    const others = rowsWith(place, place.stream).filter((each) => each.name !== place.row);
    place.against = others.length ? others[0].name : place.row;
  }
  return place.file ? clip(place) : method(place);
}

document.getElementById("top").append(
  h("h1", {}, h("a", { href: "#/" }, `twinlens, world ${data.world}`)),
  h("p", { class: "quiet" }, data.note,
    data.generated.length ? h("span", { class: "generated" },
      ` Generated data: ${data.generated.join(", ")}.`) : null));
document.getElementById("bottom").append(
  h("h2", {}, "Tables that this page was built from"),
  ...data.tables.map((each) => h("p", {}, `${each.file}: SHA-256 ${each.sha256}`)));
addEventListener("hashchange", () => { show(); main.focus({ preventScroll: true }); scrollTo(0, 0); });
show();
