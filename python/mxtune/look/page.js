"use strict";
const PAGE = 60, KEYS = "1234567890";
const at = id => document.getElementById(id);
const make = (name, text, set = {}) => Object.assign(document.createElement(name), {textContent: text ?? ""}, set);
const counted = (n, one, many = one + "s") => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const percent = p => p >= .995 ? "over 99 %" : p < .01 ? "under 1 %" : `${Math.round(100 * p)} %`;

let state, views, view, rows = [], current = -1, start = 0, busy = false;

// ---- talking to the program

async function ask(what, told) {
  const options = told === undefined ? {} :
    {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(told)};
  let answer;
  try {
    answer = await fetch(what, options);
  } catch {
    throw new Error("The program that serves this page has ended. What was decided is in the table.");
  }
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

function tell(error) {
  at("alert").textContent = error ? error.message : "";
  at("alert").hidden = !error;
}

// ---- what there is to look at

const has = row => state.decisions[row] !== "";
const all = () => state.names.map((_, row) => row);
// of several labels each image has a list
const carried = label => !state.several ? [label] : label.length ? label : [null];
const spoken = (label, none = "without a label") => (state.several ? label.join(", ") : label) || none;
const labelled = label => all().filter(row => carried(state.labels[row]).includes(label) && state.decisions[row] !== "drop");

function found() {
  const suspects = state.suggested.map(([row]) => row), some = [];
  if (state.judged) some.push({id: "suspects", title: "Suspect labels", rows: () => suspects});
  some.push({id: "copies", title: "Sets of copies", n: state.sets.length, rows: () => state.sets.flat()});
  some.push({id: "bad", title: "Can't be read", n: state.bad.length, rows: () => []});
  some.push({id: "all", title: "All images", rows: all, gap: true});
  if (state.labels.some(label => carried(label)[0] === null)) some.push({id: "none", title: "Without a label", label: null, rows: () => labelled(null)});
  some.push({id: "decided", title: "Decided", rows: () => all().filter(has)});
  state.levels.forEach((level, place) =>
    some.push({id: `class ${level}`, title: level, label: level, of: true, gap: !place, rows: () => labelled(level)}));
  return some;
}

function draw_views() {
  views = found();
  const numbers = new Map();  // counted once: a class at a time, many images of many classes would be slow
  state.labels.forEach((label, row) => {
    if (state.decisions[row] !== "drop") for (const one of carried(label)) numbers.set(one, (numbers.get(one) ?? 0) + 1);
  });
  const counts = views.map(one => one.n ?? ("label" in one ? numbers.get(one.label) ?? 0 : one.rows().length));
  const most = Math.max(1, ...views.map((one, place) => one.of ? counts[place] : 0));
  const drawn = views.flatMap((one, place) => {
    const button = make("button", "", {type: "button", className: one.of ? "of-class" : ""});
    button.append(make("bdi", one.title), make("span", counts[place].toLocaleString("en"), {className: "n"}));
    if (one.of) button.append(bar(counts[place] / most));
    if (view && one.id === view.id) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => choose(one));
    const item = make("li");
    item.append(button);
    return one.gap && place ? [make("li", "", {className: "gap", ariaHidden: "true"}), item] : [item];
  });
  const focused = [...at("views").querySelectorAll("button")].indexOf(document.activeElement);
  at("views").replaceChildren(...drawn);
  if (focused >= 0) at("views").querySelectorAll("button")[focused]?.focus();
}

function bar(share) {
  const space = "http://www.w3.org/2000/svg", drawn = document.createElementNS(space, "svg");
  const filled = document.createElementNS(space, "rect");
  for (const [name, value] of [["viewBox", "0 0 100 1"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]])
    drawn.setAttribute(name, value);
  filled.setAttribute("width", 100 * share);
  filled.setAttribute("height", 1);
  drawn.append(filled);
  return drawn;
}

function choose(one) {
  view = one;
  rows = one.rows();
  start = 0;
  current = rows.find(row => !has(row)) ?? rows[0] ?? -1;
  draw();
}

// ---- drawing

function draw() {
  draw_head();
  draw_views();
  draw_image();
  draw_grid();
}

function draw_head() {
  const decided = state.decisions.filter(Boolean).length;
  const parts = [counted(state.names.length, "image"), ...state.levels.length ? [counted(state.levels.length, ...state.several ? ["label"] : ["class", "classes"])] : [],
                 `${decided.toLocaleString("en")} decided`, decided ? `saved in ${state.table}` : "nothing saved yet"];
  at("title").textContent = document.title = state.title;
  at("under").textContent = parts.join(" · ");
  at("undo").disabled = !state.steps;
  at("moves").textContent = state.moves ? "; Done moves them" : "";
}

function show(image, row, side) {
  image.classList.toggle("coarse", Math.max(...state.sizes[row]) <= 128);
  image.src = `${side}/${row}`;
}

