// The same without a server: pairs stand in the file, judgements in this browser until they are saved as a file.
const FORM = JSON.parse(at("form").textContent);
const KEPT = `sevenfold-judging-${FORM.id}`;
const RECENT = 20;
let kept = recall();

function recall() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? { annotator: FORM.annotator, acts: [] };
  } catch {
    return { annotator: FORM.annotator, acts: [] };
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    throw new Error("The browser keeps nothing for this page: save the results before you close it.");
  }
}

function held() {
  return new Map(kept.acts.map((act) => [act.origin, act]));
}

function after(place) {
  const mine = held(), waiting = FORM.rows.map((_, number) => number).filter((number) => !mine.has(FORM.rows[number].origin));
  const done = [...mine.values()], skipped = done.filter((act) => act.choice === null).length;
  const times = done.slice(-RECENT).map((act) => act.seconds).sort((one, other) => one - other);
  const pace = times.length ? Math.round(10 * times[times.length >> 1]) / 10 : null;
  const found = { judged: done.length - skipped, skipped, left: waiting.length, elsewhere: 0, seconds_a_row: pace };
  return { next: waiting.find((number) => number > place) ?? waiting[0] ?? null, progress: found };
}

async function ask(path, sent) {
  if (path === "name") {
    kept.annotator = sent.annotator;
    keep();
  }
  if (path === "name" || path === "task") {
    return { ...FORM.task, form: true, annotator: kept.annotator, rows: FORM.rows.length, ...after(-1) };
  }
  if (path === "answer") {
    const place = FORM.rows.findIndex((one) => one.origin === sent.origin);
    const at = new Date().toISOString().replace(/\.\d+Z$/, "+00:00");
    kept.acts.push({ ...sent, left: FORM.rows[place].left_id, seconds: Math.round(100 * sent.seconds) / 100, at });
    keep();
    return after(place);
  }
  if (path === "undo") {
    const last = kept.acts.pop();
    keep();
    return { ...after(-1), undone: last ? FORM.rows.findIndex((one) => one.origin === last.origin) : null };
  }
  const place = Number(path.slice(4)), shown = FORM.rows[place], mine = held().get(shown.origin);
  return { ...shown, place, answer: mine ?? null, mine: true };
}

function download() {
  const answers = [...held().values()].map(({ origin, left, choice, scales, seconds, at, note }) => ({
    origin, left, choice, scales, seconds, at, note,
  }));
  const text = JSON.stringify({ form: FORM.id, annotator: kept.annotator, answers }, null, 1);
  const link = make("a", undefined, {
    href: URL.createObjectURL(new Blob([text], { type: "application/json" })),
    download: `judgements-${kept.annotator.replace(/[^\p{L}\p{N}]+/gu, "-")}.json`,
  });
  link.click();
  // Not at once: some browsers begin to read it later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
