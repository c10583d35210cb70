// A reader of cards in a page: words and pixels in, an answer and a look out.
import * as ort from "./runtime/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const at = (id) => document.getElementById(id);
const bytes = async (name) => {
  const found = await fetch(name);
  if (!found.ok) throw new Error(`${name}: ${found.status}`);
  return found.arrayBuffer();
};

class Reader {
  static async load() {
    const parts = ["cards.json", "pictures.f32", "student.onnx"];
    const [listed, ink, model] = await Promise.all(parts.map(bytes));
    const about = JSON.parse(new TextDecoder().decode(listed));
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
    });
    return new Reader(about, new Float32Array(ink), session);
  }

  constructor(about, ink, session) {
    Object.assign(this, { about, ink, session });
  }

  picture(card) {
    const [height, width] = this.about.size;
    return this.ink.slice(card * height * width, (card + 1) * height * width);
  }

  // `question` is a place in the list of all; by default the card's own.
  async ask(card, question = this.about.asked[card], seen = true, read = true) {
    const { first, blank, typed, questions, size } = this.about;
    const copy = read ? typed[card] : typed[card].map(() => blank);
    const ids = [first, ...copy, ...questions[question].ids];
    const pixels = seen ? this.picture(card) : new Float32Array(size[0] * size[1]);
    const found = await this.session.run({
      input_ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
      pixel_values: new ort.Tensor("float32", pixels, [1, ...size]),
    });
    const logits = Array.from(found.logits.data);
    if (!logits.every(Number.isFinite)) throw new Error("the answer is no number");
    // The first block, and in it the token that answers.
    const looks = Array.from(found.maps.data.slice(0, found.maps.dims[3]));
    const answer = this.about.answers[logits.indexOf(Math.max(...logits))];
    return { answer, logits, looks };
  }
}

function draw(reader, card, seen) {
  const [height, width] = reader.about.size;
  const image = new ImageData(width, height);
  reader.picture(card).forEach((ink, i) => {
    const grey = seen ? 255 * (1 - Math.min(1, Math.max(0, ink))) : 255;
    image.data.set([grey, grey, grey, 255], 4 * i);
  });
  at("picture").getContext("2d").putImageData(image, 0, 0);
}

function show({ answer, looks }, columns) {
  at("answer").textContent = answer;
  const cells = looks.slice(0, -1);
  const rows = [];
  for (let from = 0; from < cells.length; from += columns) {
    const row = document.createElement("tr");
    for (const share of cells.slice(from, from + columns)) {
      const cell = document.createElement("td");
      cell.textContent = share.toFixed(2);
      cell.className = share > 1 / columns ? "much" : "";
      row.append(cell);
    }
    rows.push(row);
  }
  at("looks").replaceChildren(...rows);
  at("nowhere").textContent = `At "no picture": ${looks.at(-1).toFixed(2)}`;
}

async function update(reader, own) {
  const count = reader.about.asked.length;
  const card = Math.min(count, Math.max(1, Math.round(at("card").valueAsNumber || 1))) - 1;
  if (own) at("question").value = reader.about.asked[card];
  const seen = at("seen").checked, read = at("read").checked;
  draw(reader, card, seen);
  at("typed").textContent = read ? reader.about.written[card] : "none";
  if (!seen && !read) {
    at("answer").textContent = "With neither sense there is nothing to answer from.";
    at("looks").replaceChildren();
    at("nowhere").textContent = "";
    return;
  }
  const question = Number(at("question").value);
  show(await reader.ask(card, question, seen, read), reader.about.columns);
}

try {
  const reader = await Reader.load();
  globalThis.reader = reader;
  at("card").max = reader.about.asked.length;
  at("question").append(...reader.about.questions.map(({ text }, i) => new Option(text, i)));
  at("card").addEventListener("input", () => update(reader, true));
  for (const id of ["question", "seen", "read"]) {
    at(id).addEventListener("change", () => update(reader, false));
  }
  await update(reader, true);
  at("state").textContent = `${reader.about.asked.length} cards are here.`;
  document.documentElement.dataset.ready = "yes";
} catch (error) {
  at("state").textContent = `The student cannot be loaded: ${error.message}`;
  document.documentElement.dataset.ready = "no";
}
