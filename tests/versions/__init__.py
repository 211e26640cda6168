"""Versions at work: what starts, children and the seam of continue_as_new get."""
