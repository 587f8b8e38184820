// The note pad. What is typed belongs to a draft of this page, outside of the part that Streamlit draws and may draw again, and
// is saved by requests of its own: neither a lost connection nor a restart of the server takes it away. The browser stores
// nothing of it. When the session ends before it is saved, it stays in the page, hidden, until its author has signed in again.
const PAUSE = 1000, LONGEST = 10_000, RETRY = 3000, BEACON_BYTES = 60_000; // a request that outlives its page is at most 64 kB
const AWAY = "Caseload cannot be reached. Your text stays on this page, and is saved as soon as it can be.";
const OUT = "Your session has ended. Your text stays on this page until you have signed in again.";
const drafts = new Map(); // by note, or by session and type for a note that is not begun

const codesOf = (text) => text.split(/[,;\s]+/).filter(Boolean).map((code) => code.toUpperCase());
const bodyOf = (draft) => ({ sections: { ...draft.sections }, diagnoses: codesOf(draft.diagnoses) });
const pack = (body) => JSON.stringify([Object.entries(body.sections).filter(([, text]) => text).sort(), body.diagnoses]);
// Codes and texts that were refused are left out until they are changed, so that the text beside them is saved.
const outgoing = (draft) => { const body = bodyOf(draft); if (JSON.stringify(body.diagnoses) === draft.refused) body.diagnoses = draft.savedCodes; for (const [key, text] of Object.entries(draft.refusedTexts)) if (body.sections[key] === text) body.sections[key] = draft.savedTexts[key]; return body; };
const isPending = (draft) => pack(outgoing(draft)) !== draft.saved;
const isUnsaved = (draft) => pack(bodyOf(draft)) !== draft.saved || Boolean(draft.addendum.text);
const listUnsaved = () => [...new Set(drafts.values())].filter((draft) => !draft.isDiscarded && isUnsaved(draft));

function beginDraft(data) {
  const sections = Object.fromEntries(data.sections.map((section) => [section.key, section.text]));
  const body = { sections, diagnoses: data.diagnoses };
  return { who: data.who, note: data.note, version: data.version, create: data.create, sections: { ...sections }, diagnoses: data.diagnoses.join(", "), saved: pack(body), savedCodes: data.diagnoses, savedTexts: sections, refusedTexts: {},
    titles: Object.fromEntries(data.sections.map((section) => [section.key, section.title])),
    addendum: { text: "", reason: "", key: crypto.randomUUID() }, word: data.note ? "Saved" : "", problem: "" };
}
function takeOver(draft, { sections, diagnoses, version }) {
  for (const key of Object.keys(draft.sections)) draft.sections[key] = sections[key] || "";
  Object.assign(draft, { diagnoses: diagnoses.join(", "), savedCodes: diagnoses, version, other: null, word: "Saved", problem: "" });
  draft.saved = pack(bodyOf(draft));
  draft.savedTexts = { ...draft.sections };
}
function say(draft, word, problem = "") { Object.assign(draft, { word, problem }); draft.show?.(); }
function saySaved(draft) { say(draft, draft.note ? "Saved" : "", pack(bodyOf(draft)) === draft.saved ? "" : draft.refusal); }
function retry(draft) { clearTimeout(draft.timer); draft.timer = setTimeout(() => save(draft), RETRY); }

