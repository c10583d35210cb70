"""Lesson 11: can it be trusted? Attacks, forgetting, privacy, fairness, refusal."""
