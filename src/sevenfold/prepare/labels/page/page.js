// Keys of the page itself; every other letter chooses a label.
const OWN = "jkusno";
const KEYS = [..."123456789", ..."abcdefghijklmnopqrstuvwxyz"].filter((key) => !OWN.includes(key));
const MANY = 9;
const drafts = new Map(); // notes that were begun and not saved, by row
let task, row, chosen, touched;

function progress(found) {
  bar(found.labelled, "labelled", found);
  at("summary").textContent = `${found.labelled} rows labelled` + (found.skipped ? `, ${found.skipped} skipped.` : ".")
    + (found.elsewhere ? ` ${found.elsewhere} were answered by others.` : "");
}

async function go(place) {
  if (place === null || place === undefined) return finish();
  row = await ask(`row/${place}`);
  looking();
  chosen = new Set([row.answer?.label ?? []].flat());
  touched = row.answer !== null && row.answer.label !== null;
  draw();
}

function finish() {
  row = null;
  at("work").hidden = true;
  at("end").hidden = false;
  at("said").textContent = "All done";
}

function draw() {
  at("work").hidden = false;
  at("end").hidden = true;
  at("place").textContent = `Row ${row.place + 1} of ${task.rows}`;
  at("origin").textContent = row.origin;
  at("state").textContent = row.answer ? (row.answer.label === null ? "skipped" : "answered") : row.mine ? "" : "answered by others";
  at("text").replaceChildren(...row.text.split(/\n+/).map((part) => paragraph("p", part)));
  at("text").scrollTop = 0;
  at("why").textContent = row.why;
  at("why").hidden = !row.why;
  const columns = Object.entries(row.context);
  at("more").hidden = !columns.length;
  at("context").replaceChildren(...columns.flatMap(([name, text]) => [paragraph("dt", name), paragraph("dd", text)]));
  at("note").value = drafts.get(row.origin) ?? row.answer?.note ?? "";
  at("search").value = "";
  labels();
}

function labels() {
  const wanted = at("search").value.trim().toLowerCase();
  const fitting = task.labels.filter((label) => label.toLowerCase().includes(wanted));
  at("labels").replaceChildren(...fitting.map((label, number) => choice(label, wanted && number === 0)));
  at("none").hidden = fitting.length > 0;
  at("skip").disabled = at("undo").disabled = false;
  const ready = touched ? [...chosen] : row.label;
  const word = !touched ? "Accept" : task.multi ? "Save" : "Keep";
  const words = make("span", ready.length ? `${word} ` : task.multi && touched ? "Save none" : "Choose a label");
  words.append(make("bdi", ready.join(", ")));
  at("accept").replaceChildren(words, make("kbd", "Enter"));
  at("accept").disabled = !ready.length && !(task.multi && touched);
}

function choice(label, first) {
  const key = KEYS[task.labels.indexOf(label)] ?? "";
  const suggested = row.label.includes(label), score = row.scores[label];
  const button = make("button", undefined, { className: (suggested ? "suggested " : "") + (first ? "first" : "") });
  button.setAttribute("aria-pressed", chosen.has(label));
  if (key) button.setAttribute("aria-keyshortcuts", key);
  button.dataset.label = label;
  const name = make("span", undefined, { className: "name" });
  name.append(make("bdi", label));
  if (suggested) name.append(make("span", "suggested", { className: "hint" }));
  if (key) button.append(make("kbd", key));
  button.append(name);
  if (score !== undefined) button.append(make("span", score.toFixed(2), { className: "score" }));
  button.addEventListener("click", () => choose(label));
  return button;
}

function choose(label) {
  if (!task.multi) return save(label);
  // What was suggested stays ticked when the first change is made to it.
  if (!touched) chosen = new Set(row.label);
  touched = true;
  chosen.has(label) ? chosen.delete(label) : chosen.add(label);
  at("search").value = "";
  labels();
}

function accept() {
  const ready = touched ? [...chosen] : row.label;
  if (task.multi) return touched || ready.length ? save(task.labels.filter((label) => ready.includes(label))) : undefined;
  return ready.length ? save(ready[0]) : undefined;
}

function save(label) {
  return doing(async () => {
    const sent = { origin: row.origin, label, seconds: seconds(), note: at("note").value.trim() };
    const found = await ask("answer", sent);
    drafts.delete(sent.origin);
    const word = label === null ? "Skipped" : `Saved: ${[label].flat().join(", ") || "none"}`;
    progress(found.progress);
    await go(found.next);
    at("said").textContent = row ? `${word}. Row ${row.place + 1} of ${task.rows}` : `${word}. All done`;
  });
}

function undo() {
  return doing(async () => {
    const found = await ask("undo", {});
    progress(found.progress);
    if (found.undone === null) {
      at("said").textContent = "Nothing to undo";
      return;
    }
    await go(found.undone);
    at("said").textContent = `Undone. Row ${row.place + 1} of ${task.rows}`;
  });
}

function move(step) {
  const place = row ? row.place + step : task.rows - 1;
  if (place >= 0 && place < task.rows) doing(() => go(place));
}

function inField(event, key) {
  const field = event.target;
  if (key === "Escape") {
    field.value = field.id === "search" ? "" : field.value;
    field.blur();
    if (row) labels();
  } else if (key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (field.id === "note") {
      field.blur();
      // A row that has its answer gets the note at once.
      if (row.answer && row.answer.label !== null && field.value.trim() !== row.answer.note) accept();
    } else {
      const first = at("labels").firstChild;
      if (field.value.trim() && first) {
        if (!task.multi) field.blur();
        choose(first.dataset.label);
      }
    }
  }
}

const ACTS = {
  j: () => move(1), k: () => move(-1), ArrowRight: () => move(1), ArrowLeft: () => move(-1), u: undo, "?": help,
  s: () => row && save(null), n: () => at("note").focus(), "/": () => at("search").focus(), o: () => (at("more").open = !at("more").open),
};

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const key = keyOf(event);
  if (["INPUT", "TEXTAREA"].includes(event.target.tagName)) return inField(event, key);
  if (at("keys").open) {
    if (key === "?") help();
    return;
  }
  // A button or a summary that has the focus does what Enter and Space do to it.
  if (event.repeat || (["BUTTON", "SUMMARY"].includes(event.target.tagName) && (key === "Enter" || key === " "))) return;
  const label = row && task.labels[KEYS.indexOf(key)];
  const act = key === "Enter" ? row && accept : key === "0" ? row && task.multi && (() => save([])) : label ? () => choose(label) : ACTS[key];
  if (!act) return;
  event.preventDefault();
  act();
}

function wire() {
  const clicks = { accept, skip: () => save(null), undo, back: () => move(-1), on: () => move(1), help, close: help, again: undo, look: () => move(-1) };
  for (const [id, act] of Object.entries(clicks)) at(id).addEventListener("click", act);
  document.addEventListener("keydown", pressed);
  at("search").addEventListener("input", labels);
  at("note").addEventListener("input", () => row && drafts.set(row.origin, at("note").value));
  shared();
}

doing(async () => {
  task = await ask("task");
  at("annotator").textContent = task.annotator;
  at("question").textContent = task.question;
  at("search").hidden = task.labels.length <= MANY;
  at("zero").hidden = !task.multi;
  at("choose").textContent = task.multi ? "tick or untick the label" : "choose the label";
  at("enter").textContent = task.multi ? "save what is ticked, or the suggested labels" : "accept the suggested label";
  wire();
  progress(task.progress);
  await go(task.next);
});
