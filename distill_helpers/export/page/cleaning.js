// What training did to every text before a student read it: clean_text of
// distill_helpers/data/cleaning.py, step by step. A test holds the two together.

// White space, letters and digits as Python knows them.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD = "\\p{L}\\p{N}_";
const ELEMENTS =
  "a|abbr|address|article|aside|audio|b|base|big|blockquote|body|button" +
  "|canvas|caption|center|cite|code|col|dd|del|details|dfn|dl|dt|em|embed" +
  "|fieldset|figcaption|figure|font|footer|form|frame|h[1-6]|head|header|hr|html" +
  "|i|iframe|img|input|ins|kbd|label|legend|li|link|main|map|mark|meta|nav" +
  "|object|ol|optgroup|option|param|picture|pre|q|s|samp|script|section|select" +
  "|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td" +
  "|template|textarea|tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr";

// Without regard to case, Python takes four i for one.
const anyCase = (source) => source.replaceAll("i", "[i\u0130\u0131]");

const ENTITY = /&(?:#\p{Nd}{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});/gu;
const NUMBER = /^&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?/;
const HTML_BREAK =
  new RegExp(anyCase(`<[${SPACE}]*(?:br|p|/p|div|/div)(?![${WORD}])[^<>]*>`), "giu");
const BRACKETS = /<\/?[a-zA-Z][^<>]{0,200}>/gu;
const ELEMENT = new RegExp(anyCase(
  `^</?(?:${ELEMENTS})` +
  `(?:[${SPACE}]+[${WORD}:.\\-]+[${SPACE}]*=[${SPACE}]*` +
  `(?:"[^"]*"|'[^']*'|[^${SPACE}"'=>]+)` +
  `|[${SPACE}]+(?:checked|disabled|hidden|nowrap|readonly|required|selected))*` +
  `[${SPACE}]*/?>$`), "iu");
const ADDRESS = new RegExp(anyCase(
  `^<(?:mailto:|https://|[^${SPACE}<>="']+@)[^${SPACE}<>]*>$`), "iu");
const ONE_LETTER = new RegExp(`^</?[a-zA-Z](?![${WORD}'\\-])`, "u");
const IN_WORD = /^[\p{L}\p{N}]/u;
const ANY_SPACE = new RegExp(`[${SPACE}]`);
const CONTROL = /[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\ufeff]/g;
const JOINERS = /([\u200c\u200d])[\u200c\u200d]+/g;
const SEEN = `[^\\x00-\\x7f${SPACE}]`;
const IDLE_JOINER = new RegExp(`(?<!${SEEN})[\\u200c\\u200d]|[\\u200c\\u200d](?!${SEEN})`, "gu");
const UNSPACED = new RegExp(`[^${WORD}${SPACE}\\x00-\\x7f]{31,}`, "gu");
const MOST_MARKS = 30;
const SPACES = new RegExp(`[${SPACE}]+`, "g");
const PUNCTUATION = {
  "\u3001": ",", "\u3002": ".", "\u2018": "'", "\u2019": "'", "\u201c": '"',
  "\u201d": '"', "\u300c": '"', "\u300d": '"', "\u300e": '"', "\u300f": '"',
  "\u300a": '"', "\u300b": '"', "\u3010": "[", "\u3011": "]", "\u2013": "-",
  "\u2014": "-",
};
const MARKS = new RegExp(`[${Object.keys(PUNCTUATION).join("")}]`, "g");

export function cleanText(text) {
  if (typeof text !== "string") throw new TypeError("a text must be a string");
  return text.toWellFormed()
    .replace(ENTITY, character)
    .replace(HTML_BREAK, " ")
    .replace(BRACKETS, withoutMarkup)
    .replace(UNSPACED, withFewMarks)
    .normalize("NFKC")
    .replace(MARKS, (mark) => PUNCTUATION[mark])
    .replace(CONTROL, "")
    .replace(JOINERS, "$1")
    .replace(IDLE_JOINER, "")
    .replace(SPACES, " ")
    .replace(/^ | $/g, "");
}

// One reference, such as &amp; or &#8212;. What it is made of cannot hold a tag.
function character(reference) {
  if (reference[1] !== "#") return parsed(reference);
  const found = NUMBER.exec(reference);
  if (!found) return reference;
  const code = found[1] ? parseInt(found[1], 16) : parseInt(found[2], 10);
  return named(code) + reference.slice(found[0].length);
}

function named(code) {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return "\ufffd";
  if (code === 0x0d) return "\r";
  if (code >= 0x80 && code < 0xa0) return parsed(`&#${code};`); // Windows' characters
  return isInvalid(code) ? "" : String.fromCodePoint(code);
}

function parsed(reference) {
  const element = document.createElement("i");
  element.innerHTML = reference;
  return element.textContent;
}

function isInvalid(code) {
  return (code < 0x20 && ![0x09, 0x0a, 0x0c].includes(code)) || code === 0x7f ||
    (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
}

function withoutMarkup(found, start, text) {
  if (ELEMENT.test(found)) return "";
  const end = start + found.length;
  const [last] = [...text.slice(Math.max(0, start - 2), start)].slice(-1);
  if (start && IN_WORD.test(last)) {
    const code = !ANY_SPACE.test(found);
    if (code || IN_WORD.test(text.slice(end, end + 2))) return found;
  }
  return ADDRESS.test(found) || ONE_LETTER.test(found) ? found : "";
}

function withFewMarks(run) {
  let kept = "", marks = 0;
  for (const c of run) {
    marks = combines(c) ? marks + 1 : 0;
    if (marks <= MOST_MARKS) kept += c;
  }
  return kept;
}

// Has a character a combining class? Then it changes places with one of another.
function combines(c) {
  if (!/\p{M}/u.test(c) || "\u0f73\u0f75\u0f81".includes(c)) return false;
  const [first] = c.normalize("NFD");
  return (first + "\u0334").normalize("NFD")[0] === "\u0334" && first !== "\u0334" ||
    ("\u0301" + first).normalize("NFD").startsWith(first) && first !== "\u0301";
}
