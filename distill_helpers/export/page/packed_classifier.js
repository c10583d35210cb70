// The packed student in the page: one file is model, words and labels.
import { Reader, read } from "./answers.js";
import { PackedStudent } from "./packed.js";

const FILE = "student/student.safetensors";

export class Classifier extends Reader {
  static async load(files) {
    const bytes = await read(FILE, files[FILE]);
    try {
      return new Classifier(new PackedStudent(bytes), bytes.length);
    } catch (error) {
      throw new Error(`${FILE} cannot be used: ${error.message}`);
    }
  }

  constructor(student, bytes) {
    super();
    const { about, labels } = student;
    Object.assign(this, { student, bytes, about, labels, several: false });
  }

  async run(texts) {
    return this.student.logits(texts);
  }
}
