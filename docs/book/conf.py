"""How Sphinx makes the book; `python start.py book` calls it.

Nothing is executed: what a lesson shows is what its notebook stores. Nothing is
loaded from elsewhere: formulas are MathML, fonts are the reader's own.
"""

import json
import os
import sys
from pathlib import Path

import distill_helpers

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
ROOT = HERE.parents[1]
SETTINGS = json.loads(os.environ["DISTILL_BOOK"])

project = "Learn knowledge distillation by doing it"
author = "the project's authors"
copyright = "the project's authors; code Apache-2.0, reviews and results CC0"
version = release = distill_helpers.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "book_formulas",
    "book_pages",
    "book_terms",
]
exclude_patterns = ["_generated"]
# Whole modules list what they lean on, without a mark in a sentence.
suppress_warnings = ["ref.citation"]

# -- notebooks: what is stored, as it is stored
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "distill_helpers.classroom.book.links.slug"

# -- docstrings
add_module_names = False
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
python_display_short_literal_types = True

# -- formulas and terms
html_math_renderer = "mathml"
terms_folder = str(ROOT / "docs")
launch_addresses = SETTINGS["launch"]

# -- pages
html_theme = "pydata_sphinx_theme"
html_title = "Distillation by doing it"
html_context = {"default_mode": "auto"}
html_favicon = str(ROOT / "distill_helpers" / "export" / "page" / "icon.svg")
html_static_path = ["static", SETTINGS["generated"]]
templates_path = ["templates"]
html_css_files = ["book.css"]
html_js_files = [("meanings.js", {"defer": ""}), ("terms.js", {"defer": ""})]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_permalinks_icon = "#"
html_sidebars = {"index": [], "student": [], "claims": []}
html_theme_options = {
    "article_header_start": ["breadcrumbs", "launch"],
    "article_footer_items": [],
    "footer_end": [],
    "footer_start": ["copyright"],
    "header_links_before_dropdown": 7,
    "icon_links": [],
    "navbar_align": "left",
    "navigation_with_keys": False,
    "search_bar_text": "Search the course",
    "secondary_sidebar_items": ["page-toc"],
    "show_nav_level": 1,
    "show_toc_level": 1,
    "use_edit_page_button": False,
}
