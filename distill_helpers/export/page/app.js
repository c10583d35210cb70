// The page around the student. Text is put in as text, never as HTML.
import { cleanText } from "./cleaning.js";

const $ = (id) => document.getElementById(id);
const percent = (p) => `${(100 * p).toFixed(1)}%`;
const inWords = (names) => names.join(", ") || "none of the labels";
let student, settings = {};

async function start() {
  try {
    settings = await readList();
    const { Classifier } = await import(`./${settings.reader}`);
    student = await Classifier.load(settings.files);
    await student.classify("Warm up.");
  } catch (error) {
    $("state").textContent = `The student could not be loaded: ${error.message}`;
    document.documentElement.dataset.ready = "no";
    throw error;
  }
  $("state").textContent = student.checked
    ? "The student is ready. It works without a network."
    : "The student is ready. At this address the browser can neither compare its " +
      "checksums nor keep it for later: that takes https or this machine.";
  $("model").textContent =
    `What was loaded to answer: ${(student.bytes / 1e6).toFixed(2)} MB, ` +
    `labels ${student.labels.join(", ")}, made with the kit's version ` +
    `${student.about.kit}.`;
  $("ask").disabled = false;
  $("compare").hidden = $("fallback").hidden = !settings.server;
  if (settings.server) {
    $("privacy").textContent =
      "Your text stays on this device unless you press “Ask the teacher too”, " +
      `which sends it to ${settings.server}, or the student is unsure and ` +
      "you have allowed it to ask.";
  }
  document.documentElement.dataset.ready = "yes";
}

// What belongs to this version of the page; a page may be replaced while it loads.
async function readList() {
  const answer = await fetch(new URL("../page.json", import.meta.url), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`page.json could not be loaded (${answer.status})`);
  const found = await answer.json();
  const own = new URL(".", import.meta.url).pathname.split("/").at(-2);
  if (found.version !== own) {
    throw new Error(`its list is of another version (${found.version}); load the page again`);
  }
  return found;
}

async function ask(event) {
  event?.preventDefault();
  const text = $("text").value.trim();
  if (!cleanText(text)) {
    $("verdict").textContent = text
      ? "Of this text nothing is left to read: it is HTML or cannot be seen."
      : "There is no text yet.";
    $("facts").textContent = "";
    $("why").hidden = $("labels").hidden = true;
    return;
  }
  const answer = await student.classify(text);
  const sure = student.several || answer.probability >= (settings.threshold ?? 0);
  $("verdict").textContent = student.several
    ? inWords(answer.labels)
    : `${answer.label}, ${percent(answer.probability)}${sure ? "" : " (unsure)"}`;
  list(answer);
  $("facts").textContent =
    `Answered on this device in ${answer.milliseconds.toFixed(1)} ms.`;
  $("teacher").textContent = "";
  await explain(text, answer.chosen);
  if (!sure && settings.server && $("allow").checked) await compare();
}

// Every label with its probability; of two that exclude each other one says it all.
function list(answer) {
  $("labels").hidden = !student.several && student.labels.length < 3;
  $("labels").replaceChildren(...student.labels.map((label, i) => {
    const item = document.createElement("li");
    item.textContent = `${label}: ${percent(answer.probabilities[i])}`;
    if (answer.labels.includes(label)) item.className = "holds";
    return item;
  }));
}

async function explain(text, chosen) {
  const { words, effects } = await student.occlude(text, chosen);
  const strongest = Math.max(...effects.map(Math.abs), 1e-6);
  $("words").replaceChildren(...words.flatMap((word, i) => {
    const share = (effects[i] ?? 0) / strongest;
    const mark = document.createElement("mark");
    mark.textContent = word;
    if (share > 0.6) mark.className = "for3";
    else if (share > 0.3) mark.className = "for2";
    else if (share > 0.12) mark.className = "for1";
    else if (share < -0.3) mark.className = "against";
    return [mark, " "];
  }));
  $("weighed").textContent = student.several ? ` for “${student.labels[chosen]}”` : "";
  $("why").hidden = false;
}

async function compare() {
  const text = $("text").value.trim();
  if (!text) return;
  $("teacher").textContent = "Asking the teacher…";
  try {
    const answer = await fetch(new URL("classify", settings.server), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(settings.timeout_ms ?? 5000),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error(content.detail ?? answer.statusText);
    if (typeof content.label !== "string" || !(content.probability <= 1)) {
      throw new Error("what came is no answer");
    }
    $("teacher").textContent = content.labels
      ? `${content.answered_by} says ${inWords(content.labels)}.`
      : `${content.answered_by} says ${content.label}, ${percent(content.probability)}.`;
  } catch (error) {
    $("teacher").textContent =
      `Nobody answered (${error.message}). The verdict of this device stands.`;
  }
}

$("form").addEventListener("submit", ask);
$("compare").addEventListener("click", compare);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(event);
});
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("./worker.js", { updateViaCache: "none" }).catch((error) => {
    console.warn("No offline copy:", error.message);
  });
}
window.student = () => student; // for the tests and the curious
start();