function draw_image() {
  const row = current, is = row >= 0;
  at("image").hidden = !is;
  if (!is) return;
  const [label, was, decision] = [state.labels[row], state.was[row], state.decisions[row]];
  const told = state.suggested.find(one => one[0] === row), large = at("large");
  if (large.dataset.row !== String(row)) {
    large.dataset.row = row;
    large.hidden = false;
    at("gone").hidden = true;
    show(large, row, "large");
  }
  large.alt = `${state.names[row]}, ${spoken(label)}`;
  at("name").textContent = `${state.names[row]} · ${state.sizes[row][1]} × ${state.sizes[row][0]}`;
  at("what").replaceChildren(make("bdi", spoken(label)));
  if (was !== null && spoken(was) !== spoken(label)) at("what").append(" ", make("s", spoken(was)));
  const words = {keep: "kept", relabel: "changed", drop: "dropped"};
  if (decision) at("what").append(" ", make("span", words[decision], {className: "decision"}));
  at("model").hidden = at("take").hidden = !told;
  if (told) {
    at("model").textContent = state.several ? `The model says: ${told[1]}.` :
      `The model says ${told[1]}, ${percent(told[3])}; ${was}, ${percent(told[2])}.`;
    at("take").firstChild.textContent = state.several ? "As the model says: " : "It is ";
    at("take").querySelector("bdi").textContent = spoken(state.mended[row], "no label");
    at("take").setAttribute("aria-pressed", String(spoken(label) === spoken(state.mended[row]) && decision === "relabel"));
  }
  at("keep").setAttribute("aria-pressed", String(decision === "keep"));
  at("drop").setAttribute("aria-pressed", String(decision === "drop"));
  for (const button of at("classes").children.length === state.levels.length ? at("classes").querySelectorAll("button") : draw_classes())
    button.setAttribute("aria-pressed", String(carried(label).includes(button.dataset.label)));
}

function draw_classes() {
  at("other").hidden = !state.levels.length;
  at("other").textContent = state.several ? "Labels: set, or clear" : "Another class";
  at("classes").replaceChildren(...state.levels.map((level, place) => {
    const button = make("button", "", {type: "button"}), item = make("li");
    button.dataset.label = level;
    button.append(make("bdi", level));
    if (place < KEYS.length) button.append(make("kbd", KEYS[place]));
    button.addEventListener("click", () => give(level));
    item.append(button);
    return item;
  }));
  at("levels").replaceChildren(...state.levels.map(level => make("option", "", {value: level})));
  return at("classes").querySelectorAll("button");
}

function draw_grid() {
  const is_list = view.id === "bad", place = rows.indexOf(current);
  if (place >= 0 && (place < start || place >= start + PAGE)) start = place - place % PAGE;
  at("view").textContent = view.title;
  at("place").textContent = place >= 0 ? `${(place + 1).toLocaleString("en")} of ${counted(rows.length, "image")}` : "";
  at("earlier").hidden = at("later").hidden = rows.length <= PAGE;
  at("earlier").disabled = start === 0;
  at("later").disabled = start + PAGE >= rows.length;
  const empty = {suspects: "The model suspects no label.", copies: "No two images are copies of each other.", bad: "Every file can be read.",
                 decided: "Nothing is decided yet.", none: "Every image has a label."};
  at("empty").hidden = is_list ? state.bad.length : rows.length;
  at("empty").textContent = empty[view.id] ?? "There is no image.";
  at("grid").hidden = is_list;
  at("list").hidden = !is_list && !(view.id === "suspects" && state.notes.length);
  const lines = is_list ? state.bad : view.id === "suspects" ? state.notes.map(note => [note, ""]) : [];
  at("list").replaceChildren(...lines.map(([name, why]) => {
    const item = make("li", name);
    if (why) item.append(make("span", why));
    return item;
  }));
  const focused = at("grid").contains(document.activeElement);
  at("grid").replaceChildren(...rows.slice(start, start + PAGE).flatMap(draw_small));
  if (focused) at("grid").querySelector("[aria-current]")?.focus();
}

function draw_small(row, place) {
  const button = make("button", "", {type: "button"}), item = make("li"), image = make("img", "", {alt: "", loading: "lazy"});
  const decision = state.decisions[row], label = make("span", spoken(state.labels[row], "–"), {className: decision ? "done" : ""});
  show(image, row, "small");
  button.append(image, label);
  if (view.id === "suspects") button.append(make("span", `${state.suggested[start + place][1]}?`, {className: "sub"}));
  button.setAttribute("aria-label", [state.names[row], spoken(state.labels[row]), decision].filter(Boolean).join(", "));
  button.tabIndex = row === current ? 0 : -1;
  if (row === current) button.setAttribute("aria-current", "true");
  item.className = decision === "drop" ? "dropped" : "";
  button.addEventListener("click", () => go(row));
  item.append(button);
  const set = view.id === "copies" ? state.sets.findIndex(one => one[0] === row) : -1;
  if (set < 0) return [item];
  const differ = new Set(state.sets[set].map(one => spoken(state.was[one]))).size > 1;
  return [make("li", `Set ${set + 1}${differ ? ": labels differ" : ""}`, {className: "set"}), item];
}

