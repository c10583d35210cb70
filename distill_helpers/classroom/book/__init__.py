"""The course as a book: a static site of the executed notebooks.

Sphinx makes the pages (``docs/book/conf.py``); what stands here gathers what they
are made of, and holds the finished site against what it promises.
"""

from ...lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "building": ["build_book"],
        "checking": ["check_site", "outward_links"],
        "glossary": ["Entry", "find_terms", "read_glossary"],
        "links": ["BookError"],
    },
)
