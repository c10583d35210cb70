"""Fine-tune a pretrained encoder as the teacher, in one plain loop.

The appendix notebook runs this; the lessons never do. Dropout is off and the
word embeddings are frozen, which more than doubles the speed on a CPU; one or
two epochs leave little to over-fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F
from tqdm.auto import tqdm
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
)

from ..data.cleaning import text_hash
from ..data.encoding import device_of, length_grouped
from ..data.labels import ONE_LABEL, check_problem_type
from .frozen import check_encoder, missing_encoder
from .live import agreed_pad_id, on_accelerator, weights_revision
from .stages import run_stage
from .stored import read_soft_targets, write_soft_targets
from .windows import reading_of, tokenize_windows, window_batch, window_logits

DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "hidden_dropout",
    "attention_dropout",
    "mlp_dropout",
    "embedding_dropout",
    "seq_classif_dropout",
    "dropout",
)
"""What encoders of several families call their dropouts."""


def load_encoder(
    name: str | Path,
    num_labels: int | None = None,
    attention: str = "eager",
    *,
    label_names: Sequence[str] | None = None,
    problem_type: str = ONE_LABEL,
):
    """Load a pretrained encoder with a classification head, dropout off.

    Parameters
    ----------
    name : str or Path
        A folder or a Hub id, such as
        ``"sentence-transformers/all-MiniLM-L6-v2"``. Only safetensors are read.
    num_labels : int, optional
        Number of classes; by default that of `label_names`, else the encoder's own.
    attention : str, default "eager"
        On a CPU "eager" trains faster and "sdpa" predicts twice as fast.
    label_names : sequence of str, optional
        Class names, kept in the classifier's config.
    problem_type : str
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`.

    Returns
    -------
    (PreTrainedModel, PreTrainedTokenizerBase)

    Raises
    ------
    OSError
        If there is no such encoder.
    ValueError
        If `num_labels` and `label_names` disagree, or the encoder cannot read a text
        between two special tokens.
    """
    if label_names is not None and num_labels not in (None, len(label_names)):
        raise ValueError(
            f"num_labels={num_labels} and label_names {list(label_names)} disagree"
        )
    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except OSError as error:
        raise OSError(missing_encoder(name)) from error
    check_encoder(str(name), tokenizer)
    for field in DROPOUTS:
        if hasattr(config, field):
            setattr(config, field, 0.0)
    if label_names is not None:
        config.id2label = dict(enumerate(map(str, label_names)))
        config.label2id = {name: i for i, name in config.id2label.items()}
    elif num_labels is not None:
        config.num_labels = num_labels
    config.problem_type = check_problem_type(problem_type)
    model = AutoModelForSequenceClassification.from_pretrained(
        name,
        config=config,
        attn_implementation=attention,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        # A classifier of other classes keeps its body and gets a new head.
        ignore_mismatched_sizes=label_names is not None,
    )
    return model, tokenizer


def _trainable(model) -> list[torch.nn.Parameter]:
    model.get_input_embeddings().weight.requires_grad_(False)
    return [p for p in model.parameters() if p.requires_grad]


def finetune(
    model,
    tokenizer,
    texts: Sequence[str],
    labels: Sequence[int],
    *,
    epochs: float = 2,
    learning_rate: float = 1e-4,
    batch_size: int = 32,
    max_length: int = 256,
    seed: int = 0,
    description: str = "fine-tuning",
    progress: bool = True,
):
    """Train a classifier on whole reviews, two windows where one is too small.

    Parameters
    ----------
    model, tokenizer
        From :func:`load_encoder`; `model` is trained in place.
    texts, labels : sequence
        Reviews and their class numbers; or, of several labels each, rows of 0 and 1.
    epochs : float, default 2
        Passes over the reviews.
    learning_rate : float, default 1e-4
        Peak of a linear schedule (6% warm-up, then down to zero).
    batch_size : int, default 32
        Reviews per step.
    max_length : int, default 256
        Tokens per window.
    seed : int, default 0
        Order of the batches.
    description : str
        Label of the progress bar.
    progress : bool, default True
        Show it.

    Returns
    -------
    list of float
        Cross-entropy of every step; of several labels, the mean over the classes.
    """
    pad_id, reading = agreed_pad_id(model, tokenizer), reading_of(tokenizer)
    windows = tokenize_windows(tokenizer, texts, max_length)
    lengths = [sum(map(len, review)) for review in windows]
    device = device_of(model)
    several = np.ndim(labels) > 1
    targets = torch.as_tensor(
        np.asarray(labels), dtype=torch.float32 if several else torch.long
    )
    measure = F.binary_cross_entropy_with_logits if several else F.cross_entropy
    generator = torch.Generator().manual_seed(seed)
    batches: list[list[int]] = []
    for _ in range(int(np.ceil(epochs))):
        batches += length_grouped(lengths, batch_size, generator)
    batches = batches[: int(epochs * np.ceil(len(texts) / batch_size))]
    optimizer = torch.optim.AdamW(
        _trainable(model), lr=learning_rate, weight_decay=0.01, fused=True
    )
    schedule = get_linear_schedule_with_warmup(
        optimizer, int(0.06 * len(batches)), len(batches)
    )
    model.train()
    losses = []
    bar = tqdm(batches, desc=description, mininterval=5, disable=not progress)
    for rows in bar:
        batch = window_batch([windows[i] for i in rows], pad_id, reading=reading)
        with torch.autocast(device.type, torch.bfloat16):
            logits = window_logits(model, batch)
        loss = measure(logits, targets[rows].to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        bar.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}", refresh=False)
    return losses


@torch.no_grad()
def predict_logits(
    model,
    tokenizer,
    texts: Sequence[str],
    *,
    max_length: int = 256,
    batch_size: int = 32,
    description: str = "logits",
) -> np.ndarray:
    """Return a classifier's logits for whole reviews.

    Parameters
    ----------
    model, tokenizer
        The classifier.
    texts : sequence of str
        Reviews.
    max_length : int, default 256
        Tokens per window.
    batch_size : int, default 32
        Reviews per forward pass.
    description : str
        Label of the progress bar.

    Returns
    -------
    ndarray of float32, shape (len(texts), classes)
    """
    model.eval()
    pad_id, reading = agreed_pad_id(model, tokenizer), reading_of(tokenizer)
    windows = tokenize_windows(tokenizer, texts, max_length)
    lengths = [sum(map(len, review)) for review in windows]
    logits = np.zeros((len(texts), model.config.num_labels), np.float32)
    for rows in tqdm(
        length_grouped(lengths, batch_size), desc=description, mininterval=5
    ):
        batch = window_batch([windows[i] for i in rows], pad_id, reading=reading)
        with torch.autocast(device_of(model).type, torch.bfloat16):
            logits[rows] = window_logits(model, batch).cpu().numpy()
    return logits


def average_weights(models: Sequence[torch.nn.Module]):
    """Average the weights of models that were tuned from one start.

    Parameters
    ----------
    models : sequence of Module
        Same architecture; the first one receives the average.

    Returns
    -------
    Module
        ``models[0]``, changed in place.

    References
    ----------
    .. [1] Wortsman et al., "Model soups", ICML 2022.
    """
    states = [model.state_dict() for model in models]
    mean = {
        name: sum(state[name] for state in states) / len(states)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
    models[0].load_state_dict(mean)
    return models[0]


def finetuned_stage(
    folder: str | Path,
    start: str | Path,
    texts,
    labels,
    *,
    label_names: Sequence[str] | None = None,
    problem_type: str = ONE_LABEL,
    **settings,
):
    """Fine-tune `start` on texts as one stage; return its folder and record.

    Parameters
    ----------
    folder : str or Path
        Where the fine-tuned classifier goes.
    start : str or Path
        A folder or Hub id to start from.
    texts, labels : sequence
    label_names : sequence of str, optional
        Class names; without them there are as many classes as different labels.
    problem_type : str
        One of :data:`~distill_helpers.data.labels.PROBLEM_TYPES`.
    **settings
        For :func:`finetune`.

    Returns
    -------
    (Path, dict)
        See :func:`run_stage`; the record holds ``loss``, the mean of the last
        hundred steps.
    """

    def work(part: Path) -> dict:
        torch.manual_seed(settings.get("seed", 0))
        model, tokenizer = load_encoder(
            str(start),
            None if label_names else len(set(labels)),
            label_names=label_names,
            problem_type=problem_type,
        )
        losses = finetune(on_accelerator(model), tokenizer, texts, labels, **settings)
        save_teacher(model, tokenizer, part)
        return {"loss": float(np.mean(losses[-100:])), "steps": len(losses)}

    return run_stage(folder, work)


def logits_stage(folder: str | Path, teacher, texts: Sequence[str]) -> np.ndarray:
    """Ask a fine-tuned classifier for the logits of many texts, as a stage.

    Parameters
    ----------
    folder : str or Path
        Where they are kept, with a check that they belong to these texts.
    teacher : str or Path
        Folder of a fine-tuned classifier.
    texts : sequence of str

    Returns
    -------
    ndarray of float32, shape (len(texts), classes)
    """

    def work(part: Path) -> dict:
        model, tokenizer = load_encoder(str(teacher), attention="sdpa")
        name = Path(folder).name
        logits = predict_logits(
            on_accelerator(model), tokenizer, texts, description=name
        )
        write_soft_targets(
            part / "logits.parquet", keys, logits, weights_revision(model)
        )
        return {"texts": len(texts)}

    keys = [text_hash(text) for text in texts]
    found, logits, _ = read_soft_targets(run_stage(folder, work)[0] / "logits.parquet")
    if found != keys:
        raise ValueError(f"{str(folder)!r} holds the logits of other texts; remove it")
    return logits


def stack_logits(
    fitted_on: Sequence[np.ndarray],
    labels: Sequence[int],
    applied_to: Sequence[np.ndarray],
) -> np.ndarray:
    """Let a logistic regression weigh several teachers [1]_.

    It learns how far each can be trusted, and how sure the whole may be, on
    reviews that none of them was trained on.

    Parameters
    ----------
    fitted_on : sequence of ndarray, each of shape (reviews, classes)
        The teachers' logits for reviews that they had not seen.
    labels : sequence of int, length reviews
    applied_to : sequence of ndarray, each of shape (texts, classes)
        Their logits for the texts to answer, in the same order of teachers.

    Returns
    -------
    ndarray of float32, shape (texts, classes)
        Logits, centred on 0.

    References
    ----------
    .. [1] D. Wolpert, "Stacked generalization", Neural Networks, 1992.
    """
    weigher = LogisticRegression(C=100.0, max_iter=1000)
    weigher.fit(_centred(fitted_on), labels)
    decision = weigher.decision_function(_centred(applied_to))
    if decision.ndim == 1:  # two classes: one margin
        decision = np.stack([-decision / 2, decision / 2], axis=1)
    return decision.astype(np.float32)


def _centred(members: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([z - z.mean(axis=1, keepdims=True) for z in members], axis=1)


def save_teacher(model, tokenizer, folder: str | Path) -> None:
    """Write a classifier and its tokeniser to a folder (safetensors)."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