async function send(method, path, document) {
  const body = JSON.stringify(document, (_, value) => typeof value === "string" && value.toWellFormed ? value.toWellFormed() : value); // half an emoji cannot be stored
  try {
    const answer = await fetch(path, { method, body, headers: { "content-type": "application/json" }, credentials: "same-origin", cache: "no-store", keepalive: body.length < BEACON_BYTES });
    const said = (answer.headers.get("content-type") || "").startsWith("application/json") ? await answer.json() : {};
    return { ...said, ok: answer.ok, status: answer.status, problem: said.problem || "Something went wrong." };
  } catch { return { ok: false, status: 0, problem: AWAY }; }
}
// Say what is wrong; try again by itself where that can help.
function refuse(draft, answer) {
  if (answer.status === 401) { draft.ended = true; say(draft, "Not saved", OUT); cover(); retry(draft); return; }
  const again = answer.status === 0 || answer.status === 429 || answer.status >= 500;
  say(draft, "Not saved", answer.status >= 500 ? AWAY : answer.problem);
  if (again) retry(draft);
}
async function isAuthorBack(draft) {
  try { const session = await (await fetch("/session", { cache: "no-store" })).json(); return session.open && session.who === draft.who; } catch { return false; }
}
// One request at a time for each draft: the next begins with the version that the one before has got.
function save(draft) {
  clearTimeout(draft.timer);
  draft.typedAt = null;
  draft.running = (draft.running || Promise.resolve()).then(() => saveOnce(draft));
  return draft.running;
}
async function saveOnce(draft) {
  if (draft.other || draft.isDiscarded) return;
  if (!isPending(draft)) { saySaved(draft); return leaveCover(draft); }
  if (draft.ended && !(await isAuthorBack(draft))) { retry(draft); return; }
  say(draft, "Saving…");
  if (!draft.note) {
    const begun = await send("POST", "/notepad", draft.create);
    if (!begun.ok) return refuse(draft, begun);
    Object.assign(draft, { note: begun.id, version: begun.version });
    drafts.set(draft.note, draft);
    draft.tell?.("begun");
  }
  const body = outgoing(draft), packed = pack(body);
  const answer = await send("PUT", `/notepad/${draft.note}`, { version: draft.version, content: body });
  if (answer.ok) {
    Object.assign(draft, { version: answer.version, saved: packed, savedCodes: body.diagnoses, savedTexts: body.sections, doubt: null });
    if (!isPending(draft)) saySaved(draft);
    else { clearTimeout(draft.timer); draft.timer = setTimeout(() => save(draft), PAUSE); }
    return leaveCover(draft);
  }
  if (answer.status === 0) draft.doubt = packed; // it may have been saved all the same
  if (answer.status === 412 && answer.current) {
    const found = pack(answer.current);
    if (found === packed || found === draft.doubt) {
      Object.assign(draft, { version: answer.current.version, saved: found, savedCodes: answer.current.diagnoses, savedTexts: answer.current.sections, doubt: null });
      return saveOnce(draft);
    }
    draft.other = answer.current;
    return say(draft, "Not saved", "This note was changed in another window meanwhile. Your text is kept here until you choose. Compare it with the other below.");
  }
  const codes = JSON.stringify(body.diagnoses);
  if (answer.status === 422 && answer.fields?.length && answer.fields.every((field) => field.startsWith("diagnoses")) && codes !== JSON.stringify(draft.savedCodes)) {
    Object.assign(draft, { refused: codes, refusal: `The diagnoses are not saved: ${answer.problem}` });
    say(draft, "Saved", draft.refusal);
    return saveOnce(draft);
  }
  const texts = (answer.status === 422 && answer.fields || []).map((field) => field.split(".")).filter(([part, key]) => part === "sections" && key in draft.titles).map(([, key]) => key);
  if (texts.length && texts.every((key) => body.sections[key] !== (draft.savedTexts[key] || ""))) {
    for (const key of texts) draft.refusedTexts[key] = body.sections[key];
    draft.refusal = `${texts.map((key) => draft.titles[key]).join(" and ")}, as typed now, is not saved: ${answer.problem}`;
    say(draft, "Saved", draft.refusal);
    return saveOnce(draft);
  }
  refuse(draft, answer);
}
async function keepMine(draft) { draft.version = draft.other.version; draft.other = null; await save(draft); }

