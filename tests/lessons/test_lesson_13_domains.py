"""Four domains, one way: what each project does, refuses and hands over."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lesson_runs import FACTS, LESSON, run_lesson

from distill_helpers.data.personal import find_forms
from distill_helpers.evaluation.comparison import compare_scores
from distill_helpers.lessons import claims
from distill_helpers.lessons.l13 import (
    contracts,
    desk,
    feeding,
    fronts,
    graph,
    judging,
    known_facts,
    market,
    market_bundle,
    market_project,
    own_parts,
    path_texts,
    prices,
    projects,
    stories,
    text_project,
)

NAMES = ["calm", "loud"]


def loud(texts):
    """Say "loud" for each of the word in a text, calm else."""
    count = np.array([text.split().count("loud") for text in texts], float)
    return np.stack([np.ones(len(texts)), 3.0 * count], axis=1)


# ------------------------------------------------------------------ the stories
def test_every_domain_has_a_story_and_no_other_is_known():
    assert list(stories.stories_table().index) == list(stories.DOMAINS)
    assert stories.story_of("legal").source.is_file()
    with pytest.raises(ValueError, match="domain must be.*'astrology'"):
        stories.story_of("astrology")


def test_a_class_without_a_row_in_a_part_is_named():
    rows = pd.DataFrame(
        {
            "label": ["x", "x", "x", "y", "y", ""],
            "split": ["train", "validation", "test", "train", "test", "transfer"],
        }
    )
    with pytest.raises(ValueError, match="part 'validation' has no row of 'y'"):
        text_project.check_classes(rows)
    text_project.check_classes(rows[rows["label"] != "y"])
    with pytest.raises(ValueError, match="no row has a label"):
        text_project.check_classes(rows.assign(label=""))


@pytest.mark.parametrize("domain", ["support", "medical", "legal"])
def test_a_project_of_texts_writes_them_without_what_was_found(domain, tmp_path):
    settings = text_project.Settings(tmp_path / "out")
    project = projects.open_project(domain, settings)
    assert project.look()["labelled"].sum() == len(project.rows)
    table = project.guard()
    assert (table["replaced"] > 0).any()
    written = pd.read_csv(project.file, keep_default_na=False)
    assert len(written) == len(project.rows)
    assert not [text for text in written["text"] if find_forms(text)]
    if domain == "medical":
        total = project.finder.total
        assert (table["placed"].sum(), table["missed"].sum()) == (
            total.placed,
            total.missed,
        )
        assert f"{total.placed - total.missed} of {total.placed}" in (
            project.guard_in_words()
        )
    else:
        assert "misses cannot be counted" in project.guard_in_words()


# --------------------------------------------------------------- support desk
def test_the_threshold_keeps_its_promise_and_is_the_lowest_that_does():
    generator = np.random.default_rng(3)
    for _ in range(40):
        sure = generator.random(12).round(1)
        right = generator.random(12) < sure
        wrong = float(generator.choice([0.0, 0.1, 0.3]))
        found = desk.abstain_threshold(sure, right, wrong)
        keeps = [t for t in sure if (~right[sure >= t]).mean() <= wrong]
        assert found == (min(keeps) if keeps else 1.0)
    with pytest.raises(ValueError, match="one value a text"):
        desk.abstain_threshold([0.5], [True, False], 0.1)
    with pytest.raises(ValueError, match="wrong"):
        desk.abstain_threshold([0.5], [True], 1.5)


def test_what_a_thousand_tickets_cost_is_shared_out_by_who_answers():
    one = desk.DeskSeed(
        student=np.log([[0.9, 0.1], [0.4, 0.6]]),
        teacher=np.array([[5.0, 0.0], [5.0, 0.0]]),
        labels=np.array([0, 0]),
        threshold=0.8,
        hand_on=0.8,
    )
    table = desk.cost_table({0: one}, teacher=2.0, person=100.0)
    dollars = table["dollars a thousand"]
    assert dollars["student alone"] == 0 and dollars["teacher alone"] == 2
    assert dollars["student, then teacher"] == 1
    assert dollars["student, then a person"] == 50
    assert table["right"]["student alone"] == 0.5
    assert table["right"]["student, then teacher"] == 1
    price, read = desk.teacher_price(["x" * 400])
    assert 0 < price < 10 and "read" in read


# ---------------------------------------------------------------------- legal
def test_windows_hold_every_word_once_and_none_is_tiny():
    for count in (0, 1, 59, 60, 61, 89, 90, 119, 150, 301):
        text = " ".join(f"w{at}" for at in range(count))
        cuts = contracts.cut(text)
        assert " ".join(cuts).split() == text.split()
        assert len(cuts) == 1 or min(len(one.split()) for one in cuts) >= 30


def test_the_word_that_moved_a_verdict_is_found_and_its_loss_turns_it():
    text = "a quiet day with one loud neighbour in it"
    table = contracts.moved(loud, text)
    assert table.iloc[0]["word"] == "loud" and table.iloc[0]["moved"] > 1
    assert table.iloc[1]["moved"] == pytest.approx(0)
    first = contracts.turned(loud, [text], lambda t: contracts.moved(loud, t).index[:1])
    assert first == 1.0
    assert contracts.turned(loud, [text], lambda t: [0]) == 0.0
    far = "quiet " * 100 + "loud " * 3
    assert contracts.first_window(loud)([far]).argmax() == 0
    assert contracts.windowed(loud, 30)([far]).shape == (1, 2)


# ---------------------------------------------------------------------- graph
@pytest.mark.parametrize("domain", ["support", "medical"])
def test_both_back_ends_give_the_same_rows(domain, tmp_path):
    for package in ("ladybug", "neo4j"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    project = projects.open_project(domain, text_project.Settings(tmp_path))
    table = known_facts.both_back_ends(project)
    assert table["the same"].all() and (table["embedded"] > 0).all()
    assert (table["embedded"] == table["over Bolt"]).all()


def test_a_graph_in_a_file_is_taken_as_it_is(tmp_path):
    pytest.importorskip("ladybug", reason="ladybug is not installed")
    project = projects.open_project("support", text_project.Settings(tmp_path))
    path = known_facts.saved_graph(project, tmp_path / "shop.graph")
    opened, about = known_facts.open_facts(project, str(path))
    with opened:
        assert "as it is" in about and "CONCERNS" in opened.relations()
    with pytest.raises(FileNotFoundError, match="there is no such graph"):
        known_facts.check_graph(str(tmp_path / "nowhere.graph"))
    known_facts.check_graph("memory")


@pytest.mark.parametrize("domain", ["finance", "legal"])
def test_a_domain_without_a_graph_says_why(domain, tmp_path):
    project = SimpleNamespace(story=stories.story_of(domain))
    assert known_facts.open_facts(project) == (None, known_facts.NO_GRAPH[domain])


def test_without_ladybug_the_notebook_goes_on_and_says_what_to_install(monkeypatch):
    def missing(*_, **__):
        raise ModuleNotFoundError("ladybug is not installed")

    monkeypatch.setattr(known_facts, "open_graph", missing)
    project = SimpleNamespace(story=stories.story_of("support"))
    assert known_facts.open_facts(project) == (None, "ladybug is not installed")


def test_messages_are_written_from_the_graph_of_the_support_desk():
    pytest.importorskip("ladybug", reason="ladybug is not installed")
    with graph.open_graph() as known:
        known.add(graph.read_facts(feeding.SUPPORT_GRAPH))
        labels = pd.read_csv(stories.story_of("support").source)["label"].dropna()
        wanted = {("wish", name): 12 for name in sorted(labels.unique())}
        texts = path_texts.texts_from_paths(known, wanted, 1, path_texts.MESSAGES)
        asks = {
            path[0].lower()
            for matter in known.paths("wish", "privacy", ["<PART_OF"])
            for path in known.paths("matter", matter[0], ["ASKED_AS"])
        }
        names = list(dict.fromkeys(name for _, name in wanted))
        at = 12 * names.index("privacy")
        for text in texts[at : at + 12]:
            assert any(ask in text.lower() for ask in asks) and "{" not in text
        with pytest.raises(graph.UnknownRelationError, match="SHOWS_AS"):
            forms = path_texts.Forms("matter", "wish", {"x": ["SHOWS_AS"]}, "x", ())
            path_texts.texts_from_paths(known, {("wish", "bug"): 1}, 0, forms)


def test_a_graph_that_feeds_a_class_with_its_own_words_raises_it():
    pytest.importorskip("ladybug", reason="ladybug is not installed")
    project = _FakeDesk()
    with graph.open_graph() as known:
        known.add(graph.read_facts(feeding.SUPPORT_GRAPH))
        fed = feeding.feed(project, known, each=20)
    assert fed.rare == ["privacy"]
    assert set(fed.scores) == {
        feeding.NONE,
        feeding.GRAPH,
        feeding.OTHERS,
        feeding.RANDOM,
    }
    mean = fed.table()["mean"]
    assert mean[feeding.GRAPH] > mean[feeding.NONE] + 0.3
    assert all(0 <= share <= 1 for share in fed.told.values())
    assert [one.control for one in fed.gains] == [
        feeding.NONE,
        feeding.RANDOM,
        feeding.OTHERS,
    ]


class _FakeDesk:
    """Two wishes; the teacher knows a rare one by words that no pool text has."""

    story = stories.story_of("support")
    seeds = (0, 1)

    def __init__(self):
        bills = [f"there is a mistake on my invoice {at}" for at in range(20)]
        rare = [f"please delete my personal data, invoice {at}" for at in range(2)]
        train = {"text": [*bills, "gdpr at once"], "label": [0] * 20 + [1]}
        test = {"text": bills[:5] + rare, "label": [0] * 5 + [1, 1]}
        parts = {
            "train": train,
            "transfer": {"text": [*bills[:4], "gdpr at once"]},
            "test": test,
        }
        self.texts = SimpleNamespace(
            label_names=["billing", "privacy"],
            reviews=parts,
            drawn=lambda seed: parts,
        )
        self.guide = SimpleNamespace(of=lambda seed: self)

    def logits(self, texts):
        bill = np.array(["invoice" in text for text in texts])
        return np.where(bill[:, None], [4.0, 0.0], [0.0, 4.0])

    def compare(self, scores, pairs):
        return compare_scores(scores, pairs)


# -------------------------------------------------------------------- finance
@pytest.fixture(scope="module")
def days():
    return market.Days.of(prices.simulated_prices(1500, seed=1))


def test_a_series_that_is_too_short_or_out_of_order_is_refused():
    with pytest.raises(ValueError, match="days at least, got 300"):
        market.Days.of(prices.simulated_prices(300))
    series = prices.simulated_prices(1500)
    turned = prices.Prices(series.close.iloc[::-1], "simulated", "turned")
    with pytest.raises(ValueError, match="out of order"):
        market.Days.of(turned)


def test_a_walk_never_scales_or_parts_by_the_days_that_judge(days):
    one = market.walk(days, 0, folds=1, test=200, steps=80)
    fit = one.fold.train[: -market.HELD - market.WEEK]
    assert one.edges == market.regime_edges(days.ahead[fit])
    student = one.students[market.DISTILLED]
    assert student.centre.numpy() == pytest.approx(days.streamed[fit].mean(0), rel=1e-4)
    assert len(one.truth) == len(one.is_odd) == 200
    leak, plain = one.answers(market.LEAK), one.answers(market.CONTROL)
    right = [(logits.argmax(1) == one.truth).mean() for logits in (leak, plain)]
    assert right[0] > right[1] + 0.02
    again = market.walk(days, 0, folds=1, test=200, steps=80)
    assert np.array_equal(again.answers(market.DISTILLED), one.answers("distilled"))


def test_a_teacher_that_has_not_seen_a_regime_is_refused(days):
    with pytest.raises(ValueError, match=r"none is \['wild'\]"):
        market.fit_teacher(days.windows[:60], np.arange(60) % 2)


def test_a_day_is_answered_out_of_fold_by_others_alone(days):
    labels = market.regimes(days.ahead, market.regime_edges(days.ahead))[:300]
    told = market.out_of_fold(days.windows[:300], labels)
    seen = market.fit_teacher(days.windows[:300], labels)(days.windows[:300])
    right = [(logits.argmax(1) == labels).mean() for logits in (told, seen)]
    assert right[0] < right[1] - 0.1


def test_a_student_of_numbers_is_read_back_as_it_was(days, tmp_path):
    labels = market.regimes(days.ahead, market.regime_edges(days.ahead))
    student = market.fit_student(days.streamed, labels, steps=20)
    facts = {"note": "n", "learnt": "l", "edges": (0.5, 0.9), "horizon": 5}
    facts |= {"days": 10, "f1": "0.4"}
    folder = market_bundle.write_market_bundle(
        tmp_path / "out", student, (0.5, 0.9), facts
    )
    reader = market_bundle.RegimeReader(folder / "bundle")
    ours, theirs = student.answer(days.streamed), reader.logits(days.streamed)
    assert np.abs(ours - theirs).max() < 1e-4
    shares = reader.update(0.4)
    assert sum(shares.values()) == pytest.approx(1)
    assert {p.suffix for p in folder.rglob("*") if p.is_file()} == {
        ".onnx",
        ".json",
        ".md",
    }
    with pytest.raises(FileNotFoundError, match="no such student"):
        market_bundle.RegimeReader(tmp_path)
    about = folder / "bundle" / market_bundle.ABOUT
    about.write_text(about.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(ValueError, match="must have format 1"):
        market_bundle.RegimeReader(folder / "bundle")


@pytest.fixture(scope="module")
def small_market(tmp_path_factory):
    """A market project on short series, with all its steps done."""
    folder = tmp_path_factory.mktemp("market")
    project = market_project.MarketProject(
        stories.story_of("finance"), text_project.Settings(folder, seeds=(0, 1))
    )
    project.prices = {seed: prices.simulated_prices(1500, seed) for seed in (0, 1)}
    project.days = {s: market.Days.of(one) for s, one in project.prices.items()}
    project.walked = {
        seed: market.walk(days, seed, folds=1, test=200, steps=30)
        for seed, days in project.days.items()
    }
    return project


def test_numbers_take_the_same_steps_and_say_what_does_not_apply(small_market):
    part = own_parts.measure(small_market, 0.1, 500.0)
    assert "student, one day" in part.more.index and part.two_stages is None
    table = judging.gains_table(part.gains)
    assert table.loc[f"{market.LEAK} - {market.CONTROL}", "seeds"] == 2
    small_market.deliver()
    release = small_market.release()
    answers = {one.question: one.answer for one in release.findings}
    assert answers["privacy"] == answers["fairness"] == "not asked"
    assert answers["use"] == "passed" and release.outcome == "ask"
    card = small_market.card
    assert "ask:" in card and "no advice" in card and str(0.5) not in card[:20]
    claim = judging.judge_milliseconds(small_market)
    assert claim.verdict == claims.HELD and claim.id == "C24"


def test_the_budgeted_choice_is_on_the_front_or_nothing_fits(small_market):
    weighed = fronts.weigh(small_market, ["all"], ["all"], budget_mb=1.0)
    assert len(weighed.table) == len(fronts.WIDTHS) and weighed.chosen is not None
    assert weighed.front["chosen"].any()
    nothing = fronts.weigh(small_market, ["all"], ["all"], budget_mb=1e-6)
    assert nothing.chosen is None and "nothing fits" in nothing.why


def test_a_run_renews_its_own_domain_in_the_first_picture_alone(small_market):
    ours = {"gains": {name: [0.5, 0.5] for name in stories.DOMAINS}, "two stages": 3.0}
    part = SimpleNamespace(two_stages=None)
    fresh = judging.for_opening(ours, small_market, part)
    assert fresh["two stages"] == 3.0 and fresh["gains"]["legal"] == [0.5, 0.5]
    gains = [round(one, 4) for one in small_market.gain.gains]
    assert fresh["gains"]["finance"] == gains


# --------------------------------------------------------------- whole lessons
@pytest.mark.full
@pytest.mark.parametrize("domain", ["medical", "finance", "legal"])
def test_the_other_domains_run_headless_with_every_exercise_solved(domain, tmp_path):
    facts = FACTS[LESSON["13"].stem]
    given = {**facts.short, "domain": domain}
    run = run_lesson(LESSON["13"], tmp_path, given, solved=True)
    assert not [o for o in run.outputs if o.get("name") == "stderr"]
    results, out = run.results, tmp_path / "out"
    assert results["settings"]["domain"] == domain
    gain = results["compared"]["distilled - control"]
    assert len(gain["gains"]) == 2 and gain["interval"][0] <= gain["mean"]
    front = [c for c in results["front"]["candidates"] if c["front"]]
    chosen = results["front"]["chosen"]
    assert chosen is None or chosen in {f"{c['student']}, {c['form']}" for c in front}
    assert list(out.glob("**/README.md"))
    assert list((out / "delivered" / "bundle").glob("*.onnx"))
    assert (out / "release" / "report.md").is_file()
    assert results["release"]["outcome"] in ("allow", "ask", "refuse")
    kinds = {path.suffix for path in out.rglob("*") if path.is_file()}
    assert not kinds & {".bin", ".pt", ".pkl", ".joblib"}
    (claim,) = results["claims"]
    assert (claim["verdict"] == "not testable here") == (domain != "finance")
