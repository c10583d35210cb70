// The packed student: text in, two logits out. The file's own header says how the
// student is built (students/pocket.py writes it). No page and no library in here, so
// that Node and a browser can be asked the same questions as Python.

const FORMATS = ["distill-pocket-2", "distill-pocket-3", "distill-pocket-4"];
const KNOWN = [
  "format", "kit", "labels", "bias", "share", "rooted", "longest_run", "longest_text",
  "ngrams", "embedding_size", "filters", "widths", "pooling",
];
const POOLINGS = ["max", "mean", "attention"];
const PARTS = 16; // of a text, which attention tells apart
const UNKNOWN_WORD = 1; // padding is 0; the words that are known follow

export class PackedStudent {
  // `bytes` is a Uint8Array with the whole file.
  constructor(bytes) {
    const { tensors, about } = readFile(bytes);
    checkAbout(about);
    this.about = about;
    this.labels = about.labels;
    this.linear = new LinearPart(about, tensors);
    this.words = new WordTable(about, tensors);
    this.cnn = new TextCNN(about, tensors, this.words.keys.length + 2);
    const left = Object.keys(tensors).filter((name) => !tensors[name].used);
    if (left.length) throw new Error(`it holds ${left.join(", ")}, which this page does not know`);
  }

  // What each of some texts gets, as [logit, logit]. What a word gives to the
  // convolutions is worked out once for all of them.
  logits(texts) {
    const { share } = this.about;
    const given = new Map();
    return texts.map((text) => {
      const hashes = wordHashes(text);
      const margin = this.linear.margin(hashes);
      const cnn = this.cnn.logits(this.words.ids(hashes), given);
      return cnn.map((z, i) => share * margin * (i - 0.5) + (1 - share) * z);
    });
  }
}

// ------------------------------------------------------------------- words
// As in data/scripts.py and students/ngrams.py; a test holds the two together.
const SPACELESS =
  "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\uaa60-\uaa7f\u2e80-\u2fdf" +
  "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3040-\u30ff\u31f0-\u31ff" +
  "\uff66-\uff9f\u3100-\u312f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff" +
  "\u{20000}-\u{3fffd}";
const MARKS =
  "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff";
const LETTER = `(?:(?![${SPACELESS}_])[\\p{L}\\p{N}${MARKS}])`;
const WORD = new RegExp(`[${SPACELESS}]|${LETTER}+(?:'${LETTER}+)?|[!?.,;:()"*-]`, "gu");

export function words(text) {
  return text.toLowerCase().match(WORD) ?? [];
}

const utf8 = new TextEncoder();
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit += 1) byte = (byte >>> 1) ^ (byte & 1 ? 0xedb88320 : 0);
  return byte;
});

