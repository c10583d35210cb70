// A student in ONNX and its tokeniser. No page in here, so that the tests can ask it
// the same questions as Python.
import { Reader, read } from "./answers.js";
import * as ort from "./runtime/ort.wasm.min.mjs";
import { Tokenizer } from "./runtime/tokenizers.min.mjs";

ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const FORMATS = {
  "distill-bundle-1": "single_label_classification",
  "distill-bundle-2": "multi_label_classification",
};

export class Classifier extends Reader {
  static async load(files) {
    const get = async (name) => read(`student/${name}`, files[`student/${name}`]);
    const parts = ["bundle.json", "tokenizer.json", "model.onnx"];
    const [listed, tokens, model] = await Promise.all(parts.map(get));
    const about = JSON.parse(new TextDecoder().decode(listed));
    const fault = faultOf(about);
    if (fault) throw new Error(`student/bundle.json is damaged: ${fault}`);
    const tokenizer = new Tokenizer(JSON.parse(new TextDecoder().decode(tokens)), {});
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
    });
    return new Classifier(about, tokenizer, session);
  }

  constructor(about, tokenizer, session) {
    super();
    Object.assign(this, { about, tokenizer, session, labels: about.labels });
    this.several = about.format === "distill-bundle-2";
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

  // Of texts that are clean already.
  async run(texts) {
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
    const { dims } = found.logits;
    if (dims.length !== 2 || dims[1] !== classes) {
      throw new Error(`the model gives ${dims.at(-1)} logits for ${classes} labels`);
    }
    const flat = Array.from(found.logits.data, (z) => z / this.about.temperature);
    if (!flat.every(Number.isFinite)) throw new Error("the model gave logits that are no numbers");
    return rows.map((_, r) => flat.slice(r * classes, (r + 1) * classes));
  }
}

// What makes a list useless, in words; nothing if all is well.
function faultOf(about) {
  const whole = (n, least) => Number.isInteger(n) && n >= least;
  const ids = (list) => Array.isArray(list) && list.every((n) => whole(n, 0));
  const { labels, temperature, before, after } = about ?? {};
  if (!Object.hasOwn(FORMATS, about?.format)) return `its format is ${about?.format}`;
  const type = about.problem_type ?? FORMATS[about.format];
  if (type !== FORMATS[about.format]) return `its problem_type is ${type}`;
  if (!Array.isArray(labels) || !labels.length || new Set(labels).size < labels.length ||
      !labels.every((label) => typeof label === "string")) return "its labels";
  if (!(Number.isFinite(temperature) && temperature > 0)) return `its temperature is ${temperature}`;
  if (!ids(before) || !ids(after) || !whole(about.pad_id, 0)) return "its special tokens";
  if (!whole(about.max_length, before.length + after.length + 1)) return "its max_length";
  if (!["beginning", "end"].includes(about.keep)) return "its keep";
  return "";
}
