"""A language model behind an API as a teacher: asked once, priced before it is asked."""

from ...lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "answers": ["Answer", "Trace"],
        "asking": ["Asker", "BudgetReachedError"],
        "batches": ["read_batch", "write_batch"],
        "chat": ["ApiError", "ChatServer", "KeyMissingError"],
        "labels": ["LabelShares", "label_distribution", "read_answer"],
        "loopback": ["FAULTS", "LoopbackServer"],
        "money": ["Estimate", "Price", "Usage", "price_of"],
        "naming": ["is_api_name"],
        "opening": ["api_teacher"],
        "position": ["PositionBias", "position_bias"],
        "prompts": ["Task", "draw_examples", "read_task"],
        "recorded": ["FILM_REVIEWS", "RecordedModel"],
        "replies": ["Reply", "request_key"],
        "scrubbing": ["scrub"],
        "speaking": ["NothingToSayError", "Said", "Speaker", "TeacherSpeaker"],
        "store": ["AnswerStore", "DamagedStoreError"],
        "teacher": ["ApiTeacher"],
        "votes": ["Votes", "vote_shares"],
    },
)
