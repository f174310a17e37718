const SIDES = ["left", "right"];
const CHOICES = { 1: "left", 2: "right", 0: "both", 9: "neither" };
const drafts = new Map(); // notes and marks that were begun and not saved, by pair
let task, row, marks = {};

function progress(found) {
  bar(found.judged, "judged", found);
  at("summary").textContent = `${found.judged} pairs judged` + (found.skipped ? `, ${found.skipped} skipped.` : ".")
    + (found.elsewhere ? ` ${found.elsewhere} were judged by others.` : "");
}

function show(name) {
  for (const id of ["hello", "work", "end"]) at(id).hidden = id !== name;
}

async function go(place) {
  if (place === null || place === undefined) return finish();
  row = await ask(`row/${place}`);
  looking();
  const draft = drafts.get(row.origin);
  marks = Object.fromEntries(task.scales.map((name) => [name, [...(draft?.marks[name] ?? row.answer?.scales[name] ?? [null, null])]]));
  draw();
  at("note").value = draft?.note ?? row.answer?.note ?? "";
}

function finish() {
  row = null;
  show("end");
  at("said").textContent = "All done";
}

function paragraphs(text) {
  return text.split(/\n+/).map((part) => paragraph("p", part));
}

function draw() {
  show("work");
  at("place").textContent = `Pair ${row.place + 1} of ${task.rows}`;
  at("state").textContent = row.answer ? (row.answer.choice === null ? "skipped" : "judged") : row.mine ? "" : "judged by others";
  const named = row.prompt.length > 1;
  at("prompt").replaceChildren(...row.prompt.flatMap((turn) => [
    ...(named ? [make("p", turn.role, { className: "role" })] : []), ...paragraphs(turn.content ?? ""),
  ]));
  at("more").hidden = row.reference === null;
  at("reference").replaceChildren(...paragraphs(row.reference ?? ""));
  for (const [number, side] of SIDES.entries()) {
    const empty = make("p", "(an empty answer)", { className: "muted" });
    at(`words-${side}`).replaceChildren(...(row[side].trim() ? paragraphs(row[side]) : [empty]));
    at(`answer-${side}`).toggleAttribute("data-chosen", row.answer?.choice === side);
    at(`marks-${side}`).replaceChildren(...task.scales.map((name) => mark(name, number)));
  }
  for (const button of at("choices").children) {
    button.setAttribute("aria-pressed", row.answer?.choice === button.dataset.choice);
  }
  for (const box of document.querySelectorAll(".words")) box.scrollTop = 0;
}

function mark(name, side) {
  const label = make("label"), field = make("input", undefined, { inputMode: "numeric", maxLength: 1, autocomplete: "off" });
  field.value = marks[name][side] ?? "";
  field.className = "mark";
  field.setAttribute("aria-label", `${name} of answer ${side + 1}, 1 to 5`);
  field.addEventListener("input", () => {
    const value = /^[1-5]$/.test(field.value) ? Number(field.value) : null;
    field.value = value ?? "";
    marks[name][side] = value;
    draft();
    if (value !== null) onward(field);
  });
  label.append(make("bdi", name), field);
  return label;
}

// From scale to scale, both answers of each, so that one looks at the two for one thing.
function fields() {
  const of = SIDES.map((side) => [...at(`marks-${side}`).querySelectorAll("input")]);
  return of[0].flatMap((field, place) => [field, of[1][place]]);
}

function onward(field) {
  const all = fields(), next = all[all.indexOf(field) + 1];
  next ? next.focus() : field.blur();
}

function draft() {
  if (row) drafts.set(row.origin, { note: at("note").value, marks: structuredClone(marks) });
}

function save(choice) {
  return doing(async () => {
    const sent = { origin: row.origin, choice, seconds: seconds(), note: at("note").value.trim(), scales: marks };
    const found = await ask("answer", sent);
    drafts.delete(sent.origin);
    progress(found.progress);
    await go(found.next);
    at("said").textContent = (choice === null ? "Skipped. " : "Saved. ") + (row ? `Pair ${row.place + 1} of ${task.rows}` : "All done");
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
    at("said").textContent = `Undone. Pair ${row.place + 1} of ${task.rows}`;
  });
}

function move(step) {
  if (!task.annotator) return;
  const place = row ? row.place + step : task.rows - 1;
  if (place >= 0 && place < task.rows) doing(() => go(place));
}

function inField(event, key) {
  const field = event.target;
  if (key === "Escape") field.blur();
  else if (key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (field.id === "name") return begin();
    if (field.className === "mark") return onward(field);
    field.blur();
    // A pair that has its judgement gets the note at once.
    if (row.answer && row.answer.choice !== null && field.value.trim() !== row.answer.note) save(row.answer.choice);
  } else if (field.className === "mark" && !event.ctrlKey && /^Digit[1-5]$/.test(event.code) && !/^[0-9]$/.test(event.key)) {
    event.preventDefault();
    field.value = event.code.slice(5);
    field.dispatchEvent(new Event("input"));
  }
}

const ACTS = {
  j: () => move(1), k: () => move(-1), ArrowRight: () => move(1), ArrowLeft: () => move(-1), u: () => task.annotator && undo(), "?": help,
  s: () => row && save(null), n: () => row && at("note").focus(), m: () => row && fields()[0]?.focus(),
  o: () => row?.reference !== null && (at("more").open = !at("more").open),
};

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const key = keyOf(event);
  if (["INPUT", "TEXTAREA"].includes(event.target.tagName)) return inField(event, key);
  if (at("keys").open) {
    if (key === "?") help();
    return;
  }
  if (event.repeat || (["BUTTON", "SUMMARY"].includes(event.target.tagName) && (key === "Enter" || key === " "))) return;
  const act = row && key in CHOICES ? () => save(CHOICES[key]) : ACTS[key];
  if (!act) return;
  event.preventDefault();
  act();
}

function begin() {
  return doing(async () => {
    const name = at("name").value.trim();
    if (name) start(await ask("name", { annotator: name }));
  });
}

async function start(found) {
  task = found;
  if (!task.annotator) {
    show("hello");
    at("name").focus();
    return;
  }
  // A field that is hidden keeps the focus until the next picture is drawn, and would take the first keys.
  at("name").blur();
  at("annotator").textContent = task.annotator;
  progress(task.progress);
  await go(task.next);
}

function wire() {
  const clicks = { skip: () => save(null), undo, back: () => move(-1), on: () => move(1), help, close: help, again: undo, look: () => move(-1), begin };
  for (const [id, act] of Object.entries(clicks)) at(id).addEventListener("click", act);
  for (const button of at("choices").children) button.addEventListener("click", () => save(button.dataset.choice));
  document.addEventListener("keydown", pressed);
  at("note").addEventListener("input", draft);
  at("scaled").hidden = !task.scales.length;
  at("question").replaceChildren(...paragraphs(task.question));
  if (task.form) {
    for (const id of ["keep", "keep-all"]) {
      at(id).hidden = false;
      at(id).addEventListener("click", download);
    }
    at("ending").textContent = "Save the results as a file and send it to whoever asked you.";
  }
  shared();
}

doing(async () => {
  task = await ask("task");
  wire();
  await start(task);
});
