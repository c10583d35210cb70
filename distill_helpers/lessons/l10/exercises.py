"""The exercises of lesson 10: read, count, pay, ask again, remember, calibrate."""

from __future__ import annotations

from ..exercises.engine import Exercise, Question
from . import asking, reading
from .asking import my_cache_key, my_cost, my_wait
from .reading import my_label_distribution, my_predictions, my_vote_shares

ENTRIES = (
    Exercise(
        key="10.cost",
        prompt="**Exercise.** Write `my_cost(prompt, thinking, reply, price)`: the"
        " dollars to reserve before a request is sent. The first three are numbers of"
        ' tokens; `price` holds the dollars for a million tokens as `"input"`,'
        ' `"cached"` (tokens that the server happens to remember) and `"output"`.',
        hints=(
            "What does the model read, and what does it write? Thoughts are written.",
            "Before the request is sent nobody knows whether the server remembers"
            " anything: count on the price without that rebate.",
        ),
        solution=my_cost,
        why="An estimate that hopes for rebates is passed; a budget must not be.",
        examine=asking.examine_cost,
        right=(
            lambda p, t, r, price: (
                (p * price["input"] + (t + r) * price["output"]) / 1e6
            ),
        ),
        wrong=(
            (asking.thinking_forgotten, "The thoughts are missing"),
            (asking.hits_assumed, "Cache hits are assumed"),
            (asking.thinking_read, "as if they were read"),
            (asking.not_a_million, "for a million tokens"),
            (lambda prompt, thinking, reply, price: "1", "Not what the request"),
            (lambda prompt, thinking, reply, price: price, "One number is wanted"),
        ),
    ),
    Exercise(
        key="10.distribution",
        prompt="**Exercise.** Write `my_label_distribution(top, labels)`. `top` holds"
        " pairs of a token and its log-probability, `labels` names in small letters."
        " Return a list with the share of each label: spellings that differ in case or"
        " blanks around them count together, and the shares sum to 1. Return `None`"
        " where no token names a label, or where fewer than two values are real (a"
        " server writes -9999 where it has none).",
        hints=(
            "`token.strip().lower()` makes one spelling of many; `math.exp` makes a"
            " probability of its logarithm, and only probabilities may be added.",
            "Add up per label, then divide by what all labels have together. First of"
            " all, leave out the values below -9000 and count what is left.",
        ),
        solution=my_label_distribution,
        why="One spelling alone may have less than half of its class's probability.",
        examine=reading.examine_distribution,
        right=(reading.by_masks,),
        wrong=(
            (reading.exact_tokens, "Only one spelling"),
            (reading.not_renormalised, "do not sum to 1"),
            (reading.hollow_is_certain, "no log-probability but a filler"),
            (reading.summed_logarithms, "Logarithms are added"),
            (lambda top, labels: 0.5, "A list of numbers"),
            (lambda top, labels: [0.5, 0.5], "Not the shares"),
        ),
    ),
    Exercise(
        key="10.threshold",
        prompt="**Exercise.** Write `my_predictions(shares, labels, parts)`, three"
        " arrays of one length: the model's share of class 1, the true class, and"
        ' `"train"` or `"test"`. Choose the threshold that gets most of train right'
        " (class 1 lies above it), and return class 0 or 1 for the rows of test.",
        hints=(
            'parts == "train" is an array of True and False that selects rows.',
            "Try many thresholds between 0 and 1, keep the one with the most right"
            " answers on train, and use it on test.",
        ),
        solution=my_predictions,
        why="What a model knows and where it draws its line are two things; a few"
        " labels mend the second.",
        examine=reading.examine_predictions,
        right=(reading.by_sorting,),
        wrong=(
            (reading.left_at_half, "left at .5"),
            (reading.chosen_on_test, "chosen on test"),
            (reading.turned_round, "turned round"),
            (reading.predicted_everywhere, "for each text of test"),
            (lambda shares, labels, parts: [], "for each text of test"),
        ),
    ),
    Exercise(
        key="10.votes",
        prompt="**Exercise.** Write `my_vote_shares(votes, classes)`. `votes` holds the"
        " number of a class for each answer, or `None` for an answer that names no"
        " class: that is no vote. Give each of the classes half a vote beforehand, and"
        " return the list of shares.",
        hints=(
            "Start with half a vote for each class and count on from there.",
            "The shares are the counts divided by their sum; None adds to neither.",
        ),
        solution=my_vote_shares,
        why="Without the half votes three answers of one kind would be a certainty, and"
        " the student would be taught one.",
        examine=reading.examine_votes,
        right=(reading.by_bincount,),
        wrong=(
            (reading.no_smoothing, "no certainty"),
            (reading.prose_divides, "is no vote"),
            (reading.prose_is_guessed, "never guessed"),
            (lambda votes, classes: [1 / classes] * classes, "Not the smoothed"),
        ),
    ),
    Exercise(
        key="10.wait",
        prompt="**Exercise.** Write `my_wait(status, content, attempt, retry_after)`:"
        " how many seconds to wait before asking again, or `None` if asking again is"
        " wrong or needless. Too many requests (429) and a failing server (500, 503)"
        " pass; a blank answer is asked for again. Wait `retry_after` seconds where it"
        " is not `None`, else `2**attempt`.",
        hints=(
            "First the cases that end it: an answer that is not blank, and every status"
            " that asking again cannot mend.",
            "A status of 200 says that something came, not that it says anything.",
        ),
        solution=my_wait,
        why="402 asked again and again costs time; a blank answer accepted costs a row.",
        examine=asking.examine_wait,
        right=(
            lambda status, content, attempt, retry_after: (
                (2**attempt if retry_after is None else retry_after)
                if status in (429, 500, 503) or (status == 200 and not content.strip())
                else None
            ),
        ),
        wrong=(
            (asking.pays_no_bill, "the account is empty"),
            (asking.fixed_waits, "The same wait every time"),
            (asking.deaf_to_the_server, "was not heard"),
            (asking.blank_accepted, "A blank answer was accepted"),
            (asking.never_again, "429, 500 and 503 pass"),
            (asking.asks_for_ever, "not mended by asking again"),
        ),
    ),
    Exercise(
        key="10.cache_key",
        prompt="**Exercise.** Write `my_cache_key(request, sample, api_key)`: a string"
        " under which an answer is kept, so that it is never paid twice. `request` is"
        " the body as it is sent, a mapping; `sample` numbers several answers to one"
        " request. Whatever changes the answer must change the string, and nothing else.",
        hints=(
            "The messages hold the prompt too: a newer version of it asks another"
            " question.",
            "`json.dumps(..., sort_keys=True)` writes a mapping in one order; a hash of"
            " that makes it short. What about the key to the server?",
        ),
        solution=my_cache_key,
        why="A file of answers is shared with colleagues; no secret may be in it.",
        examine=asking.examine_key,
        right=(asking.by_sorted_pairs,),
        wrong=(
            (asking.text_alone, "Another version of the prompt"),
            (asking.no_prompt, "Another version of the prompt"),
            (asking.no_sample, "the key of the first"),
            (asking.key_inside, "The key to the server is inside"),
            (asking.key_in_plain, "The key to the server is inside"),
            (asking.order_matters, "in another order"),
            (lambda request, sample, api_key: 7, "A key is a string"),
            (lambda request, sample, api_key: "x", "Another text"),
        ),
    ),
    Question(
        key="10.q_mass",
        prompt="**Question 1.** Little of the probability lies on the names of the"
        " classes (section 4). What is the first thing to try?",
        options={
            "a": "drop these texts: the model does not know the answer",
            "b": "make the shares sum to 1 and go on, for that is all they need",
            "c": "ask in another way, such as writing the beginning of the answer",
        },
        answer="c",
        because={
            "a": "It may know it well and merely begin its sentence with another word.",
            "b": "Made to sum to 1, a sliver of probability looks as sure as any; how"
            " little it was is then forgotten.",
            "c": "The mass says how the model begins to speak; a beginning that is"
            " written for it leaves the name of a class as the next word.",
        },
    ),
    Question(
        key="10.q_threshold",
        prompt="**Question 2.** A model says the likelier class rightly for half of the"
        " texts, yet its AUC is far above .5 (section 5). What does that mean?",
        options={
            "a": "it ranks the texts well, and its line between the classes lies in the"
            " wrong place",
            "b": "the AUC is wrong, since half right is no better than chance",
            "c": "it needs more votes for each text",
        },
        answer="a",
        because={
            "a": "The ranking is knowledge, the line is a habit; a few labelled texts"
            " move the line.",
            "b": "The AUC does not look at the line at all, only at the order.",
            "c": "Votes estimate the same probabilities, wrong line included.",
        },
    ),
    Question(
        key="10.q_killed",
        prompt="**Question 3.** A run of 10,000 requests is killed half-way (section 8)."
        " What makes the second run cheap?",
        options={
            "a": "the server remembers the prompts of the first run",
            "b": "each answer was written down as it came, under a key of its request",
            "c": "the second run asks for the other half of the file",
        },
        answer="b",
        because={
            "a": "That may be a rebate on what it reads; the answers are paid again.",
            "b": "What is in the file is not asked again, whoever was killed and when.",
            "c": "Requests run side by side: what was answered is no clean half.",
        },
    ),
)
