// What every student of a page does with its logits, whatever runs it: a label, its
// probability, and which words moved it.
import { cleanText } from "./cleaning.js";

// Who is made of it has `labels`, `several` (labels that may hold together) and
// `run(texts)`, which gives the logits of texts that are clean already.
export class Reader {
  get checked() {
    return Boolean(globalThis.crypto?.subtle);
  }

  async logits(texts) {
    return this.run(texts.map(cleanText));
  }

  async classify(text) {
    const begin = performance.now();
    const [logits] = await this.logits([text]);
    const probabilities = this.several ? logits.map(sigmoid) : softmax(logits);
    const chosen = logits.indexOf(Math.max(...logits));
    // Of several labels those that are likelier than not, as in Python.
    const holds = (z, i) => (this.several ? z > 0 : i === chosen);
    return {
      label: this.labels[chosen], chosen, logits, probabilities,
      labels: this.labels.filter((_, i) => holds(logits[i], i)),
      probability: probabilities[chosen],
      milliseconds: performance.now() - begin,
    };
  }

  // Leave out one word after the other: how much weaker is the verdict? The words
  // are those that the student reads, after cleaning.
  async occlude(text, chosen, most = 80) {
    const words = cleanText(text).split(" ").filter(Boolean);
    const asked = words.slice(0, most);
    const without = asked.map((_, i) => words.filter((_, j) => j !== i).join(" "));
    const [whole] = await this.run([words.join(" ")]);
    const strength = this.several ? (z) => z[chosen] : (z) => margin(z, chosen);
    const base = strength(whole);
    const effects = [];
    for (let start = 0; start < without.length; start += 16) {
      await new Promise((go) => setTimeout(go)); // the page stays awake
      const part = await this.run(without.slice(start, start + 16));
      effects.push(...part.map((z) => base - strength(z)));
    }
    return { words, effects };
  }
}

// A file of the page; `listed` has its bytes and its checksum. One that was damaged,
// or put there by another export, is no part of this student.
export async function read(name, listed) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name} could not be loaded (${answer.status})`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const cure = "it is damaged or of another version; load the page again";
  if (bytes.length !== listed?.bytes) throw new Error(`${name} has another size: ${cure}`);
  if (globalThis.crypto?.subtle) { // there is none at an address that is not secure
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const sum = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
    if (sum !== listed.sha256) throw new Error(`${name} has another checksum: ${cure}`);
  }
  return bytes;
}

function margin(logits, chosen) {
  return logits[chosen] - Math.max(...logits.filter((_, i) => i !== chosen));
}

function sigmoid(z) {
  return 1 / (1 + Math.exp(-z));
}

function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
