"""Lesson 07: the text that teaches."""
