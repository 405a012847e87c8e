# SPDX-License-Identifier: BSD-2-Clause
"""Defects of decode/."""

from . import Defect

DEFECTS = []
