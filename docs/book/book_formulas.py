"""Formulas as MathML, which browsers draw themselves, without script or font.

docutils turns the LaTeX into MathML; a formula that it cannot read is an error.
"""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def inline(translator, node: nodes.math) -> None:
    translator.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def block(translator, node: nodes.math_block) -> None:
    translator.body.append('<div class="formula" tabindex="0">')
    translator.body.append(tex2mathml(node.astext(), as_block=True))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app) -> dict:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