function crc32(word) {
  let sum = 0xffffffff;
  for (const byte of utf8.encode(word)) sum = CRC[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

function wordHashes(text) {
  return words(text).map((word) => BigInt(crc32(word)));
}

// Runs of n words, as numbers of 24 bits: arithmetic in 64 bits, as NumPy does it.
const MULTIPLIER = 0x9e3779b97f4a7c15n;
const in64 = (number) => BigInt.asUintN(64, number);

export function ngramHashes(hashes, n) {
  const keys = new Uint32Array(Math.max(0, hashes.length - n + 1));
  for (let start = 0; start < keys.length; start += 1) {
    let mixed = BigInt(n);
    for (let i = start; i < start + n; i += 1) mixed = in64(in64(mixed + hashes[i]) * MULTIPLIER);
    keys[start] = Number(in64((mixed ^ (mixed >> 32n)) * MULTIPLIER) >> 40n);
  }
  return keys;
}

// Where a key stands among sorted ones; -1 if it is not there.
function placeOf(key, keys) {
  let low = 0, high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return keys[low] === key ? low : -1;
}

// ------------------------------------------------------------------- parts
class LinearPart {
  constructor(about, tensors) {
    Object.assign(this, { bias: about.bias, longest: about.longest_run });
    this.rooted = about.rooted ?? false;
    this.keys = unpackKeys(take(tensors, "ngram_gaps", "U8", "U16"));
    this.weights = new Levels("ngram", tensors, this.keys.length, 1);
  }

  // Evidence for the second label, above zero, or for the first.
  margin(hashes) {
    const seen = new Set();
    for (let n = 1; n <= this.longest; n += 1) {
      for (const key of ngramHashes(hashes, n)) seen.add(key);
    }
    let sum = 0, found = 0;
    for (const key of seen) {
      const place = placeOf(key, this.keys);
      if (place < 0) continue;
      sum += this.weights.number(place);
      found += 1;
    }
    return (this.rooted ? sum / Math.sqrt(Math.max(found, 1)) : sum) + this.bias;
  }
}

class WordTable {
  constructor(about, tensors) {
    this.most = about.longest_text;
    this.keys = unpackKeys(take(tensors, "word_gaps", "U8", "U16"));
  }

  // The numbers of a text's words; of a long text its first and its last half.
  ids(hashes) {
    let keys = Array.from(ngramHashes(hashes, 1));
    const half = Math.floor(this.most / 2);
    if (keys.length > this.most) keys = [...keys.slice(0, half), ...keys.slice(-half)];
    return keys.map((key) => {
      const place = placeOf(key, this.keys);
      return place < 0 ? UNKNOWN_WORD : place + 2;
    });
  }
}

class TextCNN {
  constructor(about, tensors, rows) {
    const { filters, embedding_size: size, widths, labels } = about;
    const pooling = about.pooling ?? ["max", "mean"];
    Object.assign(this, { filters, size, widths, pooling });
    this.embedding = new Levels("embedding", tensors, rows, size);
    this.across = filters * widths.reduce((sum, width) => sum + width, 0);
    this.slices = this.sliced(widths.map(
      (width, i) => weights(tensors, `convolutions.${i}.weight`, [filters, size, width])));
    this.biases = widths.map((_, i) => floats(tensors, `convolutions.${i}.bias`, filters));
    if (pooling.includes("attention")) this.attention = new Attention(about, tensors);
    const pooled = pooling.length * filters * widths.length;
    this.classifier = weights(tensors, "classifier.weight", [labels.length, pooled]);
    this.bias = floats(tensors, "classifier.bias", labels.length);
  }

  // The kernels of all widths as one table, a row for each input: a convolution is a sum
  // of what each word gives at each place, and all places and filters lie side by side.
  sliced(kernels) {
    const { filters, size, across, widths } = this;
    const table = new Float32Array(size * across);
    let first = 0;
    widths.forEach((width, i) => {
      for (let at = 0; at < width; at += 1, first += filters) {
        for (let s = 0; s < size; s += 1) {
          for (let f = 0; f < filters; f += 1) {
            table[s * across + first + f] = kernels[i][(f * size + s) * width + at];
          }
        }
      }
    });
    return table;
  }

  // What a word gives to every filter at every place, kept in `given`.
  gives(id, given) {
    let sums = given.get(id);
    if (!sums) {
      sums = times(this.embedding.row(id), this.slices, this.across);
      given.set(id, sums);
    }
    return sums;
  }

  logits(ids, given) {
    const rows = ids.map((id) => this.gives(id, given));
    let first = 0;
    const found = this.widths.map((width, i) => {
      const features = this.features(rows, first, width, this.biases[i]);
      first += width;
      return features;
    });
    const shares = this.attention?.shares(found, rows.length, this.filters);
    const pooled = found.flatMap((features) => this.pooling.flatMap(
      (how) => Array.from(this.pool(features, rows.length, how, shares))));
    return Array.from(this.bias, (bias, label) => pooled.reduce(
      (sum, x, i) => sum + x * this.classifier[label * pooled.length + i], bias));
  }

  // What the filters of a width find at each word, nothing below zero.
  features(rows, first, width, bias) {
    const { filters } = this;
    const found = new Float32Array(rows.length * filters);
    for (let start = 0; start < rows.length; start += 1) {
      const sums = found.subarray(start * filters, (start + 1) * filters);
      sums.set(bias);
      const end = Math.min(width, rows.length - start);
      for (let at = 0; at < end; at += 1) {
        const row = rows[start + at], from = (first + at) * filters;
        for (let f = 0; f < filters; f += 1) sums[f] += row[from + f];
      }
      for (let f = 0; f < filters; f += 1) if (sums[f] < 0) sums[f] = 0;
    }
    return found;
  }

  // One number for each filter, of those at all words.
  pool(features, count, how, shares) {
    const { filters } = this;
    const pooled = new Float32Array(filters);
    for (let word = 0; word < count; word += 1) {
      const share = how === "mean" ? 1 / count : shares?.[word], from = word * filters;
      for (let f = 0; f < filters; f += 1) {
        const x = features[from + f];
        if (how !== "max") pooled[f] += share * x;
        else if (x > pooled[f]) pooled[f] = x;
      }
    }
    return pooled;
  }
}

// Which words matter: by what all filters found there, and by the part of the text.
class Attention {
  constructor({ widths, filters }, tensors) {
    this.queries = weights(tensors, "attention.queries", [widths.length, filters]);
    this.places = floats(tensors, "attention.places", PARTS);
  }

  // For each word a share; together they are one.
  shares(found, count, filters) {
    const { queries, places } = this;
    const scores = new Float32Array(count);
    for (let word = 0; word < count; word += 1) {
      scores[word] = places[Math.floor((word * PARTS) / count)];
      found.forEach((features, i) => {
        for (let f = 0; f < filters; f += 1) {
          scores[word] += queries[i * filters + f] * features[word * filters + f];
        }
      });
    }
    const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = scores.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }
}

// ----------------------------------------------------------------- numbers
// A row times a table of as many rows. Four at a time, as that is twice as fast.
function times(row, table, width) {
  const sums = new Float32Array(width), whole = row.length - (row.length % 4);
  for (let r = 0; r < whole; r += 4) {
    const a = row[r], b = row[r + 1], c = row[r + 2], d = row[r + 3];
    const one = r * width, two = one + width, three = two + width, four = three + width;
    for (let i = 0; i < width; i += 1) {
      sums[i] += a * table[one + i] + b * table[two + i] + c * table[three + i] + d * table[four + i];
    }
  }
  for (let r = whole; r < row.length; r += 1) {
    for (let i = 0; i < width; i += 1) sums[i] += row[r] * table[r * width + i];
  }
  return sums;
}

// Many numbers in four bits each: which of sixteen levels, and a scale for each row.
class Levels {
  constructor(name, tensors, rows, width) {
    this.width = width;
    this.nibbles = take(tensors, `${name}.nibbles`, "U8");
    this.levels = take(tensors, `${name}.levels`, "F32");
    this.scales = width > 1 ? take(tensors, `${name}.scales`, "F16") : null;
    const fits = this.nibbles.length === Math.ceil((rows * width) / 2)
      && this.levels.length === 16 && (!this.scales || this.scales.length === rows);
    if (!fits) throw new Error(`its ${name} does not have the size that its header asks for`);
  }

  number(i) {
    return this.levels[(this.nibbles[i >> 1] >> (4 * (i & 1))) & 15];
  }

  row(i) {
    const scale = this.scales ? half(this.scales[i]) : 1;
    return Float32Array.from({ length: this.width },
      (_, s) => this.number(i * this.width + s) * scale);
  }
}

// Sorted numbers, from the gaps between them; the largest gap says that more follows.
function unpackKeys(gaps) {
  const more = 2 ** (8 * gaps.BYTES_PER_ELEMENT) - 1;
  const keys = [];
  let key = 0;
  for (const gap of gaps) {
    key += gap;
    if (gap < more) keys.push(key);
  }
  return Uint32Array.from(keys);
}

// Eight bits a number, with a scale for each filter or label.
function weights(tensors, name, shape) {
  const numbers = take(tensors, name, "I8"), scales = take(tensors, `${name}.scales`, "F32");
  const each = shape.slice(1).reduce((a, b) => a * b, 1);
  if (numbers.length !== shape[0] * each || scales.length !== shape[0]) {
    throw new Error(`its ${name} must have the shape ${shape.join(" x ")}`);
  }
  return Float32Array.from(numbers, (n, i) => n * scales[Math.floor(i / each)]);
}

// Sixteen bits a number.
function floats(tensors, name, length) {
  const numbers = Float32Array.from(take(tensors, name, "F16"), half);
  if (numbers.length !== length) throw new Error(`its ${name} must hold ${length} numbers`);
  if (!numbers.every(Number.isFinite)) throw new Error(`its ${name} holds what is no number`);
  return numbers;
}

// A floating-point number of sixteen bits.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, rest = bits & 1023;
  if (exponent === 31) return rest ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + rest) : 2 ** -24 * rest);
}

