"use strict";
// What every page does alike: one act at a time, the time that a row was looked at, keys by their place, the bar.
const IDLE = 600; // seconds: nobody looks at one row that long
const at = (id) => document.getElementById(id);
let shown, away = 0, hidden = null, busy = false;

// One thing at a time: a key that comes while an answer is on its way would hit a row that nobody has seen.
async function doing(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
    at("problem").hidden = true;
  } catch (error) {
    at("problem").textContent = error.message;
    at("problem").hidden = false;
  } finally {
    busy = false;
  }
}

function make(tag, text, fields = {}) {
  const made = Object.assign(document.createElement(tag), fields);
  if (text !== undefined) made.textContent = text;
  return made;
}

function language(text) {
  if (/[\u067e\u0686\u0698\u06af\u06a9\u06cc\u06f0-\u06f9]/.test(text)) return "fa";
  if (/[\u0600-\u06ff]/.test(text)) return "ar";
  return /[\u0590-\u05ff]/.test(text) ? "he" : "";
}

function paragraph(tag, text) {
  return make(tag, text, { dir: "auto", lang: language(text) });
}

function minutes(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function bar(done, word, found) {
  const all = done + found.skipped + found.left;
  at("fill").style.width = `${all ? (100 * (done + found.skipped)) / all : 100}%`;
  at("bar").setAttribute("aria-valuemax", all);
  at("bar").setAttribute("aria-valuenow", done + found.skipped);
  at("done").textContent = `${done} ${word}` + (found.skipped ? `, ${found.skipped} skipped` : "");
  at("left").textContent = `${found.left} left` + (found.elsewhere ? ` (${found.elsewhere} with others)` : "");
  const pace = found.seconds_a_row;
  at("pace").textContent = pace ? `${(60 / pace).toFixed(pace < 6 ? 0 : 1)} rows a minute` : "";
  at("ends").textContent = pace && found.left ? `about ${minutes(pace * found.left)} left` : "";
}

function looking() {
  shown = performance.now();
  away = 0;
  hidden = document.hidden ? shown : null;
}

function seconds() {
  const gone = away + (hidden === null ? 0 : performance.now() - hidden);
  return Math.min((performance.now() - shown - gone) / 1000, IDLE);
}

function help() {
  at("keys").open ? at("keys").close() : at("keys").showModal();
}

// Where a key lies counts when it writes another script, so that a Persian keyboard works.
function keyOf(event) {
  if (/^[\x21-\x7e]$/.test(event.key) || event.key.length > 1) return event.key.length > 1 ? event.key : event.key.toLowerCase();
  if (event.key === "\u061f") return "?";
  const lies = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code);
  return lies ? lies[1].toLowerCase() : event.code === "Slash" ? (event.shiftKey ? "?" : "/") : event.key;
}

function shared() {
  // A button that was clicked keeps no focus: Enter goes on to mean what it always means.
  document.addEventListener("click", (event) => event.detail && document.activeElement?.tagName === "BUTTON" && document.activeElement.blur());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hidden = performance.now();
    else if (hidden !== null) [away, hidden] = [away + performance.now() - hidden, null];
  });
}
