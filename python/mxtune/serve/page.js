"use strict";
const SHOWN = 8, LEVEL = .9;
const at = id => document.getElementById(id);
const make = (name, text, set = {}) => Object.assign(document.createElement(name), {textContent: text ?? ""}, set);
const percent = p => p >= .995 ? "over 99 %" : p < .005 ? "under 1 %" : `${Math.round(100 * p)} %`;
const number = value => Number(value).toLocaleString("en", {maximumSignificantDigits: 4});
const listed = names => names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;

let about, key = "", asked = 0, last, own = "", drawn = "";

// ---- asking

class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function answer(path, file) {
  const headers = {"Content-Type": file?.type.startsWith("image/") ? file.type : "application/octet-stream"};
  if (key) headers.Authorization = `Bearer ${key}`;
  let got;
  try {
    got = await fetch(path, file ? {method: "POST", headers, body: file} : {});
  } catch {
    throw new Refused(0, "The service can't be reached.");
  }
  const told = await got.json().catch(() => ({}));
  if (!got.ok) {
    const more = got.status === 503 ? ["Many are asking: try again in a few seconds."] : told.details ?? [];
    throw new Refused(got.status, [told.error ?? `The service answered ${got.status}.`, ...more].join("\n"));
  }
  return told;
}

// what this model can't tell (422) is left out, and nothing is said of it; a later image has its own answers
async function also(query, file, turn, draw) {
  try {
    const told = await answer(`predict?${query}`, file);
    if (turn === asked) draw(told);
  } catch (error) {
    if (turn === asked && error.status !== 422) tell(error);
  }
}

function tell(error) {
  at("alert").textContent = error ? error.message : "";
  at("alert").hidden = !error;
  at("key-form").hidden = !(error?.status === 401);
  if (error?.status === 401) at("key").focus();
}

async function ask(file) {
  if (!file) return;
  const turn = ++asked;
  last = file;
  tell(null);
  at("result").setAttribute("aria-busy", "true");
  at("said").textContent = "Asking ...";
  try {
    const told = await answer({classification: "predict?top=1000", multilabel: "predict?type=prob"}[about.task] ?? "predict", file);
    if (turn !== asked) return;
    show_picture(file);
    for (const part of ["novel", "classes", "set", "known", "near"]) at(part).hidden = true;
    at("result").hidden = false;
    at("drop").classList.add("small");
    show_answer(told.predictions);
  } catch (error) {
    if (turn !== asked) return;
    at("said").textContent = "";
    tell(error);
    return;
  } finally {
    if (turn === asked) at("result").removeAttribute("aria-busy");
  }
  at("answer").focus({preventScroll: true});
  if (matchMedia("(max-width: 46rem)").matches) at("result").scrollIntoView();
  also(`type=set&level=${LEVEL}`, file, turn, show_set);
  also("novelty=true", file, turn, show_novelty);
  also("nearest=true", file, turn, show_near);
  also("explain=true", file, turn, show_evidence);
}

// ---- showing

function show_picture(file) {
  if (own) URL.revokeObjectURL(own);
  own = URL.createObjectURL(file);
  drawn = "";
  at("picture").src = own;
  at("picture").alt = `Your image${file.name ? `, ${file.name}` : ""}`;
  at("evidence").disabled = true;
  press(false);
}

function show_answer(rows) {
  const values = Object.entries(rows[0]).filter(([name]) => name.startsWith("pred")).map(([name, value]) => [name.replace(/^pred_?/, ""), value]);
  if (about.task === "classification") {
    const bars = rows.map(row => [String(row.pred_class), row.pred_prob]);
    show_bars(bars, "How probable each class is");
    say(bars[0][0], percent(bars[0][1]));
  } else if (about.task === "multilabel") {
    const bars = values.sort((one, other) => other[1] - one[1]), has = bars.filter(([, p]) => p >= .5).map(([name]) => name);
    show_bars(bars, "How probable each label is");
    say(has.join(", ") || "None of the labels");
  } else {
    say(values.map(([name, value]) => name ? `${name} ${number(value)}` : number(value)).join(", "));
  }
}

function say(what, sure = "") {
  at("answer").replaceChildren(make("bdi", what));
  at("said").textContent = [what, sure].filter(Boolean).join(", ");
}

function show_bars(bars, title) {
  at("h-classes").textContent = title;
  at("bars").replaceChildren(...bars.slice(0, SHOWN).map(([name, share]) => {
    const item = make("li"), track = make("span", "", {className: "track"}), filled = make("span");
    filled.style.width = `${100 * share}%`;
    track.append(filled);
    track.setAttribute("aria-hidden", "true");
    item.append(make("bdi", name), make("span", percent(share)), track);
    return item;
  }));
  const rest = bars.slice(SHOWN).reduce((sum, [, share]) => sum + share, 0);
  at("rest").textContent = bars.length > SHOWN ? `${bars.length - SHOWN} more${about.task === "classification" ? `, together ${percent(rest)}` : ""}` : "";
  at("classes").hidden = false;
}

