"""The lesson's way, tried with a causal language model of the reader's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import AutoModelForCausalLM, AutoTokenizer

from ...evaluation import generate_texts
from ...logs import quietly
from ...teachers.traces import NothingPassedError, Traces, rejection_sample
from ...training.sequence import SequenceConfig, SequenceTrainer
from .arms import right_answers
from .stories import MARK, Story

ASKED = (
    "Solve the problem step by step. End with the mark {mark} and the answer as a"
    " number.\nProblem: {problem}\nSolution:"
)


@dataclass(frozen=True)
class Tried:
    """What an open model did.

    Attributes
    ----------
    weights : int
    vocabulary : int
    texts : list of str or None
        One for each story, None where it did not end.
    right : list of bool
    tokens_per_second : float
    kept : int
        Texts that a student could learn from.
    told : str
        Why there are none, where there are none.
    token_level : str
        Why the lesson's student cannot follow it token by token, or "possible".
    """

    weights: int
    vocabulary: int
    texts: list[str | None]
    right: list[bool]
    tokens_per_second: float
    kept: int
    told: str
    token_level: str


def try_open(
    name: str,
    stories: Sequence[Story],
    student,
    tokenizer,
    *,
    max_new_tokens: int = 512,
) -> Tried:
    """Let a model of the Hub, or of a folder, solve some stories.

    Parameters
    ----------
    name : str
        A folder or Hub id; only safetensors are read, and no code of others.
    stories : sequence of Story
    student, tokenizer
        The lesson's own, to see whether both write one vocabulary.
    max_new_tokens : int, default 512
        Where a text is cut off, and then counts as wrong.

    Returns
    -------
    Tried
    """
    with quietly():
        own = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, use_safetensors=True)
    if own.pad_token is None:
        own.pad_token = own.eos_token
    prompts = [ASKED.format(mark=MARK, problem=story.prompt) for story in stories]
    made = generate_texts(model, own, prompts, max_new_tokens=max_new_tokens)
    right = right_answers(made.whole, stories).tolist()
    kept, told = _kept(prompts, made.whole, right)
    return Tried(
        model.num_parameters(),
        model.config.get_text_config().vocab_size,
        made.whole,
        right,
        made.tokens_per_second,
        len(kept.kept) if kept else 0,
        told,
        _token_level(student, model, tokenizer, own),
    )


def _kept(prompts, texts, right) -> tuple[Traces | None, str]:
    written = dict(zip(prompts, zip(texts, right)))
    try:
        traces = rejection_sample(
            prompts,
            lambda asked, seed: [written[prompt][0] for prompt in asked],
            lambda prompt, text: written[prompt][1],
            n=1,
            progress=False,
        )
    except NothingPassedError as error:
        return None, str(error)
    return traces, ""


def _token_level(student, model, tokenizer, own) -> str:
    try:
        SequenceTrainer(
            student,
            model,
            SequenceConfig(use_cpu=True, disable_tqdm=True),
            processing_class=tokenizer,
            teacher_processing_class=own,
        )
    except ValueError as error:
        return str(error)
    return "possible"
