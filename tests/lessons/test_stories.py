"""The stories of lesson 09: no sum stands in two places, all stay in bounds."""

import pytest

from distill_helpers.lessons.l09 import shipped, stories


def totals(story):
    """Work a story out anew, by Python's own arithmetic."""
    found = [story.start]
    for sign, number in story.operations:
        value = eval(f"{found[-1]} {sign} {number}")
        assert value == int(value)
        found.append(int(value))
    return found


def test_every_trace_is_right_and_every_total_within_its_bounds():
    for story in [*shipped.exam_stories(200), *shipped.longer_stories(50)]:
        found = totals(story)
        assert all(stories.LEAST <= total <= stories.MOST for total in found)
        steps, _, answer = story.completion.partition(" # ")
        assert answer == story.answer == str(found[-1])
        assert len(steps.split(" ; ")) == len(story.operations)
        assert story.bare == f"# {answer}"
        words = story.prompt.split()
        numbers = [int(word) for word in words if word.isdigit()]
        assert numbers == [story.start, *(n for _, n in story.operations)]


def test_exam_pool_and_the_teachers_own_share_no_sum():
    exam, pool = shipped.exam_stories(), shipped.pool_stories()
    own = shipped.teachers_stories()
    everything = shipped.keys(exam) | shipped.keys(pool) | shipped.keys(own)
    assert len(everything) == len(exam) + len(pool) + len(own)
    assert {len(story.operations) for story in exam} == set(shipped.STEPS)
    assert {len(s.operations) for s in shipped.longer_stories()} == {6}
    assert len({story.prompt for story in pool}) == len(pool)


def test_the_same_seed_tells_the_same_stories():
    assert stories.draw_stories(7, [2], 20) == stories.draw_stories(7, [2], 20)
    assert stories.draw_stories(7, [2], 20) != stories.draw_stories(8, [2], 20)
    assert shipped.pool_stories(30) == shipped.pool_stories()[:30]


def test_every_single_step_is_there_once():
    steps = stories.every_step("any")
    assert len(shipped.keys(steps)) == len(steps)
    assert {len(story.operations) for story in steps} == {1}
    drawn = shipped.keys(stories.draw_stories(1, [1], 300))
    assert drawn <= shipped.keys(steps)
    for story in steps[:50]:
        left, right = story.sum
        assert f"{left} {right}" == story.completion.partition(" #")[0]


@pytest.mark.parametrize(
    ("steps", "count", "message"),
    [
        ([1], 100_000, "only .* of 100000 stories with \\[1\\] operations"),
        ([], 3, "steps must hold at least one number"),
        ([0], 3, "steps must be at least 1"),
        ([2], 0, "count must be at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(steps, count, message):
    with pytest.raises(ValueError, match=message):
        stories.draw_stories(0, steps, count)