// While the session is over, what is not saved is hidden: the next person at this screen does not read it.
function cover() {
  if (document.getElementById("cl-cover")) return;
  document.body.classList.add("cl-covered");
  const discard = () => { if (confirm("Throw away what is not saved?")) { drafts.clear(); location.replace("/sign-in?why=ended"); } };
  const link = el("a", { href: "/sign-in", target: "_blank", className: "cl-act cl-first" }, "Sign in again");
  document.body.append(el("div", { id: "cl-cover", attrs: { role: "alertdialog", "aria-label": "Signed out" } }, el("div", {}, el("h2", {}, "Your session has ended"),
    el("p", {}, "A note of yours has text that is not saved yet. It stays on this page, hidden. Sign in again in a new tab: it is saved then."),
    el("div", { className: "cl-pad-acts" }, link, el("button", { type: "button", className: "cl-act", onclick: discard }, "Throw it away")))));
  link.focus();
}
async function leaveCover(draft) {
  if (!draft.ended) return;
  if (!(await isAuthorBack(draft))) return retry(draft);
  draft.ended = false;
  if (!listUnsaved().length) return location.reload();
  document.getElementById("cl-cover")?.remove();
  document.body.classList.remove("cl-covered");
}
addEventListener("caseload:leave", (event) => {
  const open = listUnsaved();
  if (!open.length) return;
  event.preventDefault();
  cover();
  for (const draft of open) { draft.ended = true; retry(draft); }
});
addEventListener("beforeunload", (event) => {
  const open = listUnsaved();
  const isLeft = open.every((draft) => draft.note && !draft.problem && !draft.addendum.text && JSON.stringify(bodyOf(draft)).length < BEACON_BYTES);
  for (const draft of open) save(draft);
  if (open.length && !isLeft) event.preventDefault(); // the browser asks whether to leave
});
addEventListener("visibilitychange", () => { if (document.hidden) for (const draft of listUnsaved()) save(draft); });
addEventListener("submit", async (event) => {
  const open = listUnsaved();
  if (!open.length || !event.target.action.endsWith("/sign-out")) return;
  event.preventDefault();
  await Promise.all(open.map(save));
  event.target.submit();
}, true);