// ---- what a user does

function go(row) {
  if (row === undefined || row < 0) return;
  current = row;
  draw_image();
  draw_grid();
  document.querySelector("#grid [aria-current]")?.scrollIntoView({block: "nearest"});
  at("said").textContent = `${state.names[row]}, ${spoken(state.labels[row])}, ${at("place").textContent}`;
}

const step = by => go(rows[rows.indexOf(current) + by]);

function taken(told) {
  state.decisions[told.row] = told.decision;
  state.labels[told.row] = told.label;
  state.steps = told.steps;
  if (JSON.stringify(told.levels) !== JSON.stringify(state.levels)) {  // also where a new class has another name now
    state.levels = told.levels;
    draw_classes();
  }
}

// one class decides on an image; of several labels one is set or cleared, and the image stays
function give(level) {
  if (!state.several) return decide("relabel", level);
  const now = state.labels[current] ?? [];
  return decide("relabel", now.includes(level) ? now.filter(one => one !== level) : [...now, level], true);
}

// what it has now is right: of several labels, also after some were set or cleared
const keep = () => state.several ? decide("relabel", state.labels[current]) : decide("keep");
const take = () => at("take").hidden || decide("relabel", state.mended[current]);

async function decide(decision, label = null, stays = false) {
  if (busy || current < 0) return;
  busy = true;
  try {
    const row = current, told = await ask("decide", {row, decision, label});
    taken(told);
    tell(null);
    const words = {keep: "kept", relabel: `now ${spoken(told.label)}`, drop: "dropped"}[told.decision];
    const place = rows.indexOf(row);
    if (!stays) current = [...rows.slice(place + 1), ...rows.slice(0, place)].find(one => !has(one)) ?? row;
    draw();
    const left = rows.filter(one => !has(one)).length;
    at("said").textContent = `${state.names[row]}: ${words}, saved. ${left ? `${left} left` : "All here are decided"}.`;
  } catch (error) {
    tell(error);
  }
  busy = false;
}

async function undo() {
  if (busy || !state.steps) return;
  busy = true;
  try {
    const told = await ask("undo", {});
    if (told.row !== null) {
      taken(told);
      tell(null);
      if (!rows.includes(told.row)) {
        view = views.find(one => one.id === "all");
        rows = view.rows();
      }
      current = told.row;
      draw();
      at("said").textContent = `${state.names[told.row]}: taken back.`;
    }
  } catch (error) {
    tell(error);
  }
  busy = false;
}

async function done() {
  try {
    await ask("done", {});
    at("body").hidden = true;
    at("end").hidden = false;
    at("undo").disabled = at("done").disabled = true;
    at("ended").textContent = `${at("under").textContent}. You can close this page.`;
    at("said").textContent = "Done. You can close this page.";
  } catch (error) {
    tell(error);
  }
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || at("body").hidden) {
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && event.target.localName !== "input") {
      event.preventDefault();
      undo();
    }
    return;
  }
  if (event.target.localName === "input") {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const level = state.levels[KEYS.indexOf(event.key)];
  const work = KEYS.includes(event.key) ? level !== undefined && (() => give(level)) : {
    k: keep, d: () => decide("drop"), Delete: () => decide("drop"), u: undo,
    s: take, ArrowRight: () => step(1), ArrowLeft: () => step(-1), "/": () => at("label").focus(),
  }[event.key];
  if (work) {
    event.preventDefault();
    work();
  }
}

async function begin() {
  try {
    state = await ask("state");
  } catch (error) {
    tell(error);
    return;
  }
  at("keep").addEventListener("click", keep);
  at("drop").addEventListener("click", () => decide("drop"));
  at("take").addEventListener("click", take);
  at("undo").addEventListener("click", undo);
  at("done").addEventListener("click", done);
  at("earlier").addEventListener("click", () => go(rows[start - PAGE]));
  at("later").addEventListener("click", () => go(rows[start + PAGE]));
  at("by-name").addEventListener("submit", event => {
    event.preventDefault();
    const label = at("label").value.trim();
    if (!label) return;
    at("label").value = "";
    at("label").blur();
    give(label);
  });
  at("large").addEventListener("error", () => {
    at("large").hidden = true;
    at("gone").hidden = false;
  });
  document.addEventListener("keydown", press);
  draw_classes();
  views = found();
  choose(views.find(one => one.id !== "bad" && one.rows().length) ?? views[0]);
}

begin();
