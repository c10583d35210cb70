r"""A temperature for each input, by how hard the student finds it just now.

.. math:: T_x = T + s \, (\bar w - w_x)

where :math:`w_x` says how hard the text is and :math:`\bar w` is its mean over the
batch: a hard text is taught with a sharper answer, an easy one with a softer one
[1]_. Both measures are those of TextBrewer [2]_, under its names.

References
----------
.. [1] T. Wen, S. Lai, X. Qian, "Preparing lessons: improve knowledge distillation
   with better supervision", Neurocomputing 454, 2021, arXiv:1911.07471.
.. [2] Z. Yang et al., "TextBrewer: an open-source knowledge distillation toolkit for
   natural language processing", ACL 2020 (demonstrations), arXiv:2002.12620.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from ..arguments import check_choice, check_number, check_temperature
from .logits import at_least_float32, check_logit_pair
from .soft_targets import Parts, kd_parts

FLSW, CWSM = "flsw", "cwsm"
HOW = (FLSW, CWSM)
LEAST_SHARE = 0.1
"""No input gets less than this share of T, lest its temperature be 0 or below."""


def input_temperatures(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    temperature: float,
    how: str = FLSW,
    spread: float = 1.0,
    gamma: float = 1.0,
) -> torch.Tensor:
    r"""Give each text of a batch a temperature.

    Parameters
    ----------
    student_logits, teacher_logits : Tensor, shape (batch, classes)
        Neither receives a gradient.
    temperature : float
        Their mean; greater than 0.
    how : {"flsw", "cwsm"}, default "flsw"
        How hard a text is: :math:`(1 - \cos(z_s, z_t))^\gamma`, the angle between
        both logits (focal loss style weights), or one over the largest probability
        of the student (confidence weighted by student max).
    spread : float, default 1.0
        The factor :math:`s`; at least 0. 0 gives each the same.
    gamma : float, default 1.0
        Of ``"flsw"``; greater than 0.

    Returns
    -------
    Tensor, shape (batch,)
        None below a tenth of `temperature`.

    Raises
    ------
    TypeError, ValueError
        If the logits do not fit together, or a parameter is out of range.

    Examples
    --------
    >>> student, teacher = torch.tensor([[4.0, 0.0], [0.1, 0.0]]), torch.ones(2, 2)
    >>> sure, unsure = input_temperatures(student, teacher, 2.0, "cwsm")
    >>> bool(sure > 2 > unsure)
    True
    """
    check_temperature(temperature)
    _check_options(how, spread, gamma)
    check_logit_pair(student_logits, teacher_logits)
    student = at_least_float32(student_logits.detach())
    teacher = teacher_logits.detach().to(student.dtype)
    if how == FLSW:
        apart = 1 - F.cosine_similarity(student, teacher, dim=-1)
        hard = apart.clamp(min=0).pow(gamma)
    else:
        hard = 1 / student.softmax(-1).amax(-1)
    found = temperature + spread * (hard.mean() - hard)
    return found.clamp(min=LEAST_SHARE * temperature)


def input_temperature_parts(how: str, spread: float = 1.0, gamma: float = 1.0) -> Parts:
    """Make the parts of a soft-target loss with a temperature for each input.

    Each text's part is multiplied by the square of its own temperature.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of range.
    """
    _check_options(how, spread, gamma)

    def parts(student_logits, teacher_logits, temperature, targets=None):
        own = input_temperatures(
            student_logits, teacher_logits, temperature, how, spread, gamma
        )[:, None]
        found = kd_parts(student_logits, teacher_logits, own)
        return found * (own / temperature) ** 2

    return parts


def _check_options(how: str, spread: float, gamma: float) -> None:
    check_choice("how", how, HOW)
    check_number("spread", spread, least=0)
    check_number("gamma", gamma, above=0)