function field(draft, section) {
  const id = `pad-${section.key}`, box = el("textarea", { id, rows: 4, value: draft.sections[section.key], spellcheck: true, attrs: { "aria-describedby": `${id}-prompt` } });
  box.oninput = () => { draft.sections[section.key] = box.value; type(draft); };
  box.onblur = () => save(draft);
  draft.boxes[section.key] = box;
  return el("div", { className: "cl-pad-field" }, el("label", { htmlFor: id }, section.title), el("small", { id: `${id}-prompt` }, section.prompt), box);
}
function type(draft) {
  draft.isDiscarded = false;
  draft.typedAt ??= Date.now();
  if (!draft.other) say(draft, "Saving…");
  if (Date.now() - draft.typedAt > LONGEST) return save(draft); // somebody who types on without a pause
  clearTimeout(draft.timer);
  draft.timer = setTimeout(() => save(draft), PAUSE);
}
function drawWriting(draft, data) {
  draft.boxes = {};
  const codes = el("input", { id: "pad-diagnoses", value: draft.diagnoses, placeholder: "F41.1, F51.01", autocomplete: "off", attrs: { "aria-describedby": "pad-diagnoses-prompt" } });
  codes.oninput = () => { draft.diagnoses = codes.value; type(draft); };
  codes.onblur = () => save(draft);
  draft.boxes.diagnoses = codes;
  return [...data.sections.map((section) => field(draft, section)),
    el("div", { className: "cl-pad-field" }, el("label", { htmlFor: "pad-diagnoses" }, "Diagnoses"), el("small", { id: "pad-diagnoses-prompt" }, "ICD-10 codes, the main one first."), codes)];
}
const passage = (title, text, about) => el("section", { className: "cl-pad-text" }, el("h3", {}, title), el("p", {}, text || "–"), about ? el("small", {}, about) : null);
function drawReading(draft, data) {
  const parts = data.sections.map((section) => passage(section.title, section.text));
  if (data.diagnoses.length) parts.push(passage("Diagnoses", data.diagnoses.join(", ")));
  parts.push(...data.addenda.map((addendum) => passage(addendum.title, addendum.text, addendum.about)));
  if (pack(bodyOf(draft)) !== draft.saved) {
    const typed = [...Object.values(draft.sections).filter(Boolean), draft.diagnoses].filter(Boolean).join("\n\n");
    const discard = () => { drafts.delete(data.note); draft.tell?.("discarded"); };
    parts.push(el("section", { className: "cl-pad-text cl-pad-kept" }, el("h3", {}, "Typed here and not saved"), el("p", {}, typed), el("button", { type: "button", className: "cl-act", onclick: discard }, "Throw it away")));
  }
  if (data.may.includes("add")) parts.push(drawAddendum(draft));
  return parts;
}
function drawAddendum(draft) {
  const { addendum } = draft;
  const box = el("textarea", { id: "pad-addendum", rows: 4, value: addendum.text, oninput: () => { addendum.text = box.value; } });
  const reason = el("input", { id: "pad-reason", value: addendum.reason, oninput: () => { addendum.reason = reason.value; } });
  const add = async () => {
    say(draft, "Saving…");
    const answer = await send("POST", `/notepad/${draft.note}/addendum`, { key: addendum.key, addendum: { text: addendum.text, reason: addendum.reason } });
    if (answer.status === 401) { draft.ended = true; cover(); return retry(draft); }
    if (!answer.ok) { if (answer.status) addendum.key = crypto.randomUUID(); return say(draft, "Not added", answer.problem); } // the same key only where it may have been added
    draft.addendum = { text: "", reason: "", key: crypto.randomUUID() };
    drafts.delete(draft.note);
    draft.tell?.("added");
  };
  return el("section", { className: "cl-pad-text" }, el("h3", {}, "Add to this note"), el("p", {}, "The note stays as it was signed. What you add is signed on its own."),
    el("div", { className: "cl-pad-field" }, el("label", { htmlFor: "pad-addendum" }, "Addendum"), box), el("div", { className: "cl-pad-field" }, el("label", { htmlFor: "pad-reason" }, "Why it is added"), reason),
    el("button", { type: "button", className: "cl-act", onclick: add }, "Sign the addendum"));
}
// Sections of the other text that differ from what is typed here.
function listOther(draft) {
  const differs = Object.keys(draft.sections).filter((key) => (draft.other.sections[key] || "") !== draft.sections[key]);
  const codes = draft.other.diagnoses.join(", ");
  return [...differs.map((key) => passage(`The other: ${draft.titles[key]}`, draft.other.sections[key])), ...(codes === codesOf(draft.diagnoses).join(", ") ? [] : [passage("The other: Diagnoses", codes)])];
}
function drawSide(draft, data) {
  const missing = data.may.includes("write") ? data.sections.filter((section) => section.missing && !draft.sections[section.key].trim()).map((section) => section.missing) : [];
  const problems = [...data.problems, ...missing], outcome = draft.sent && data.outcome?.id === draft.sent ? data.outcome.problem : "";
  const isSaved = draft.word === "Saved" && !data.may.includes("write"); // goes without saying of a note to read
  const word = draft.sent && data.outcome?.id !== draft.sent ? "One moment…" : isSaved ? "" : draft.word;
  const act = async (step) => {
    if (step === "discard") return discard();
    if (isUnsaved(draft)) await save(draft);
    if (pack(bodyOf(draft)) !== draft.saved) return say(draft, draft.word, draft.problem || "Not everything is saved yet. Try again.");
    if (!draft.note) return say(draft, "", "Nothing is written yet.");
    draft.sent = crypto.randomUUID();
    draft.show();
    draft.setTrigger("act", { id: draft.sent, step, note: draft.note, version: draft.version });
  };
  const discard = () => {
    const reason = prompt("Why is this draft discarded? Name nobody. Its text cannot be opened here again.", "Begun by mistake");
    if (reason === null) return;
    Object.assign(draft, { isDiscarded: true, sent: crypto.randomUUID() });
    draft.show();
    draft.setTrigger("act", { id: draft.sent, step: "discard", note: draft.note, version: draft.version, reason });
  };
  const useOther = () => { if (!confirm("Throw away your text and use the other?")) return; takeOver(draft, draft.other); fill(draft); draft.show(); };
  const choices = draft.other ? [el("button", { type: "button", className: "cl-act cl-first", onclick: () => keepMine(draft) }, "Save mine"), el("button", { type: "button", className: "cl-act", onclick: useOther }, "Use the other")] : [];
  return [
    el("p", { className: `cl-pad-word ${draft.problem ? "bad" : ""}`, attrs: { role: "status" } }, el("b", {}, draft.problem ? (draft.word === "Saved" ? "Saved, but: " : `${draft.word}: `) : word), draft.problem),
    ...(choices.length ? [el("div", { className: "cl-pad-acts" }, ...choices), ...listOther(draft)] : []),
    ...(outcome ? [el("p", { className: "cl-pad-word bad", attrs: { role: "alert" } }, outcome)] : []),
    ...(problems.length ? [el("h3", {}, "Before it can be signed"), el("ul", {}, ...problems.map((problem) => el("li", {}, problem)))] : data.may.includes("write") ? [el("p", {}, "Nothing is missing for a signature.")] : []),
    ...(data.signatures.length ? [el("h3", {}, "Signatures"), el("ul", {}, ...data.signatures.map((line) => el("li", {}, line)))] : []),
    ...(data.steps.length ? [el("div", { className: "cl-pad-acts" }, ...data.steps.map((step) => el("button", { type: "button", className: step.first ? "cl-act cl-first" : "cl-act", onclick: () => act(step.key) }, step.label)))] : []),
  ];
}
function fill(draft) { for (const [key, box] of Object.entries(draft.boxes || {})) { const text = key === "diagnoses" ? draft.diagnoses : draft.sections[key]; if (box.value !== text) box.value = text; } }

