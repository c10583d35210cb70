"""What a page has besides its words: ways to open a lesson, and its language."""

from distill_helpers.classroom.book.contents import language_of

LESSONS = "notebooks/"


# docutils writes a list whose items are none by their roles.
LIST = '<div role="list" class="citation-list">'
ITEM = ' role="doc-biblioentry"'


def add(app, pagename: str, templatename, context: dict, doctree) -> None:
    body = context.get("body", "")
    if LIST in body:
        context["body"] = body.replace(ITEM, ' role="listitem"')
    context["language"] = language_of(pagename) or app.config.language
    if pagename.startswith(LESSONS):
        context["launch"] = [
            (name, address.replace("{page}", f"{pagename}.ipynb"))
            for name, address in app.config.launch_addresses.items()
        ]


def setup(app) -> dict:
    app.add_config_value("launch_addresses", {}, "html", types=dict)
    app.connect("html-page-context", add)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