// -------------------------------------------------------------------- file
const KINDS = {
  U8: Uint8Array, I8: Int8Array, U16: Uint16Array, F16: Uint16Array, F32: Float32Array,
};

// Tensors by name and what the student says of itself. A safetensors file is the length
// of its header (eight bytes), the header in JSON, and the tensors one after the other.
function readFile(bytes) {
  const none = "it is no safetensors file";
  if (bytes.length < 8) throw new Error(none);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > bytes.length) throw new Error(none);
  let header, about;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
    about = JSON.parse(header.__metadata__?.about ?? "{}");
  } catch {
    throw new Error(none);
  }
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] = [] }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const Kind = KINDS[dtype];
    if (!Kind) throw new Error(`it holds ${name} as ${dtype}, which this page does not know`);
    const size = shape.reduce((a, b) => a * b, 1) * Kind.BYTES_PER_ELEMENT;
    if (to - from !== size || start + to > bytes.length) {
      throw new Error(`it ends before its ${name}, or is damaged there`);
    }
    const values = new Kind(bytes.slice(start + from, start + to).buffer);
    tensors[name] = { dtype, values, used: false };
  }
  return { tensors, about };
}

function take(tensors, name, ...dtypes) {
  const found = tensors[name];
  if (!found) throw new Error(`it lacks ${name}`);
  if (!dtypes.includes(found.dtype)) {
    throw new Error(`it holds ${name} as ${found.dtype}, not as ${dtypes.join(" or ")}`);
  }
  if (found.dtype === "F32" && !found.values.every(Number.isFinite)) {
    throw new Error(`its ${name} holds what is no number`);
  }
  found.used = true;
  return found.values;
}