function show_set({predictions: [row]}) {
  const often = `in ${Math.round(100 * LEVEL)} of 100 images`;
  let text;
  if (Array.isArray(row.pred_set)) {
    text = `${row.pred_set.length === 1 ? `Only ${row.pred_set[0]}` : listed(row.pred_set.map(String))}: ${often} the truth is among what is named here.`;
  } else if (about.task === "multilabel") {
    const which = value => Object.keys(row).filter(name => name.startsWith("pred_") && row[name] === value).map(name => name.slice(5));
    const parts = [["Yes", which(true)], ["No", which(false)], ["May be either", which(null)]].filter(([, names]) => names.length);
    text = `${parts.map(([what, names]) => `${what}: ${names.join(", ")}.`).join(" ")} Each label is as said here ${often}.`;
  } else if (row.pred_lower !== undefined) {
    text = `From ${number(row.pred_lower)} to ${number(row.pred_upper)}: ${often} the truth is within such a range.`;
  }
  at("members").textContent = text ?? "";
  at("set").hidden = !text;
}

function show_novelty({predictions: [row]}) {
  at("novel").hidden = row.is_novel !== true;
  at("novel").textContent = "This image is unlike all that the model has learned from: don't trust the answer.";
  if (row.is_novel === true) at("said").textContent += `. ${at("novel").textContent}`;
}

function label_of(row) {
  if ("label" in row) return typeof row.label === "number" ? number(row.label) : String(row.label);
  const labels = Object.entries(row).filter(([name]) => name.startsWith("label_")).map(([name, value]) => [name.slice(6), value]);
  if (about.task === "multilabel") return labels.filter(([, value]) => value).map(([name]) => name).join(", ") || "none";
  return labels.map(([name, value]) => `${name} ${number(value)}`).join(", ");
}

function show_near({nearest, trained_on}) {
  at("known").hidden = !trained_on.length;
  if (trained_on.length) at("said").textContent += `. ${at("known").textContent}`;
  const found = nearest.filter(row => row.neighbour !== null);
  at("near-rows").replaceChildren(...found.map(row => {
    const line = make("tr");
    line.append(make("td", row.neighbour), make("td", label_of(row)), make("td", row.similarity.toFixed(2), {className: "n"}));
    return line;
  }));
  at("near").hidden = !found.length;
}

function show_evidence({explanations: [one]}) {
  if (!one?.png) return;
  drawn = `data:image/png;base64,${one.png}`;
  const label = one.label, [more, less] = about.task === "regression"
    ? [`speaks for a larger number${label === null ? "" : ` of ${label}`}`, "for a smaller one"] : [`speaks for ${label}`, "against it"];
  at("legend").replaceChildren(make("b", "Orange", {className: "two"}), ` ${more}, `, make("b", "blue", {className: "one"}),
                               ` ${less}${one.exact ? "" : " (an estimate)"}. What the model does not see is pale.`);
  at("evidence").disabled = false;
}

function press(on) {
  at("evidence").setAttribute("aria-pressed", String(on));
  at("legend").hidden = !on;
  at("picture").src = on ? drawn : own;
}

// ---- what a user does

function taken(list) {
  const files = [...list ?? []], file = files.find(one => one.type.startsWith("image/")) ?? files[0];
  if (file) ask(file).then(() => {
    if (files.length > 1 && file === last && at("alert").hidden)
      tell(new Error(`Of these ${files.length} files this is ${file.name}: one is asked about at a time.`));
  });
  return Boolean(file);
}

async function begin() {
  for (const id of ["file", "camera"])
    at(id).addEventListener("change", event => {
      taken(event.target.files);
      event.target.value = "";
    });
  at("picture").addEventListener("load", () => {
    const {naturalWidth: width, naturalHeight: height} = at("picture");
    at("picture").classList.toggle("coarse", Math.max(width, height) <= 128);
  });
  at("picture").addEventListener("error", () => at("picture").alt = "Your image: this browser can't show its format");
  at("evidence").addEventListener("click", () => press(at("evidence").getAttribute("aria-pressed") !== "true"));
  at("key-form").addEventListener("submit", event => {
    event.preventDefault();
    key = at("key").value.trim();
    ask(last);
  });
  document.addEventListener("paste", event => {
    if (taken(event.clipboardData?.files)) event.preventDefault();
  });
  document.addEventListener("dragover", event => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
  document.addEventListener("dragleave", event => event.relatedTarget ?? at("drop").classList.remove("over"));
  document.addEventListener("drop", event => {
    event.preventDefault();
    at("drop").classList.remove("over");
    if (!taken(event.dataTransfer?.files)) tell(new Error("That was no file: save the image first, then drop it."));
  });
  try {
    about = await answer("health");
  } catch (error) {
    tell(error);
    return;
  }
  const {levels, task} = about, names = levels.slice(0, 12).join(", ") + (levels.length > 12 ? ` and ${levels.length - 12} more` : "");
  at("about").textContent = {
    classification: `It says which of ${levels.length} classes an image belongs to: ${names}.`,
    multilabel: `It says which of ${levels.length} labels an image carries: ${names}.`,
  }[task] ?? `It estimates ${names || "a number"} from an image.`;
  at("made").textContent = `mxtune ${about.version}. Nothing is loaded from elsewhere.`;
}

begin();