export default function ({ data, parentElement, setTriggerValue }) {
  let draft = drafts.get(data.note) || drafts.get(data.key);
  if (!draft) drafts.set(data.note || data.key, (draft = beginDraft(data)));
  const isIdle = !isPending(draft) && pack(bodyOf(draft)) === draft.saved;
  if (data.note && !draft.note) Object.assign(draft, { note: data.note, version: isIdle ? data.version : 1 });
  if (data.note) drafts.set(data.note, draft);
  if (data.note && isIdle && data.version > draft.version) takeOver(draft, { sections: Object.fromEntries(data.sections.map((s) => [s.key, s.text])), diagnoses: data.diagnoses, version: data.version });
  if (data.outcome?.problem && data.outcome.id === draft.sent) draft.isDiscarded = false;
  draft.setTrigger = setTriggerValue;
  draft.tell = (happened) => setTriggerValue("act", { id: crypto.randomUUID(), step: happened });
  const isWriting = data.may.includes("write"), mode = JSON.stringify([isWriting, data.note && !isWriting ? data.version : 0, data.sections.map((s) => s.key), !isWriting && pack(bodyOf(draft)) !== draft.saved]);
  let root = parentElement.querySelector(".cl-pad");
  if (!root || root.draft !== draft || root.dataset.mode !== mode) {
    root = put(parentElement, "cl-pad", el("div", { className: "cl-pad", draft }, el("div", { className: "cl-pad-main" }, ...(isWriting ? drawWriting(draft, data) : drawReading(draft, data))), el("aside", { className: "cl-pad-side" })));
    root.dataset.mode = mode;
  } else fill(draft);
  const side = root.querySelector(".cl-pad-side");
  let shown = "";
  draft.show = () => {
    const now = JSON.stringify([draft.word, draft.problem, Boolean(draft.other), data.outcome, draft.sent, data.steps, data.problems, data.sections.map((s) => !(draft.sections[s.key] || "").trim())]);
    if (now !== shown) { shown = now; side.replaceChildren(...drawSide(draft, data)); } // replaced only if it changed: a focused button stays
  };
  draft.show();
}