function checkAbout(about) {
  if (!FORMATS.includes(about?.format)) {
    throw new Error(`it is no packed student that this page can read: its format is ` +
      `${about?.format}, known are ${FORMATS.join(", ")}`);
  }
  const strange = Object.keys(about).filter((name) => !KNOWN.includes(name));
  if (strange.length) throw new Error(`it has ${strange.join(", ")}, which this page does not know`);
  const whole = (n, most) => Number.isInteger(n) && n >= 1 && n <= most;
  const { labels, bias, share, widths } = about;
  const right = {
    labels: Array.isArray(labels) && labels.length === 2 && new Set(labels).size === 2
      && labels.every((label) => typeof label === "string"),
    bias: Number.isFinite(bias),
    share: share >= 0 && share <= 1,
    rooted: [undefined, true, false].includes(about.rooted),
    longest_run: whole(about.longest_run, 16),
    longest_text: whole(about.longest_text, 1e6) && about.longest_text > 1,
    embedding_size: whole(about.embedding_size, 4096),
    filters: whole(about.filters, 4096),
    widths: Array.isArray(widths) && widths.length > 0 && widths.every((w) => whole(w, 64)),
    pooling: about.pooling === undefined || Array.isArray(about.pooling)
      && about.pooling.length > 0 && about.pooling.every((how) => POOLINGS.includes(how)),
  };
  const wrong = Object.keys(right).filter((name) => !right[name]);
  if (wrong.length) throw new Error(`its ${wrong.join(", ")} cannot be`);
}
