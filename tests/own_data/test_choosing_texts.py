"""The teacher is asked about as many texts as were allowed, chosen as was said."""

import numpy as np
import pytest

from distill_helpers.data.active import HOW
from distill_helpers.own_data import Request, look, open_guide, runs
from distill_helpers.own_data.choosing import budget, chosen
from distill_helpers.own_data.command import main

ASK = 15


def opened(file, answers, folder, **options):
    request = Request(
        file,
        teacher=str(answers),
        values="probabilities",
        student="bigram",
        seeds=(0, 1),
        output=folder / "new",
        **options,
    )
    texts = look(request)
    return texts, open_guide(request, texts, progress=False)


@pytest.mark.parametrize("how", HOW)
def test_all_seeds_choose_the_same_texts(file, answers, tmp_path, how):
    texts, guide = opened(file, answers, tmp_path, ask=ASK, choose=how)
    found = []
    for seed in (0, 1):
        drawn = texts.drawn(seed)
        some = chosen(guide, guide.teacher, drawn["train"], drawn["transfer"])
        found.append(list(some["text"]))
    assert found[0] == found[1] and len(set(found[0])) == ASK
    assert set(found[0]) < set(texts.reviews["transfer"]["text"])
    said = f"asked about 15 of the texts without a label, chosen by '{how}'"
    assert said in guide.told


def test_the_arms_read_no_more_than_was_asked_about(file, answers, tmp_path):
    texts, guide = opened(file, answers, tmp_path, ask=ASK)
    tokenizer = runs.make_tokenizer(guide.request, texts)
    arms, _ = runs.encoded_arms(guide, 0, tokenizer)
    labelled = len(texts.reviews["train"])
    assert budget(guide.request, texts) == ASK < len(texts.reviews["transfer"])
    assert len(arms[runs.CONTROL]()) == labelled
    assert len(arms[runs.HARD]()) == labelled + ASK
    taught = arms[runs.DISTILLED]()
    assert len(taught) == labelled + ASK
    assert np.isfinite(taught.teacher_logits).all()


def test_a_budget_above_the_pool_is_refused_with_its_option(
    file, answers, tmp_path, capsys
):
    given = [str(file), "--teacher", str(answers), "--values", "probabilities"]
    given += ["--output", str(tmp_path / "new"), "--dry-run"]
    with pytest.raises(SystemExit):
        main([*given, "--ask", "100000"])
    said = capsys.readouterr().err
    assert "--ask=100,000 is more than the" in said and "texts without a label" in said
    with pytest.raises(SystemExit):
        main([*given, "--choose", "diverse"])
    assert "--choose='diverse' says which texts" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
