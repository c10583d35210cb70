"""Lesson 13: your own domain. Dated rows, odd days, a graph that gives texts."""
