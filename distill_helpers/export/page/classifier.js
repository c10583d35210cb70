// The student itself: text in, label and logits out. No page in here, so that
// the tests can ask it the same questions as Python.
import * as ort from "./runtime/ort.wasm.min.mjs";
import { Tokenizer } from "./runtime/tokenizers.min.mjs";

ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

export class Classifier {
  static async load(folder = "./student/") {
    const base = new URL(folder, import.meta.url);
    const get = async (name) => {
      const answer = await fetch(new URL(name, base));
      if (!answer.ok) throw new Error(`${name} could not be loaded (${answer.status})`);
      return answer;
    };
    const about = await (await get("bundle.json")).json();
    const tokenizer = new Tokenizer(await (await get("tokenizer.json")).json(), {});
    const model = new Uint8Array(await (await get("model.onnx")).arrayBuffer());
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
    });
    return new Classifier(about, tokenizer, session);
  }

  constructor(about, tokenizer, session) {
    Object.assign(this, { about, tokenizer, session, labels: about.labels });
    this.several = about.problem_type === "multi_label_classification";
  }

  get bytes() {
    return Object.values(this.about.files).reduce((sum, f) => sum + f.bytes, 0);
  }

  // Token ids as Python's tokeniser gives them: cut first, then put the special
  // tokens around what is left, so that a long text keeps them.
  encode(text) {
    const { before, after, max_length: most, keep, pad_id: pad } = this.about;
    let ids = this.tokenizer.encode(text, { add_special_tokens: false }).ids;
    const room = most - before.length - after.length;
    if (ids.length > room) ids = keep === "end" ? ids.slice(-room) : ids.slice(0, room);
    ids = [...before, ...ids, ...after];
    return ids.length ? ids : [pad];
  }

  async logits(texts) {
    const rows = texts.map((text) => this.encode(text));
    // Even, as in Python: a graph that looks at pairs of words needs room for one.
    const length = 2 * Math.ceil(Math.max(...rows.map((row) => row.length)) / 2);
    const ids = new BigInt64Array(rows.length * length).fill(BigInt(this.about.pad_id));
    const mask = new BigInt64Array(rows.length * length);
    rows.forEach((row, r) => row.forEach((id, c) => {
      ids[r * length + c] = BigInt(id);
      mask[r * length + c] = 1n;
    }));
    const shape = [rows.length, length];
    const found = await this.session.run({
      input_ids: new ort.Tensor("int64", ids, shape),
      attention_mask: new ort.Tensor("int64", mask, shape),
    });
    const classes = this.labels.length;
    const flat = Array.from(found.logits.data, (z) => z / this.about.temperature);
    return rows.map((_, r) => flat.slice(r * classes, (r + 1) * classes));
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

  // Leave out one word after the other: how much weaker is the verdict?
  async occlude(text, chosen, most = 80) {
    const words = text.match(/\S+/g) ?? [];
    const asked = words.slice(0, most);
    const without = asked.map((_, i) => words.filter((_, j) => j !== i).join(" "));
    const [whole] = await this.logits([words.join(" ")]);
    const strength = this.several ? (z) => z[chosen] : (z) => margin(z, chosen);
    const base = strength(whole);
    const effects = [];
    for (let start = 0; start < without.length; start += 16) {
      const part = await this.logits(without.slice(start, start + 16));
      effects.push(...part.map((z) => base - strength(z)));
    }
    return { words, effects };
  }
}

function margin(logits, chosen) {
  return logits[chosen] - Math.max(...logits.filter((_, i) => i !== chosen));
}

export function sigmoid(z) {
  return 1 / (1 + Math.exp(-z));
}

export function softmax(logits) {
  const highest = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
