"""Distil a language model with open weights: write checked texts, learn from them.

    python docs/distil_text.py write --teacher deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B \\
        --problems problems.jsonl --out traces.jsonl --samples 4
    accelerate launch docs/distil_text.py learn --student Qwen/Qwen2.5-0.5B \\
        --rows traces.jsonl --out student

`problems.jsonl` holds a `prompt` and an `answer` a line; kept are the texts whose
last mark (`--mark`) is followed by the answer. The student may have any vocabulary:
it learns the teacher's texts. Token by token it follows a teacher of its own
vocabulary, `learn --teacher NAME`, and on its own texts with `--lmbda 1`. Every name
is a folder or a model of the Hub; only safetensors are read, and no code of others.
TRL's GKDTrainer takes the same `lmbda`, `beta`, `seq_kd` and `max_new_tokens`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

from distill_helpers.evaluation import exact_matches, generate_texts, read_answer
from distill_helpers.files import fresh_path, whole_file, whole_folder
from distill_helpers.teachers import rejection_sample, weights_revision
from distill_helpers.training import SequenceConfig, SequenceTrainer


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    options.act(options)


def write(options: argparse.Namespace) -> None:
    """Let a teacher write, and keep what is right."""
    out, rows = fresh_path(options.out), read_rows(options.problems, "answer")
    model, tokenizer = load(options.teacher, options.device)
    answers = {asked(row, tokenizer, options.chat): row["answer"] for row in rows}

    def generate(prompts, seed):
        return generate_texts(
            model,
            tokenizer,
            prompts,
            max_new_tokens=options.max_new_tokens,
            temperature=options.temperature,
            batch_size=options.batch_size,
            seed=seed,
        ).whole

    def verify(prompt, text):
        answer = read_answer(text, options.mark)
        return bool(exact_matches([answer], [answers[prompt]])[0])

    traces = rejection_sample(
        list(answers),
        generate,
        verify,
        options.samples,
        keep=options.keep,
        folder=f"{out}.parts",
        fingerprint=f"{weights_revision(model)} {options.temperature:g}"
        f" {options.max_new_tokens}",
    )
    with whole_file(out) as temporary:
        lines = (json.dumps(row, ensure_ascii=False) for row in traces.kept)
        temporary.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    print(traces.table())
    print(f"{len(traces.kept)} texts kept in {out}")


def learn(options: argparse.Namespace) -> None:
    """Train a student on texts, or token by token on a teacher of its vocabulary."""
    out = fresh_path(options.out)
    student, tokenizer = load(options.student)
    teacher, teacher_tokenizer = (
        load(options.teacher) if options.teacher else (None,) * 2
    )
    args = SequenceConfig(
        output_dir=f"{out}.checkpoints",
        lmbda=options.lmbda,
        beta=options.beta,
        seq_kd=options.seq_kd,
        max_new_tokens=options.max_new_tokens,
        temperature=options.temperature,
        max_steps=options.steps,
        learning_rate=options.learning_rate,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulate,
        save_steps=options.save_steps,
        seed=options.seed,
    )
    trainer = SequenceTrainer(
        student,
        teacher,
        args,
        read_rows(options.rows),
        processing_class=tokenizer,
        teacher_processing_class=teacher_tokenizer,
    )
    trainer.train(resume_from_checkpoint=options.resume)
    if trainer.is_world_process_zero():
        with whole_folder(out, "student") as part:
            student.save_pretrained(part)
            tokenizer.save_pretrained(part)
        print(f"the student is in {out}")


def load(name: str, device: str | None = None):
    """Return a causal language model and its tokeniser."""
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForCausalLM.from_pretrained(name, use_safetensors=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return (model if device is None else model.to(device)), tokenizer


def read_rows(path: str, *needs: str) -> list[dict]:
    """Read a JSON object a line."""
    rows = []
    for number, line in enumerate(Path(path).read_text("utf-8").splitlines(), 1):
        row = json.loads(line)
        lacking = {"prompt", *needs} - row.keys()
        if lacking:
            raise SystemExit(f"{path}, line {number} lacks {sorted(lacking)}")
        rows.append(row)
    return rows


def asked(row: dict, tokenizer, chat: bool) -> str:
    """Return what the model reads: the prompt, in its own form of a talk if asked."""
    if not chat:
        return row["prompt"]
    talk = [{"role": "user", "content": row["prompt"]}]
    return tokenizer.apply_chat_template(
        talk, tokenize=False, add_generation_prompt=True
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    writes = commands.add_parser(
        "write", help="let a teacher write; keep what is right"
    )
    writes.set_defaults(act=write)
    writes.add_argument("--teacher", required=True)
    writes.add_argument("--problems", required=True, help="JSON lines: prompt, answer")
    writes.add_argument("--samples", type=int, default=4, help="texts for each problem")
    writes.add_argument("--keep", type=int, help="most right texts of a problem")
    writes.add_argument("--mark", default="#", help="what stands before the answer")
    writes.add_argument("--chat", action="store_true", help="use its chat template")
    writes.add_argument("--device", help="such as cuda")
    learns = commands.add_parser("learn", help="train a student")
    learns.set_defaults(act=learn)
    learns.add_argument("--student", required=True)
    learns.add_argument("--teacher", help="of the student's vocabulary")
    learns.add_argument("--rows", required=True, help="JSON lines: prompt, completion")
    learns.add_argument("--lmbda", type=float, default=0.0)
    learns.add_argument("--beta", type=float, default=0.5)
    learns.add_argument("--seq-kd", action="store_true")
    learns.add_argument("--steps", type=int, default=1000)
    learns.add_argument("--learning-rate", type=float, default=1e-5)
    learns.add_argument("--accumulate", type=int, default=1)
    learns.add_argument("--save-steps", type=int, default=500)
    learns.add_argument("--seed", type=int, default=0)
    learns.add_argument("--resume", action="store_true")
    for command in (writes, learns):
        command.add_argument("--out", required=True)
        command.add_argument("--max-new-tokens", type=int, default=1024)
        command.add_argument("--temperature", type=float, default=1.0)
        command.add_argument("--batch-size", type=int, default=8)
    return parser


if __name__ == "__main__":
    main()
