"""The exercises of lesson 09: what is learned, what is kept, who writes."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ...losses.sequence import generalized_jsd_loss
from ..exercises.engine import Exercise, Prediction, Question
from ..zoo import exhibits
from ..zoo.mistakes import told
from ..zoo.tokens import examine_completion_loss, examine_token_kl
from . import on_policy, reading, sampling
from .equal_results import EXERCISE as SAME_RESULT
from .on_policy import my_on_policy_loss
from .reading import my_is_right
from .sampling import my_checked


def my_completion_loss(logits, input_ids, attention_mask, prompt_lengths):
    place = torch.arange(input_ids.shape[1])
    learned = (attention_mask == 1) & (place >= prompt_lengths[:, None])
    labels = torch.where(learned, input_ids, -100)
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def _by_loop(logits, input_ids, attention_mask, prompt_lengths):
    losses = [
        -row[place - 1].log_softmax(-1)[ids[place]]
        for row, ids, mask, start in zip(
            logits, input_ids, attention_mask, prompt_lengths
        )
        for place in range(int(start), int(mask.sum()))
    ]
    return torch.stack(losses).mean()


def my_token_kl(student_logits, teacher_logits, labels):
    counts = labels != -100
    student = F.log_softmax(student_logits[counts], dim=-1)
    teacher = F.log_softmax(teacher_logits[counts].detach(), dim=-1)
    return F.kl_div(student, teacher, reduction="batchmean", log_target=True)


def _package(student_logits, teacher_logits, labels):
    return generalized_jsd_loss(student_logits, teacher_logits, labels, beta=0.0)


def _by_sentence(known):
    return tuple((wrong, what) for what, (wrong, _) in known.items())


ENTRIES = (
    Prediction(
        key="09.predict_answers",
        prompt="**Predict.** A student with a base that knows one step learns from"
        " stories and their *answers alone*, all of them right. What share of the test"
        " stories will it get right, in percent?",
        unit="%",
        allowed=(0.0, 100.0),
        close=3.0,
        why="The answer depends on every step, and nothing in it says which steps there"
        " are. A few right ones are luck among the likely totals.",
        example=10,
        hints=(
            "How many totals are possible, and how many of them are likely?",
            "Four numbers and their operations in one glance: could you?",
        ),
    ),
    Exercise(
        key="09.completion_loss",
        prompt="**Exercise.** Write `my_completion_loss(logits, input_ids,"
        " attention_mask, prompt_lengths)`: the mean cross-entropy of the tokens behind"
        " the prompt, the end token among them. `logits` are of shape (batch, length,"
        " vocabulary), the texts are padded on the right with the *end token*, and"
        " `attention_mask` is 0 on padding.",
        hints=(
            "Make labels: the token where it is learned, -100 elsewhere."
            " F.cross_entropy leaves -100 out.",
            "The logits at one place foresee the token at the next: compare"
            " logits[:, :-1] with labels[:, 1:].",
        ),
        solution=my_completion_loss,
        why="Padding is known by its mask and not by its token: here the end token pads,"
        " and a student that never learns the end never stops.",
        examine=examine_completion_loss,
        right=(_by_loop,),
        wrong=told(exhibits.COMPLETIONS),
    ),
    Exercise(
        key="09.is_right",
        prompt="**Exercise.** Write `my_is_right(text, expected)`: whether what stands"
        " behind the last `#` of a text is the expected answer. `text` is None where a model did"
        " not end within its limit.",
        hints=(
            "Two kinds of text have no answer: None, and one without a #.",
            'text.split("#")[-1] is what stands behind the last one; mind the spaces.',
        ),
        solution=my_is_right,
        why="Whoever reads answers decides who wins. Most leaderboards of reasoning"
        " have been moved by such a line.",
        examine=reading.examine_reading,
        right=(reading.by_pattern,),
        wrong=_by_sentence(reading.KNOWN)
        + ((lambda text, expected: True, "Some texts are judged wrongly"),),
    ),
    Exercise(
        key="09.checked",
        prompt="**Exercise.** Write `my_checked(written, answers, test)`: the pairs that"
        " a student may learn from. `written` is a list of pairs (prompt, text), text"
        " None where it did not end; `answers` maps each prompt to its right answer,"
        " which stands behind the last `#`; `test` is the set of prompts that students"
        " are judged by. The same text of the same prompt is kept once.",
        hints=(
            "Four reasons to leave a pair out: it is of the test, it did not end, it is"
            " wrong, or it is there already.",
            "A text that is right for two prompts is two pairs.",
        ),
        solution=my_checked,
        why="This is all that rejection sampling is. Its harm comes from what is let"
        " in: copies of easy problems, and the test.",
        examine=sampling.examine_checked,
        right=(sampling.by_dict,),
        wrong=_by_sentence(sampling.KNOWN)
        + ((lambda written, answers, test: 3, "A list of pairs"),),
    ),
    Exercise(
        key="09.token_kl",
        prompt="**Exercise.** Write `my_token_kl(student_logits, teacher_logits,"
        " labels)`: KL(teacher || student), a mean over the places whose label is not"
        " -100. Each label stands beside the logits that foresaw it; nothing flows back"
        " into the teacher.",
        hints=(
            "logits[labels != -100] are the rows that count.",
            "F.kl_div takes the student's log-probabilities first; over rows alone,"
            ' "batchmean" is the mean.',
        ),
        solution=my_token_kl,
        why="A mean over the padded length, or over texts, makes one token weigh more"
        " than another.",
        examine=examine_token_kl,
        right=(_package,),
        wrong=told(exhibits.TOKENS),
    ),
    Exercise(
        key="09.on_policy_loss",
        prompt="**Exercise.** Write `my_on_policy_loss(student, teacher, prompt,"
        " sample)`: let the student write on with `sample(student, prompt)`, which"
        " returns ids of prompt and new words, and return the mean of KL(student ||"
        " teacher) over the new words. Both models turn ids into logits; only the"
        " student learns, and not through the drawing.",
        hints=(
            "Write and ask the teacher under torch.no_grad(); then let the student read"
            " its own text once more, with a gradient.",
            "The logits at place prompt.shape[1] - 1 foresee the first new word, and"
            " those at the last place foresee nothing that is there.",
        ),
        solution=my_on_policy_loss,
        why="The text is the student's, the judgement the teacher's. Cross-entropy on"
        " one's own words would teach nothing but more of the same.",
        examine=on_policy.examine_on_policy,
        right=(on_policy.with_kl_div,),
        wrong=_by_sentence(on_policy.KNOWN)
        + (
            (on_policy.through_the_sampling, on_policy.THROUGH),
            (on_policy.teacher_writes, on_policy.NOT_THE_STUDENT),
            (on_policy.teacher_learns, "The gradient flows into the teacher"),
            (
                lambda student, teacher, prompt, sample: my_on_policy_loss(
                    student, teacher, prompt, sample
                ).detach(),
                "No gradient",
            ),
        ),
    ),
    SAME_RESULT,
    Question(
        key="09.q_r1",
        prompt="**Question 1.** How were the models called R1-Distill trained, by their"
        " makers' own report?",
        options={
            "a": "on the large model's logits, at a temperature, by a KL divergence",
            "b": "by plain fine-tuning on texts that the large model had written",
            "c": "by reinforcement learning on problems with a known answer",
        },
        answer="b",
        because={
            "a": "Their vocabularies differ: token by token nothing could be compared.",
            "b": "Texts, kept when they were right; cross-entropy, and nothing else.",
            "c": "So was the large model made; for the small ones the report leaves"
            " that step out.",
        },
    ),
    Question(
        key="09.q_checked",
        prompt="**Question 2.** A text ends in the right answer. What do you know of its"
        " steps?",
        options={
            "a": "that they are right: a wrong step would spoil the answer",
            "b": "nothing certain: two mistakes may cancel, or the answer be a guess",
            "c": "that the teacher is sure of them",
        },
        answer="b",
        because={
            "a": "Section 3 counts the texts for which that is not so.",
            "b": "A check of the answer is a check of the answer. Steps need their own.",
            "c": "The check never looks at what the teacher thinks of its text.",
        },
    ),
    Question(
        key="09.q_vocabulary",
        prompt="**Question 3.** Teacher and student have different tokenisers. What is"
        " left?",
        options={
            "a": "the teacher's texts: cut anew by the student's tokeniser",
            "b": "a KL divergence over the shorter of the two vocabularies",
            "c": "the student on its own texts, scored by the teacher's logits",
        },
        answer="a",
        because={
            "a": "Sequence-level distillation: a text belongs to no vocabulary.",
            "b": "The same number stands for other words in each: noise, well"
            " disguised.",
            "c": "Those logits are of other tokens as well.",
        },
    ),
)
